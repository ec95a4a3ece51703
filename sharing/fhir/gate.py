"""Who may knock, in which format, how strictly; and the headers of every answer."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import wraps
from typing import Any

import orjson
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, HttpResponseBase, HttpResponseNotModified
from django.utils import http, timezone

from sharing.partners.rules import allows
from sharing.tenants.errors import NoActor
from sharing.tenants.rules import Actor

from .errors import BodyUnreadable, FormatUnknown, NotOffered
from .kinds import Kind
from .matching import Asking
from .versions import etag_of
from .words import Json

JSON = "application/fhir+json"
_FORMATS = frozenset({"json", "application/json", JSON, "text/json"})
_WILD = frozenset({"*/*", "application/*", "text/html", "text/*"})  # a browser's address bar
_TAG = re.compile(r'(?:W/)?"([^"]*)"')
MOST_BYTES = 32 * 1024 * 1024
"""Of a body: a signed form of 20 MB in Base64 fits."""
View = Callable[..., HttpResponseBase]


def door(about: str, letters: Mapping[str, str], **methods: View) -> View:
    """A route: 401 for strangers, 403 for a token without the scope, 405 for other methods.

    `letters`: which of SMART's letters a method asks for, of the resource that it is about.
    """

    def guarded(request: Any, **path: Any) -> HttpResponseBase:
        actor: Actor | None = request.actor
        if actor is None:
            raise NoActor()
        method = "get" if request.method == "HEAD" else request.method.lower()
        if not may(actor, about, letters.get(method, "r")):
            raise PermissionDenied
        view = methods.get(method)
        if view is None:
            raise NotOffered()
        _acceptable(request)
        return view(request, **path)

    return wraps(next(iter(methods.values())))(guarded)


def may(actor: Actor, about: str, letter: str) -> bool:
    """Whether a session speaks, or a token with a scope for that letter of the resource.

    A suspended organization's machine is told nothing.
    """
    return actor.active and (not actor.by_token or allows(actor.scopes, about, letter))


def asking_of(request: Any) -> Asking:
    """Who asks, and when."""
    return Asking(request.actor, timezone.now(), request.request_id, settings.PUBLIC_URL)


def is_strict(request: Any) -> bool:
    """`Prefer: handling=strict`; lenient where nothing is said (FHIR R4 3.1.1.1)."""
    return _preferred(request, "handling") == "strict"


def _preferred(request: Any, name: str) -> str:
    for part in request.headers.get("Prefer", "").replace(";", ",").split(","):
        key, _, value = part.strip().partition("=")
        if key.lower() == name:
            return value.strip('" ').lower()
    return ""


def _acceptable(request: Any) -> None:
    """FHIR R4 as JSON; `_format` speaks before the header."""
    named = request.GET.get("_format")
    wanted = named.replace(" ", "+") if named else request.headers.get("Accept", "*/*")
    for each in wanted.split(","):
        kind, *parameters = (part.strip().lower() for part in each.split(";"))
        version = next((p for p in parameters if p.startswith("fhirversion=")), "")
        if (kind in _FORMATS or kind in _WILD or not kind) and version in ("", "fhirversion=4.0"):
            return
    raise FormatUnknown()


def body_of(request: Any, kind: Kind) -> Json:
    """The resource that was sent. Raises BodyUnreadable."""
    content = (request.content_type or "").lower()
    length = request.META.get("CONTENT_LENGTH") or "0"
    if content not in _FORMATS or not length.isdecimal() or int(length) > MOST_BYTES:
        raise BodyUnreadable()
    try:
        made = orjson.loads(request.read(MOST_BYTES))
    except orjson.JSONDecodeError:
        raise BodyUnreadable() from None
    if not isinstance(made, dict) or made.get("resourceType") != kind.name:
        raise BodyUnreadable()
    return made


def matches(request: Any) -> str:
    """The version in If-Match; blank where none is."""
    found = _TAG.fullmatch(request.headers.get("If-Match", "").strip())
    return found[1] if found else ""


def resource_response(request: Any, resource: Json) -> HttpResponse:
    """One resource with its ETag; 304 where the asker has it. Asked only after the fence."""
    etag = etag_of(resource)
    known = _TAG.findall(request.headers.get("If-None-Match", ""))
    if resource["meta"]["versionId"] in known:
        return _sealed(HttpResponseNotModified(), etag)
    return _sealed(json_response(request, resource), etag)


def written_response(request: Any, resource: Json, *, status: int, origin: str) -> HttpResponse:
    """What a create or an update answers: the resource, or as little as was preferred."""
    wish = _preferred(request, "return")
    body: Json | None = resource
    if wish == "minimal":
        body = None
    elif wish == "operationoutcome":
        body = _done()
    made = json_response(request, body, status=status)
    path = f"{origin}/fhir/{resource['resourceType']}/{resource['id']}"
    made["Location"] = f"{path}/_history/{resource['meta']['versionId']}"
    made["Last-Modified"] = http_date(resource)
    return _sealed(made, etag_of(resource))


def _done() -> Json:
    issue = {"severity": "information", "code": "informational", "diagnostics": "Kept."}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def http_date(resource: Json) -> str:
    """The moment of the last change as HTTP writes it."""
    at = datetime.fromisoformat(resource["meta"]["lastUpdated"].replace("Z", "+00:00"))
    return http.http_date(at.timestamp())


def json_response(request: Any, body: Json | None, *, status: int = 200) -> HttpResponse:
    """JSON, indented where `_pretty=true` asks for it."""
    pretty = request.GET.get("_pretty") == "true"
    option = orjson.OPT_INDENT_2 if pretty else 0
    content = b"" if body is None else orjson.dumps(body, option=option)
    return HttpResponse(content, status=status, content_type=f"{JSON}; charset=utf-8")


def _sealed(response: HttpResponse, etag: str) -> HttpResponse:
    """No shared cache keeps it, and no cache shows it without asking us again."""
    response["ETag"] = etag
    response["Cache-Control"] = "private, max-age=0, must-revalidate"
    response["Vary"] = "Authorization, Cookie, Accept"
    return response
