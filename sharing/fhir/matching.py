"""Search parameters: one value as a condition on rows (FHIR R4 search, 3.1.1.4)."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import reduce
from operator import and_, or_
from typing import Any

from django.db.models import Q, QuerySet

from sharing.tenants.rules import Actor

from .errors import SearchInvalid
from .words import own_name

EVERYTHING = ~Q(pk__in=[])
NOTHING = Q(pk__in=[])


@dataclass(frozen=True)
class Asking:
    """Who asks, when, by which request, at which address."""

    actor: Actor
    at: datetime
    request_id: str
    origin: str


@dataclass(frozen=True)
class Given:
    """One alternative of a parameter's value, with its modifier."""

    text: str
    modifier: str = ""

    def token(self) -> tuple[str | None, str]:
        """(system, code) of a token; None where no system was named."""
        system, bar, code = self.text.partition("|")
        return (system, code) if bar else (None, self.text)

    def target(self, kind: str) -> str:
        """The name of ours in a reference to that kind: `Patient/x`, `x` or an absolute address."""
        found = re.fullmatch(rf"(?:https?://[^|]+/fhir/)?(?:{kind}/)?([^/|]+)", self.text)
        return own_name(found[1]) if found else ""


Match = Callable[[Asking, Given], Q]


@dataclass(frozen=True)
class Param:
    """A search parameter. `target` is the kind that a reference leads to, `path` the way there."""

    type: str
    match: Match
    present: Q = field(default_factory=lambda: EVERYTHING)
    modifiers: frozenset[str] = frozenset()
    target: str = ""
    path: str = ""


def token(match: Match, **more: Any) -> Param:
    """A code, with or without its system."""
    return Param("token", match, modifiers=frozenset({"not"}), **more)


def text(*columns: str) -> Param:
    """Words of a folded column, from the beginning of a word on."""

    def match(asking: Asking, given: Given) -> Q:
        return reduce(or_, (_words(column, given) for column in columns))

    return Param("string", match, modifiers=frozenset({"exact", "contains"}))


def _words(column: str, given: Given) -> Q:
    if given.modifier == "exact":
        return Q(**{column: given.text})
    if given.modifier == "contains":
        return Q(**{f"{column}__icontains": given.text})
    return Q(**{f"{column}__istartswith": given.text}) | Q(
        **{f"{column}__icontains": f" {given.text}"}
    )


def ref(target: str, path: str, column: str) -> Param:
    """A reference along `path` to the row whose `column` is its name."""

    def match(asking: Asking, given: Given) -> Q:
        name = given.target(target)
        return Q(**{f"{path}__{column}": name}) if name else NOTHING

    modifiers = frozenset({target})
    return Param("reference", match, modifiers=modifiers, target=target, path=path)


def unheld(kind: str) -> Param:
    """A parameter of R4 of which the archive holds nothing: no resource fits."""
    return Param(kind, lambda asking, given: NOTHING, present=NOTHING)


def day(column: str) -> Param:
    """A column that holds a date, or none."""
    held = Q(**{f"{column}__isnull": False})
    return Param("date", lambda asking, given: _span(column, given.text, moment=False), held)


def moment(column: str) -> Param:
    """A column that holds a moment."""
    return Param("date", lambda asking, given: _span(column, given.text, moment=True))


def period(first: str, last: str) -> Param:
    """A time between two columns; one without an end goes on."""

    def match(asking: Asking, given: Given) -> Q:
        prefix, begin, end = _parsed(given.text)
        starts_after, ends_before = Q(**{f"{first}__gte": end}), Q(**{f"{last}__lte": begin})
        goes_on = Q(**{f"{last}__isnull": True})
        overlaps = ~starts_after & (goes_on | Q(**{f"{last}__gt": begin}))
        within = Q(**{f"{first}__gte": begin, f"{last}__lte": end})
        return {
            "eq": within,
            "ne": ~Q(**{f"{first}__gte": begin}) | goes_on | Q(**{f"{last}__gt": end}),
            "gt": goes_on | Q(**{f"{last}__gt": end}),
            "ge": goes_on | Q(**{f"{last}__gt": end}) | within,
            "lt": Q(**{f"{first}__lt": begin}),
            "le": Q(**{f"{first}__lt": begin}) | within,
            "sa": starts_after,
            "eb": ends_before,
        }.get(prefix, overlaps)

    return Param("date", match)


_DATE = re.compile(
    r"(?P<prefix>eq|ne|gt|lt|ge|le|sa|eb|ap)?(?P<year>\d{4})(-(?P<month>\d\d)(-(?P<day>\d\d)"
    r"(T(?P<time>\d\d:\d\d(:\d\d(\.\d{1,6})?)?)(?P<zone>Z|[+-]\d\d:\d\d)?)?)?)?"
)


def _span(column: str, value: str, *, moment: bool) -> Q:
    prefix, first, end = _parsed(value)
    if not moment:  # a day has no time: what names one means that day
        first, end = first.date(), _day_after(end)  # type: ignore[assignment]
    low, high = Q(**{f"{column}__gte": first}), Q(**{f"{column}__lt": end})
    return {
        "ne": Q(**{f"{column}__lt": first}) | Q(**{f"{column}__gte": end}),
        "gt": Q(**{f"{column}__gte": end}),
        "sa": Q(**{f"{column}__gte": end}),
        "lt": Q(**{f"{column}__lt": first}),
        "eb": Q(**{f"{column}__lt": first}),
        "ge": low,
        "le": high,
    }.get(prefix, low & high)


def _parsed(value: str) -> tuple[str, datetime, datetime]:
    """The comparison, and the moments between which the value lies. Raises SearchInvalid."""
    found = _DATE.fullmatch(value)
    if found is None:
        raise SearchInvalid()
    try:
        return found["prefix"] or "eq", *_bounds(found)
    except (ValueError, OverflowError):
        raise SearchInvalid() from None


def _bounds(found: re.Match[str]) -> tuple[datetime, datetime]:
    year, month, dayno = (int(found[name] or 1) for name in ("year", "month", "day"))
    first = datetime(year, month, dayno, tzinfo=UTC)
    if found["time"]:
        return _minute_or_second(found)
    if found["day"]:
        return first, first + timedelta(days=1)
    if found["month"]:
        return first, (first.replace(day=28) + timedelta(days=4)).replace(day=1)
    return first, first.replace(year=year + 1)


def _minute_or_second(found: re.Match[str]) -> tuple[datetime, datetime]:
    stamp = f"{found['year']}-{found['month']}-{found['day']}T{found['time']}"
    first = datetime.fromisoformat(stamp + (found["zone"] or "Z")).astimezone(UTC)
    sizes = {5: timedelta(minutes=1), 8: timedelta(seconds=1)}
    return first, first + sizes.get(len(found["time"]), timedelta(milliseconds=1))


def _day_after(end: datetime) -> date:
    last = (end - timedelta(microseconds=1)).date()
    return last + timedelta(days=1)


def all_of(conditions: Sequence[Q]) -> Q:
    """All of them hold."""
    return reduce(and_, conditions, EVERYTHING)


def any_of(conditions: Sequence[Q]) -> Q:
    """One of them holds."""
    return reduce(or_, conditions, NOTHING)


def inside(rows: QuerySet[Any], **condition: Any) -> Q:
    """Rows of which something further down fits, without repeating them."""
    return Q(pk__in=rows.filter(**condition).order_by().values("pk"))
