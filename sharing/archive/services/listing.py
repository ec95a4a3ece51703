"""The list of studies in sight: what narrows it, its order, and the counts beside it."""

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import reduce
from operator import or_

from django.db.models import Count, F, OrderBy, Q, QuerySet

from sharing.access.services import decide_many
from sharing.archive.models import Study, StudyQuerySet
from sharing.kernel.purposes import Action
from sharing.tenants.rules import Actor

from .finding import NEWEST, find_studies
from .lookup import fitting
from .remembering import unopened
from .sight import OneOfKeys, in_sight

SOON = timedelta(days=14)
LOOKED_AT = 200
"""Of the newest studies that others hold, so many are asked whether access ends soon."""
MOST_COUNTED = 10_000
"""Whoever has more narrows the list before a number says anything; counting 200,000 takes longer
than the page around it."""
PERIODS = ("month", "year", "older")


@dataclass(frozen=True)
class Criteria:
    """What a list of studies is narrowed by: OR within a facet, AND between them."""

    query: str = ""
    modalities: tuple[str, ...] = ()
    custodians: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    periods: tuple[str, ...] = ()
    shared: bool = False
    own: bool = False
    unopened: bool = False
    ending: bool = False
    sort: str = "-date"

    @property
    def by_facets(self) -> bool:
        """Whether choices of the facets narrow the list further than the facets count."""
        return bool(self.modalities or self.custodians or self.regions or self.periods)


@dataclass
class Facets:
    """Counts over what the actor may see, and never over more.

    `since`: the newest studies back to this day were counted, about `MOST_COUNTED`; there are older
    ones. None where all were.
    """

    since: date | None = None
    modalities: Counter[str] = field(default_factory=Counter)
    custodians: Counter[tuple[str, str]] = field(default_factory=Counter)
    regions: Counter[str] = field(default_factory=Counter)
    periods: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        """All that was counted: each study has one custodian."""
        return self.custodians.total()


SORTS: dict[str, tuple[str | OrderBy, ...]] = {
    "-date": NEWEST,
    "date": (F("study_date").asc(nulls_last=True), "pk"),
    "patient": ("patient__search_key", "-study_date", "-pk"),
    "-patient": ("-patient__search_key", "-study_date", "-pk"),
}
BY_PATIENT = ("patient", "-patient")


def looked_up(actor: Actor, criteria: Criteria, *, at: datetime) -> tuple[Criteria, StudyQuerySet]:
    """What is left to narrow, and `inside` of it, for who asks for more than one list of it.

    What was typed is looked up once, where it finds no more than are counted: a name among 200,000
    takes as long as the rest of a page.
    """
    inside = in_sight(actor, at)
    if not criteria.query:
        return criteria, inside
    found = fitting(inside, criteria.query).values_list("pk", flat=True)
    keys = list(found[: MOST_COUNTED + 1])
    if len(keys) > MOST_COUNTED:
        return criteria, inside
    return replace(criteria, query=""), Study.objects.filter(Q(OneOfKeys(keys)))


def browse(
    actor: Actor, criteria: Criteria, *, at: datetime, inside: StudyQuerySet | None = None
) -> QuerySet[Study]:
    """The studies that fit, in the asked order; page it, then `show` the page.

    `inside`: what `looked_up` gave, for who asks for more than one list.
    """
    found = _narrowed(actor, criteria, at, inside)
    for column, wanted in (("modalities", criteria.modalities), ("body_regions", criteria.regions)):
        if wanted:
            found = found.filter(
                reduce(or_, (Q(**{f"{column}__contains": f"|{w}|"}) for w in wanted))
            )
    if criteria.custodians:
        found = found.filter(organization__code__in=criteria.custodians)
    if criteria.periods:
        found = found.filter(reduce(or_, (_within(each, at.date()) for each in criteria.periods)))
    if criteria.sort in BY_PATIENT:
        # A study's patient is always of its own custodian. Said here, the order of names is an
        # index's (`patients_by_name`); else 200,000 are sorted for one page.
        found = found.filter(patient__organization_id=F("organization_id"))
    return found.order_by(*SORTS.get(criteria.sort, SORTS["-date"]))


def counted(found: QuerySet[Study]) -> tuple[int, bool]:
    """How many they are, `MOST_COUNTED` at most, and whether they are more."""
    count = found.order_by()[: MOST_COUNTED + 1].count()
    return min(count, MOST_COUNTED), count > MOST_COUNTED


def facets(
    actor: Actor, criteria: Criteria, *, at: datetime, inside: StudyQuerySet | None = None
) -> Facets:
    """How many studies each choice has, before the choices of the facets narrow the list."""
    counts = {each: Count("pk", filter=_within(each, at.date())) for each in PERIODS}
    narrowed = _narrowed(actor, criteria, at, inside)
    # What somebody typed finds few, and finding it twice takes longer than counting all of it.
    since = None if criteria.query else _day_of_the_last_counted(narrowed)
    if since:
        narrowed = narrowed.filter(day__gte=since)
    rows = (
        narrowed.order_by()
        .values_list("modalities", "body_regions", "organization__code", "organization__name")
        .annotate(count=Count("pk"), **counts)
    )
    found = Facets(since=since)
    for modalities, regions, code, name, count, *periods in rows:
        found.custodians[code, name] += count
        found.periods.update(dict(zip(PERIODS, periods, strict=True)))
        for column, counter in ((modalities, found.modalities), (regions, found.regions)):
            counter.update({word: count for word in column.split("|") if word})
    return found


def ending_soon(
    actor: Actor, *, at: datetime, inside: StudyQuerySet | None = None
) -> list[tuple[Study, datetime]]:
    """The newest studies of others whose ground ends within a fortnight, with when."""
    seen = find_studies(actor, at=at, inside=inside)
    others = list(seen.exclude(organization_id=actor.organization_id)[:LOOKED_AT])
    decided = decide_many(actor, Action.DISCOVER, [each.subject for each in others], at=at)
    untils = (
        (study, decision.basis.until) for study, decision in zip(others, decided, strict=True)
    )
    return [(study, until) for study, until in untils if until is not None and until - at < SOON]


def _day_of_the_last_counted(found: QuerySet[Study]) -> date | None:
    """Of the newest that are counted, where there are more than those."""
    days = found.order_by(*NEWEST).values_list("day", flat=True)
    return next(iter(days[MOST_COUNTED : MOST_COUNTED + 1]), None)


def _within(period: str, today: date) -> Q:
    month, year = today - timedelta(days=30), today - timedelta(days=365)
    if period == "month":
        return Q(study_date__gte=month)
    return Q(study_date__gte=year) if period == "year" else Q(study_date__lt=year)


def _narrowed(
    actor: Actor, criteria: Criteria, at: datetime, inside: StudyQuerySet | None
) -> QuerySet[Study]:
    found = find_studies(
        actor, at=at, query=criteria.query, shared=criteria.shared, own=criteria.own, inside=inside
    )
    if criteria.unopened:
        found = unopened(found, actor)
    if criteria.ending:
        ending = ending_soon(actor, at=at, inside=inside)
        found = found.filter(pk__in=[study.pk for study, _ in ending])
    return found
