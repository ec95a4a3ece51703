"""A privacy officer's desk: how often studies are opened, on what ground, and what stands out."""

from datetime import date, datetime, time, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from sharing.access.rules import Rule
from sharing.access.services import reviews_waiting
from sharing.archive.services.showing import named_in_log
from sharing.audit.services import (
    Entry,
    Figures,
    figures,
    log_of_organization,
    reads_of,
    what_stands_out,
)
from sharing.consent.services import ended_since, in_force_at
from sharing.identity.services import own_patients
from sharing.kernel.purposes import Purpose
from sharing.kernel.sql import chunks
from sharing.tenants.services import Actor, Duty, require

from . import charts, deeds, words
from .accounting import PERIODS, weeks_of
from .doors import actor_of

LINES, SIDE, RECENT = 6, 4, 2_000
PATTERN_DAYS = 14
WRONG_PURPOSE = frozenset({Rule.PURPOSE_NOT_OF_ROLE, Rule.ACTION_NOT_OF_ROLE})
GROUNDS = (  # ground, class of its bar, class in the legend, word
    ("own", "f-own", "own", "Own staff"),
    ("consent", "f-per", "per", "Consent"),
    ("other", "f-imp", "imp", "Other ground"),
    ("emergency", "f-btg", "btg", "Emergency"),
)
PATTERNS = {
    "many_patients": "Opened images of {count} patients within an hour",
    "same_family": "Opened images of a patient with the same family name",
}


@require_safe
def show(request: HttpRequest) -> HttpResponse:
    """Openings, refusals, emergencies, consents and patterns of some weeks. Raises NotAllowed."""
    actor, at = actor_of(request), timezone.now()
    require(actor, Duty.READ_LOG)
    weeks = weeks_of(request)
    told = figures(custodian=actor.organization_code, at=at, weeks=weeks)
    entries = log_of_organization(custodian=actor.organization_code, most=RECENT)
    context = {
        "weeks": weeks,
        "periods": PERIODS,
        "stats": _stats(actor, told, at),
        "chart": _chart(told),
        "grounds": GROUNDS,
        "table": _table(told),
        **_recent(actor, entries, at),
        "patterns": _patterns(actor, at),
        "to_review": reviews_waiting(actor).count(),
    }
    return render(request, "web/log/privacy.html", context)


def _stats(actor: Actor, told: Figures, at: datetime) -> list[dict[str, Any]]:
    """Four figures with their small bars."""
    weeks = told.weeks
    outside = [week.outside for week in weeks]
    emergencies = [week.grounds["emergency"] for week in weeks]
    refused = [week.refused for week in weeks]
    begins = [_begin(week.begins, at) for week in told.weeks]
    consents = in_force_at(actor, [*begins[1:], at])  # at the end of each week, and now
    ended = ended_since(actor, begins[0])
    return [
        _stat("Openings by others", sum(outside), outside, _change(told, len(weeks))),
        _stat(
            "Openings in an emergency",
            sum(emergencies),
            emergencies,
            f"of {sum(week.grounds.total() for week in weeks):,} openings",
            last="f-btg",
        ),
        _stat("Refused attempts", sum(refused), refused, _refusals(told)),
        _stat(
            "Consents in force",
            consents[-1],
            consents,
            f"{words.span(ended, 'consent')} ended or revoked in this time",
        ),
    ]


def _stat(
    word: str, value: int, weekly: list[int], more: str, *, last: str = "f-own"
) -> dict[str, Any]:
    bars = charts.spark(weekly, last=last)
    spoken = f"{words.span(len(weekly), 'week')}, last {weekly[-1]:,}"
    return {"word": word, "value": f"{value:,}", "bars": bars, "spoken": spoken, "more": more}


def _change(told: Figures, weeks: int) -> str:
    now = sum(week.outside for week in told.weeks)
    if not told.before:
        return f"none in the {words.span(weeks, 'week')} before"
    change = round(100 * (now - told.before) / told.before)
    way = f"Up {change}% on" if change > 0 else f"Down {-change}% on" if change < 0 else "As in"
    return f"{way} the {words.span(weeks, 'week')} before"


def _refusals(told: Figures) -> str:
    purpose = sum(told.refusals[rule] for rule in WRONG_PURPOSE)
    consent = told.refusals.total() - purpose
    return f"{consent:,} for want of consent, {purpose:,} wrong purpose or role"


def _begin(monday: date, at: datetime) -> datetime:
    return datetime.combine(monday, time(), at.tzinfo)


def _chart(told: Figures) -> charts.Chart:
    labels = [_label(told, place) for place in range(len(told.weeks))]
    order = [(ground, css) for ground, css, _, _ in GROUNDS]
    return charts.stacked(labels, [week.grounds for week in told.weeks], order)


def _label(told: Figures, place: int) -> str:
    """`7 Sep` where a month begins, else the day; of many weeks each fourth has a word."""
    day = told.weeks[place].begins
    if place == len(told.weeks) - 1:
        return f"{day.day} so far"
    if len(told.weeks) > 16 and place % 4:
        return ""
    before = told.weeks[place - 1].begins if place else None
    is_new = len(told.weeks) > 16 or before is None or before.month != day.month
    return words.day_of_month(day) if is_new else str(day.day)


def _table(told: Figures) -> list[tuple[Any, list[tuple[str, int]]]]:
    """The chart's numbers with their words, newest week first."""
    order = [(word, ground) for ground, *_, word in GROUNDS]
    return [(w.begins, [(word, w.grounds[g]) for word, g in order]) for w in reversed(told.weeks)]


def _recent(actor: Actor, entries: list[Entry], at: datetime) -> dict[str, Any]:
    """The newest lines of others, of refusals and of emergencies, in words."""
    others = [e for e in entries if deeds.from_elsewhere(e, actor.organization_name)]
    chosen = {
        "others": [e for e in others if e.permitted and e.patient][:LINES],
        "refusals": [e for e in entries if not e.permitted][:SIDE],
        "emergencies": [e for e in entries if e.permitted and e.purpose == Purpose.EMERGENCY][
            :SIDE
        ],
    }
    shown = [entry for part in chosen.values() for entry in part]
    studies = named_in_log(actor, {entry.study for entry in shown}, at=at)
    named = own_patients(actor).filter(public_id__in={entry.patient for entry in shown})
    patients = {patient.public_id: patient for patient in named}
    return {
        name: [deeds.doing(entry, studies, patients) for entry in part]
        for name, part in chosen.items()
    }


def _patterns(actor: Actor, at: datetime) -> list[dict[str, Any]]:
    """What stands out in the last two weeks, with the patients' names."""
    reads = reads_of(custodian=actor.organization_code, since=at - timedelta(days=PATTERN_DAYS))
    wanted = sorted({read.patient for read in reads})
    known = {
        patient.public_id: patient
        for some in chunks(wanted)
        for patient in own_patients(actor).filter(public_id__in=some)
    }
    names = {key: (patient.latin, patient.native) for key, patient in known.items()}
    return [
        {
            "who": pattern.name,
            "organization": pattern.organization,
            "at": pattern.at,
            "words": PATTERNS[pattern.kind].format(count=len(pattern.patients)),
            "patient": known.get(pattern.patients[0]) if len(pattern.patients) == 1 else None,
        }
        for pattern in what_stands_out(reads, names)
    ]
