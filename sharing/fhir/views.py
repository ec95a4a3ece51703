"""The interactions: search, read, read a version; and what is written. Four moves each."""

from functools import partial
from typing import Any

from django.http import HttpResponse, HttpResponseBase, QueryDict

from sharing.kernel.errors import Absent, BadValue

from .asked import SUMMARIES, asked
from .bundles import history, part, searchset
from .errors import NotOffered, SearchInvalid
from .gate import (
    View,
    asking_of,
    body_of,
    door,
    is_strict,
    json_response,
    matches,
    resource_response,
    written_response,
)
from .kinds import Kind
from .matching import Asking
from .registry import WRITERS
from .versions import versioned
from .words import Json, own_name


def type_door(kind: Kind) -> View:
    """`/fhir/Type`: search by GET, create where the type is written."""
    search = partial(_search, kind)
    create = {"post": partial(_create, kind)} if "create" in kind.written else {}
    return door(kind.name, {"get": "s", "post": "c"}, get=_named(search, "search"), **create)


def search_door(kind: Kind) -> View:
    """`/fhir/Type/_search`: the same search with its parameters in a form."""
    return door(kind.name, {"post": "s"}, post=_named(partial(_search, kind), "search"))


def instance_door(kind: Kind) -> View:
    """`/fhir/Type/id`: read, and update and delete where the type is written."""
    verbs = {"update": ("put", _update), "delete": ("delete", _delete)}
    written = (verbs[name] for name in kind.written if name in verbs)
    more = {method: partial(verb, kind) for method, verb in written}
    letters = {"put": "u", "delete": "d"}
    return door(kind.name, letters, get=_named(partial(_read, kind), "read"), **more)


def version_door(kind: Kind) -> View:
    """`/fhir/Type/id/_history/version`."""
    return door(kind.name, {}, get=_named(partial(_vread, kind), "vread"))


def history_door(kind: Kind) -> View:
    """`/fhir/Type/id/_history`."""
    return door(kind.name, {}, get=_named(partial(_history, kind), "history"))


def _named(view: Any, name: str) -> Any:
    view.__name__, view.__doc__, view.__module__ = name, name, __name__
    return view


def _search(kind: Kind, request: Any) -> HttpResponseBase:
    asking = asking_of(request)
    given = QueryDict(mutable=True)
    given.update(request.GET)
    if request.method == "POST":
        given.update(request.POST)
    made = asked(asking, kind, given, strict=is_strict(request))
    bundle = searchset(asking, made)
    if kind.search_logged is not None:
        kind.search_logged(asking)
    return json_response(request, bundle)


def _read(kind: Kind, request: Any, resource_id: str) -> HttpResponseBase:
    summary = request.GET.get("_summary", "false")
    if summary not in SUMMARIES - {"count"}:
        raise SearchInvalid()
    elements = [name for name in request.GET.get("_elements", "").split(",") if name]
    resource = versioned(_opened(asking_of(request), kind, resource_id))
    return resource_response(request, part(kind, summary, elements, resource))


def _opened(asking: Asking, kind: Kind, resource_id: str) -> Json:
    """One resource, its read in the log where reads of the type are. Raises Absent."""
    name = own_name(resource_id)
    row = kind.opened(asking, name) if kind.opened else kind.find(asking, name)
    if row is None:
        raise Absent()
    return kind.told(asking, [row])[0]


def _vread(kind: Kind, request: Any, resource_id: str, version: str) -> HttpResponseBase:
    asking = asking_of(request)
    found = _versions(asking, kind, resource_id)
    for one in found:
        if one["meta"]["versionId"] == version:
            return resource_response(request, one)
    raise Absent()


def _versions(asking: Asking, kind: Kind, resource_id: str) -> list[Json]:
    """The newest first; of most types only the present one is kept."""
    writer = WRITERS.get(kind.name)
    if writer is not None and writer.versions is not None:
        return writer.versions(asking, own_name(resource_id))
    return [versioned(_opened(asking, kind, resource_id))]


def _history(kind: Kind, request: Any, resource_id: str) -> HttpResponseBase:
    asking = asking_of(request)
    return json_response(request, history(asking, _versions(asking, kind, resource_id)))


def _create(kind: Kind, request: Any) -> HttpResponseBase:
    asking = asking_of(request)
    if request.headers.get("If-None-Exist"):
        raise NotOffered()
    made = WRITERS[kind.name].create(asking, body_of(request, kind))
    return written_response(request, made, status=201, origin=asking.origin)


def _update(kind: Kind, request: Any, resource_id: str) -> HttpResponseBase:
    asking, body = asking_of(request), body_of(request, kind)
    if body.get("id") != resource_id:
        raise BadValue()
    made = WRITERS[kind.name].update(asking, own_name(resource_id), body, matches(request))
    return written_response(request, made, status=200, origin=asking.origin)


def _delete(kind: Kind, request: Any, resource_id: str) -> HttpResponseBase:
    delete = WRITERS[kind.name].delete
    if delete is None:
        raise NotOffered()
    delete(asking_of(request), own_name(resource_id), matches(request))
    return HttpResponse(status=204)
