"""How often studies of one custodian were opened, by ground and week, and what stands out."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.db.models import Count
from django.db.models.functions import TruncWeek

from sharing.audit.models import Event
from sharing.audit.patterns import Pattern, Read, family_names, unusual
from sharing.audit.rules import UNNAMED_COPY
from sharing.kernel.purposes import Purpose

OPENINGS = ("study.report", "study.images", "study.download", "study.send", UNNAMED_COPY)
OWN = frozenset({"own_staff"})
CONSENT = frozenset({"consent_permits", "shared_inside_consent"})
MOST_READS = 20_000
WEEK = timedelta(weeks=1)


@dataclass
class Week:
    """One week, from Monday on: openings by ground, those by others, and refusals."""

    begins: date
    grounds: Counter[str] = field(default_factory=Counter)  # own, consent, other, emergency
    outside: int = 0
    refused: int = 0


@dataclass
class Figures:
    """The weeks of a time, refusals by rule, and the openings by others in the time before."""

    weeks: list[Week]
    refusals: Counter[str] = field(default_factory=Counter)
    before: int = 0


def figures(*, custodian: str, at: datetime, weeks: int) -> Figures:
    """The last `weeks` weeks, the running one included."""
    monday = _monday(at)
    begins = [monday - WEEK * back for back in range(weeks - 1, -1, -1)]
    told = Figures([Week(each.date()) for each in begins])
    by_week = {week.begins: week for week in told.weeks}
    rows = (
        Event.objects.filter(custodian=custodian, at__gte=begins[0], at__lte=at)
        .annotate(week=TruncWeek("at"))
        .values_list("week", "action", "permitted", "rule", "purpose", "organization")
        .annotate(count=Count("pk"))
        .order_by()
    )
    for week, action, permitted, rule, purpose, organization, count in rows:
        one = by_week[week.date()]
        if not permitted:
            one.refused += count
            told.refusals[rule] += count
        elif action in OPENINGS:
            one.grounds[ground_of(rule, purpose)] += count
            one.outside += count if organization != custodian else 0
    earlier = Event.objects.filter(
        custodian=custodian, at__gte=begins[0] - WEEK * weeks, at__lt=begins[0]
    )
    told.before = (
        earlier.filter(permitted=True, action__in=OPENINGS).exclude(organization=custodian).count()
    )
    return told


def ground_of(rule: str, purpose: str) -> str:
    """The kind of ground: own, consent, other or emergency."""
    if purpose == Purpose.EMERGENCY:
        return "emergency"
    return "own" if rule in OWN else "consent" if rule in CONSENT else "other"


def _monday(at: datetime) -> datetime:
    day = at.replace(hour=0, minute=0, second=0, microsecond=0)
    return day - timedelta(days=day.weekday())


def reads_of(*, custodian: str, since: datetime) -> list[Read]:
    """What people opened since then, the newest MOST_READS, by value."""
    rows = (
        Event.objects.filter(
            custodian=custodian,
            at__gte=since,
            permitted=True,
            actor_kind="user",
            action__in=(*OPENINGS, "study.discover"),
        )
        .exclude(patient="")
        .order_by("-at", "-pk")
        .values_list("at", "actor_id", "actor_name", "organization_name", "patient")[:MOST_READS]
    )
    return [Read(*row) for row in rows]


def what_stands_out(reads: list[Read], names: Mapping[str, tuple[str, ...]]) -> list[Pattern]:
    """Unusual patterns in these reads; `names`: how each patient is called, family name first."""
    families = {
        patient: frozenset().union(*(family_names(name) for name in said))
        for patient, said in names.items()
    }
    return unusual(reads, families)
