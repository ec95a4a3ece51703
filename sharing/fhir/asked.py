"""A search as its parameters say it: read once, strictly or leniently, and turned to conditions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core import signing
from django.db.models import Q
from django.http import QueryDict

from .errors import SearchInvalid
from .kinds import KINDS, Kind, Sort
from .matching import EVERYTHING, NOTHING, Asking, Given, Param, all_of, any_of, moment
from .words import own_name

MOST, USUAL = 100, 20
"""Resources of one page."""
SUMMARIES = frozenset({"true", "false", "text", "data", "count"})
TOTALS = frozenset({"none", "estimate", "accurate"})
_LAID = frozenset({"_format", "_pretty"})  # read at the door
_PAGES = signing.Signer(salt="sharing.fhir.page")


@dataclass
class Asked:
    """What one search wants."""

    kind: Kind
    conditions: list[Q] = field(default_factory=list)
    said: list[tuple[str, str]] = field(default_factory=list)
    """The parameters that were used, for the link `self`."""
    count: int = USUAL
    summary: str = "false"
    elements: tuple[str, ...] = ()
    total: str = "accurate"
    includes: list[str] = field(default_factory=list)
    sort: Sort | None = None
    after: list[Any] | None = None


def asked(asking: Asking, kind: Kind, given: QueryDict, *, strict: bool) -> Asked:
    """Raises SearchInvalid; an unknown parameter only where `strict`."""
    made = Asked(kind, sort=kind.default_sort)
    for name, values in given.lists():
        for value in values:
            if name in _LAID or value == "":
                continue
            if _taken(asking, made, name, value):
                made.said.append((name, value))
            elif strict:
                raise SearchInvalid()
    return made


def _taken(asking: Asking, made: Asked, name: str, value: str) -> bool:
    """Whether the parameter is one of ours."""
    if name in _RESULTS:
        _RESULTS[name](made, value)
        return True
    if name.startswith(("_include", "_revinclude")):
        return _include(made, name, value)
    condition = condition_of(asking, made.kind, name, value)
    if condition is None:
        return False
    made.conditions.append(condition)
    return True


def condition_of(asking: Asking, kind: Kind, name: str, value: str) -> Q | None:
    """The condition that one parameter makes; None for one that the kind doesn't have."""
    head, point, rest = name.partition(".")
    bare, _, modifier = head.partition(":")
    param = common(kind).get(bare) or kind.params.get(bare)
    if param is None:
        return None
    if point:
        return _chained(asking, param, modifier, rest, value)
    if modifier == "missing":
        return _missing(param, value)
    if modifier and modifier not in param.modifiers:
        raise SearchInvalid()
    found = any_of([param.match(asking, Given(one, modifier)) for one in _split(value)])
    return ~found if modifier == "not" else found


def common(kind: Kind) -> dict[str, Param]:
    """What every type is searched by."""

    def by_id(asking: Asking, given: Given) -> Q:
        name = own_name(given.text)
        return Q(**{kind.key: name}) if name else NOTHING

    found = {"_id": Param("token", by_id)}
    changed = kind.sorts.get("_lastUpdated")
    return found | ({"_lastUpdated": moment(changed.column)} if changed else {})


def _missing(param: Param, value: str) -> Q:
    if value not in ("true", "false"):
        raise SearchInvalid()
    return ~param.present if value == "true" else param.present


def _chained(asking: Asking, param: Param, modifier: str, rest: str, value: str) -> Q:
    """`patient.identifier`: of the resources that the asker may know of, those that fit."""
    target = KINDS.get(param.target)
    if target is None or modifier not in ("", param.target):
        raise SearchInvalid()
    condition = condition_of(asking, target, rest, value)
    if condition is None:
        raise SearchInvalid()
    rows = target.rows(asking).filter(condition).order_by().values("pk")
    return Q(**{f"{param.path}__in": rows})


def _split(value: str) -> Iterable[str]:
    """The alternatives: parted by commas, unless a backslash stands before one."""
    parts: list[str] = []
    part, escaped = "", False
    for letter in value:
        if escaped or letter not in ",\\":
            part, escaped = part + letter, False
        elif letter == "\\":
            escaped = True
        else:
            parts, part = [*parts, part], ""
    return [each for each in (*parts, part) if each]


def _include(made: Asked, name: str, value: str) -> bool:
    """`ImagingStudy:patient`, `ImagingStudy:patient:Patient` or `*`."""
    if name not in ("_include", "_include:iterate"):
        return False
    if value == "*":
        made.includes += list(made.kind.includes)
        return True
    source, _, rest = value.partition(":")
    param, _, kind = rest.partition(":")
    include = made.kind.includes.get(param)
    if source != made.kind.name or include is None or kind not in ("", include.kind):
        return False
    made.includes.append(param)
    return True


def _count(made: Asked, value: str) -> None:
    if not value.isascii() or not value.isdecimal() or len(value) > 9:
        raise SearchInvalid()
    made.count = min(int(value), MOST)
    if made.count == 0:
        made.summary = "count"


def _summary(made: Asked, value: str) -> None:
    made.summary = _one_of(value, SUMMARIES)


def _total(made: Asked, value: str) -> None:
    made.total = _one_of(value, TOTALS)


def _elements(made: Asked, value: str) -> None:
    made.elements = tuple(part.strip() for part in value.split(",") if part.strip())


def _sort(made: Asked, value: str) -> None:
    name = value.removeprefix("-")
    found = made.kind.sorts.get(name)
    if found is None:
        raise SearchInvalid()
    made.sort = Sort(found.column, falling=value.startswith("-"))


def _page(made: Asked, value: str) -> None:
    try:
        made.after = _PAGES.unsign_object(value)
    except signing.BadSignature:
        raise SearchInvalid() from None


_RESULTS = {
    "_count": _count,
    "_summary": _summary,
    "_total": _total,
    "_elements": _elements,
    "_sort": _sort,
    "_page": _page,
}


def _one_of(value: str, known: frozenset[str]) -> str:
    if value not in known:
        raise SearchInvalid()
    return value


def matched(made: Asked) -> Q:
    """All its conditions."""
    return all_of(made.conditions)


def order_of(made: Asked) -> list[str]:
    """The columns that a page is ordered by; the last one is the row's own name."""
    falling = "-" if made.sort and made.sort.falling else ""
    return [*([f"{falling}{made.sort.column}"] if made.sort else []), made.kind.key]


def beyond(made: Asked) -> Q:
    """What comes after the last row of the page before."""
    if made.after is None:
        return EVERYTHING
    name = made.after[-1]
    if made.sort is None or len(made.after) == 1:
        return Q(**{f"{made.kind.key}__gt": name})
    column, value = made.sort.column, made.after[0]
    step = "lt" if made.sort.falling else "gt"
    same = Q(**{column: value, f"{made.kind.key}__gt": name})
    return Q(**{f"{column}__{step}": value}) | same


def cursor_of(made: Asked, row: Any) -> str:
    """Where the next page begins: by values of a row that the asker saw."""
    values: Sequence[Any] = [made.kind.names(row)]
    if made.sort:
        value = getattr(row, made.sort.column)
        values = [value.isoformat() if hasattr(value, "isoformat") else value, *values]
    return _PAGES.sign_object(list(values))
