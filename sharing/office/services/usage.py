"""What was used: studies, bytes, people, views and shares, by organization and month."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.db.models import Count, Sum
from django.db.models.functions import TruncMonth

from sharing.archive.models import Instance, Study
from sharing.audit.models import Event
from sharing.audit.rules import UNNAMED_COPY
from sharing.kernel import scope
from sharing.tenants.models import Organization
from sharing.tenants.rules import Actor, Duty
from sharing.tenants.services import organization_to_run, require

VIEWS = ("study.images", "study.report", "study.download", UNNAMED_COPY)
SHARES = ("study.share", "link.make")


@dataclass
class Used:
    """One organization's month."""

    organization: Organization
    month: date
    studies: int = 0
    bytes: int = 0
    people: int = 0
    views: int = 0
    shares: int = 0


@dataclass
class Usage:
    """The months, oldest first, and the rows of each organization for each."""

    months: list[date]
    rows: list[Used] = field(default_factory=list)

    def of(self, organization_id: int) -> list[Used]:
        """One organization's months, oldest first."""
        return [row for row in self.rows if row.organization.pk == organization_id]

    def sums(self, name: str) -> list[int]:
        """All organizations together, by month."""
        by_month: dict[date, int] = defaultdict(int)
        for row in self.rows:
            by_month[row.month] += getattr(row, name)
        return [by_month[month] for month in self.months]


def own_usage(actor: Actor, *, months: int, at: datetime) -> Usage:
    """Of the own organization. Raises NotAllowed."""
    return usage([organization_to_run(actor)], months=months, at=at)


@scope.as_house()  # numbers of all, for who may see none of the rows
def region_usage(actor: Actor, *, months: int, at: datetime) -> Usage:
    """Of all. Raises NotAllowed."""
    require(actor, Duty.SET_REGION)
    rows = Organization.objects.exclude(kind=Organization.Kind.OPERATOR)
    return usage(rows.order_by("name"), months=months, at=at)


def usage(organizations: Iterable[Organization], *, months: int, at: datetime) -> Usage:
    """The last `months` months, the running one included; no row is left out for being empty."""
    named = _months(at, months)
    by_key = {(each.pk, month): Used(each, month) for each in organizations for month in named}
    codes = {used.organization.code: used.organization.pk for used in by_key.values()}
    since = datetime(named[0].year, named[0].month, 1, tzinfo=at.tzinfo)
    _count_received(by_key, set(codes.values()), since)
    _count_events(by_key, codes, since)
    return Usage(named, list(by_key.values()))


Keyed = dict[tuple[int, date], Used]


def _count_received(found: Keyed, keys: set[int], since: datetime) -> None:
    studies = Study.objects.filter(organization_id__in=keys, received_at__gte=since)
    images = Instance.objects.filter(organization_id__in=keys, received_at__gte=since)
    for name, rows, sums in (
        ("studies", studies, Count("pk")),
        ("bytes", images, Sum("length")),
    ):
        told = rows.annotate(month=TruncMonth("received_at")).values_list(
            "organization_id", "month"
        )
        for pk, month, value in told.annotate(value=sums).order_by():
            setattr(found[pk, month.date()], name, value or 0)


def _count_events(found: Keyed, codes: dict[str, int], since: datetime) -> None:
    events = Event.objects.filter(organization__in=codes, at__gte=since, permitted=True)
    monthly = events.annotate(month=TruncMonth("at"))
    for name, actions in (("views", VIEWS), ("shares", SHARES)):
        rows = monthly.filter(action__in=actions).values_list("organization", "month")
        for code, month, value in rows.annotate(value=Count("pk")).order_by():
            setattr(found[codes[code], month.date()], name, value)
    people = monthly.filter(actor_kind="user").values_list("organization", "month")
    for code, month, value in people.annotate(value=Count("actor_id", distinct=True)).order_by():
        found[codes[code], month.date()].people = value


def _months(at: datetime, count: int) -> list[date]:
    """The first days of the last months, oldest first."""
    here, found = date(at.year, at.month, 1), []
    for _ in range(count):
        found.append(here)
        here = (here - timedelta(days=1)).replace(day=1)
    return found[::-1]
