"""Answers of many resources: a page of a search, with what it leads to."""

from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import urlencode

from .asked import Asked, beyond, cursor_of, matched, order_of
from .gate import may
from .kinds import KINDS, Kind
from .matching import Asking
from .versions import versioned
from .words import Json, instant, subset


def searchset(asking: Asking, made: Asked) -> Json:
    """The Bundle of one search: all of it inside what the asker may know of."""
    rows = made.kind.rows(asking).filter(matched(made))
    bundle: Json = {
        "resourceType": "Bundle",
        "type": "searchset",
        "timestamp": instant(asking.at),
    }
    if made.summary == "count":
        return bundle | {"total": rows.count(), "link": [_link(asking, made, "self")]}
    found = list(rows.filter(beyond(made)).order_by(*order_of(made))[: made.count + 1])
    page = found[: made.count]
    more = len(found) > made.count
    if made.total != "none":
        alone = made.after is None and not more
        bundle["total"] = len(found) if alone else rows.count()
    bundle["link"] = _links(asking, made, page[-1] if more else None)
    entries = _entries(asking, made, _allowed(asking, made.kind, page))
    return bundle | ({"entry": entries} if entries else {})


def _allowed(asking: Asking, kind: Kind, page: list[Any]) -> list[Any]:
    return kind.checked(asking, page) if kind.checked else page


def _entries(asking: Asking, made: Asked, page: Sequence[Any]) -> list[Json]:
    told = [_part(made, versioned(one)) for one in made.kind.told(asking, page)]
    entries = [_entry(asking, one, "match") for one in told]
    known = {(one["resourceType"], one["id"]) for one in told}
    for one in _included(asking, made, page):
        if (one["resourceType"], one["id"]) not in known:
            known.add((one["resourceType"], one["id"]))
            entries.append(_entry(asking, one, "include"))
    return entries


def _included(asking: Asking, made: Asked, page: Sequence[Any]) -> Iterable[Json]:
    for param in dict.fromkeys(made.includes):
        include = made.kind.includes[param]
        if not may(asking.actor, include.kind, "r"):
            continue  # a token that may not read it is told of none
        target = KINDS[include.kind]
        names = sorted({name for row in page for name in include.names(row) if name})
        rows = target.rows(asking).filter(**{f"{target.key}__in": names})
        held = _allowed(asking, target, list(rows.order_by(target.key))) if names else []
        yield from (versioned(one) for one in target.told(asking, held))


def _part(made: Asked, resource: Json) -> Json:
    """The part of it that is wanted."""
    kind = made.kind
    if made.elements:
        return subset(resource, {*made.elements, *kind.required})
    if made.summary == "true":
        return subset(resource, {*kind.summary, *kind.required})
    if made.summary == "text":  # no type here has a narrative: what it must have remains
        return subset(resource, kind.required)
    return subset(resource, resource) if made.summary == "data" else resource


def part(kind: Kind, summary: str, elements: Sequence[str], resource: Json) -> Json:
    """The same for one resource that is read."""
    return _part(Asked(kind, summary=summary, elements=tuple(elements)), resource)


def _entry(asking: Asking, resource: Json, mode: str) -> Json:
    url = f"{asking.origin}/fhir/{resource['resourceType']}/{resource['id']}"
    return {"fullUrl": url, "resource": resource, "search": {"mode": mode}}


def _links(asking: Asking, made: Asked, last: Any | None) -> list[Json]:
    first = _link(asking, made, "self")
    if last is None:
        return [first]
    return [first, _link(asking, made, "next", [("_page", cursor_of(made, last))])]


def _link(asking: Asking, made: Asked, relation: str, more: Sequence[tuple[str, str]] = ()) -> Json:
    said = [pair for pair in made.said if not (more and pair[0] == "_page")]
    query = urlencode([*said, *more])
    url = f"{asking.origin}/fhir/{made.kind.name}" + (f"?{query}" if query else "")
    return {"relation": relation, "url": url}


def history(asking: Asking, versions: Sequence[Json]) -> Json:
    """The versions of one resource, the newest first."""
    entries = []
    for one in versions:
        path = f"{one['resourceType']}/{one['id']}"
        version = one["meta"]["versionId"]
        first = one is versions[-1]
        request = {
            "method": "POST" if first else "PUT",
            "url": path.split("/")[0] if first else path,
        }
        etag = {"status": "201" if first else "200", "etag": f'W/"{version}"'}
        entries.append(
            {
                "fullUrl": f"{asking.origin}/fhir/{path}",
                "resource": one,
                "request": request,
                "response": etag | {"lastModified": one["meta"]["lastUpdated"]},
            }
        )
    told = {"resourceType": "Bundle", "type": "history", "timestamp": instant(asking.at)}
    return told | {"total": len(entries), "entry": entries}
