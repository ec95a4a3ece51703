"""Who may knock, what the path means, and the headers that every answer of this face carries."""

import hashlib
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, HttpResponseBase, HttpResponseNotModified
from django.utils.http import parse_etags

from sharing.archive.errors import StudyNotFound
from sharing.archive.services.locating import Where
from sharing.kernel.errors import BadValue
from sharing.kernel.uids import SeriesUID, SOPInstanceUID, StudyUID
from sharing.tenants.errors import NoActor
from sharing.tenants.rules import Actor

from .accept import JSON

IN_ONE_PIECE = 2 * 1024 * 1024
"""Bytes up to which an answer is read whole before its first byte leaves."""
_VARY = "Authorization, Cookie, Accept"
View = Callable[..., HttpResponseBase]


def needs(scope: str) -> Callable[[View], View]:
    """Let signed-in people in, and tokens that carry the scope; 401 for strangers, 403 else."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: Any, **path: str) -> HttpResponseBase:
            actor: Actor | None = request.actor
            if actor is None:
                raise NoActor()
            if not actor.carries(scope):
                raise PermissionDenied
            return sealed(view(request, **path))

        return guarded

    return decorate


def sealed(response: HttpResponseBase) -> HttpResponseBase:
    """No shared cache keeps it, and no cache shows it without asking us again."""
    response.headers.setdefault("Cache-Control", "private, max-age=0, must-revalidate")
    response.headers["X-Content-Type-Options"] = "nosniff"
    also = response.headers.get("Vary")
    response.headers["Vary"] = f"{_VARY}, {also}" if also else _VARY
    return response


def where(path: dict[str, str]) -> Where:
    """The path's UIDs, proven; one that is no UID names nothing. Raises StudyNotFound."""
    try:
        return Where(
            study_uid=StudyUID.parse(path["study"]),
            series_uid=SeriesUID.parse(path["series"]) if "series" in path else "",
            sop_uid=SOPInstanceUID.parse(path["instance"]) if "instance" in path else "",
            custodian=path.get("organization", ""),
        )
    except BadValue:
        raise StudyNotFound() from None


def root(organization: str) -> str:
    """The absolute address of one custodian's mount."""
    return f"{settings.PUBLIC_URL}/dicomweb/o/{organization}"


def tag(*parts: object) -> str:
    """A strong entity tag of what decides the bytes of an answer."""
    text = "|".join(str(part) for part in parts)
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def unchanged(request: Any, etag: str) -> HttpResponse | None:
    """304 where the client's copy is still right, 412 where it wants no other than a copy that is
    not (RFC 9110 13.1); asked only after the fence was passed.

    Compared as weak tags are (13.1.2): a proxy that compresses has made ours weak.
    """
    only = request.META.get("HTTP_IF_MATCH")
    if only and not {etag, "*"}.intersection(parse_etags(only)):
        return HttpResponse(status=412)
    given = request.META.get("HTTP_IF_NONE_MATCH")
    known = [one.removeprefix("W/") for one in parse_etags(given)] if given else ()
    if etag not in known and "*" not in known:
        return None
    response = HttpResponseNotModified()
    response["ETag"] = etag
    return response


def json_array(items: Iterable[bytes], etag: str = "") -> HttpResponse:
    """Ready JSON objects as one array (PS3.18 F.2)."""
    response = HttpResponse(b"[" + b",".join(items) + b"]", content_type=JSON)
    if etag:
        response["ETag"] = etag
    return response
