"""The short way of machines: what serves browsers only is not passed when a token speaks.

A viewer or a PACS reads images by the hundred each second, and Django's chain of middleware,
signals and routes takes longer than an image. The order of things is the same: a host name that is
ours, an actor, a view, a domain error's answer; and so are the answers, to the last header.
"""

import secrets
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

import structlog
from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.core.handlers.exception import convert_exception_to_response
from django.core.handlers.wsgi import (
    LimitedStream,
    WSGIRequest,
    get_path_info,
)
from django.db import connections
from django.http import HttpRequest, HttpResponse
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.security import SecurityMiddleware
from django.urls import URLPattern

from portal import errors
from portal.middleware import REQUEST_ID, RequestActor, SecurityHeaders, bearer_token
from sharing.dicomweb import urls
from sharing.kernel.errors import DomainError

Environ = dict[str, Any]
Start = Callable[..., Any]
Application = Callable[[Environ, Start], Iterable[bytes]]
Found = tuple[Callable[..., Any], dict[str, str]]
MOUNT = "/dicomweb/"


class MachineRequest(WSGIRequest):
    """A request by its environ alone; what a form, a cookie or a file would need is not made."""

    _stream: Any
    _set_content_type_params: Callable[[Environ], None]

    def __init__(self, environ: Environ, path: str) -> None:
        self.environ = self.META = environ
        self.path_info = path
        self.path = environ.get("SCRIPT_NAME", "").rstrip("/") + path
        self.method = environ["REQUEST_METHOD"].upper()
        self.resolver_match = None
        self._set_content_type_params(environ)
        length = environ.get("CONTENT_LENGTH") or "0"
        self._stream = LimitedStream(
            environ["wsgi.input"], int(length) if length.isdecimal() else 0
        )
        self._read_started = False


class Machines:
    """WSGI: requests with a token at the DICOMweb mount; all others go on to Django's own chain."""

    def __init__(self, others: Application) -> None:
        self.others = others
        self.answered: Callable[..., Any] = convert_exception_to_response(RequestActor(_view))

    def __call__(self, environ: Environ, start: Start) -> Iterable[bytes]:
        """As WSGI says (PEP 3333)."""
        path = get_path_info(environ)
        if not path.startswith(MOUNT) or not environ.get("HTTP_AUTHORIZATION"):
            return self.others(environ, start)
        request = MachineRequest(environ, path)
        found = _route(path[len(MOUNT) :])
        is_form = request.content_type == "multipart/form-data"
        if found is None or is_form or bearer_token(request) is None or not _is_ours(request):
            return self.others(environ, start)
        return self._answer(request, found, start)

    def _answer(self, request: Any, found: Found, start: Start) -> Iterable[bytes]:
        request.route = found
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        request.request_id = given if REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request.request_id)
        response = self.answered(request)
        headers = _headers(request, response)
        start(f"{response.status_code} {response.reason_phrase}", headers)
        if response.streaming:
            streamed: Iterable[bytes] = response  # its end hands the connection back
            return streamed
        hand_back()
        return [response.content]


def hand_back() -> None:
    """To the pool, or away where it broke: what Django does at the end of each request."""
    connections["default"].close_if_unusable_or_obsolete()


def _view(request: Any) -> HttpResponse:
    view, where = request.route
    try:
        answer: HttpResponse = view(request, **where)
    except DomainError as error:
        return errors.response_for(request, error)
    return errors.told(request, answer)


def _headers(request: Any, response: Any) -> list[tuple[str, str]]:
    """The answer's own, then what every answer carries."""
    made = list(response.headers.items())
    own = {name for name, _ in made}
    if not response.streaming and "Content-Length" not in own:
        made.append(("Content-Length", str(len(response.content))))
    made.append(("X-Request-ID", request.request_id))
    if "Cache-Control" not in own and request.actor is not None:
        made.append(("Cache-Control", "private, no-store"))
    made += [pair for pair in _fixed(request.is_secure()) if pair[0] not in own]
    return made


@lru_cache(maxsize=2)
def _fixed(secure: bool) -> tuple[tuple[str, str], ...]:
    """What the middleware of all other requests puts on an answer of ours, asked of itself."""
    request: Any = HttpRequest()
    request.actor = None
    request._get_scheme = lambda: "https" if secure else "http"
    if header := settings.SECURE_PROXY_SSL_HEADER:
        request.META[header[0]] = header[1] if secure else ""
    frames: Any = XFrameOptionsMiddleware(lambda _: HttpResponse())
    response: Any = SecurityMiddleware(SecurityHeaders(frames))(request)
    return tuple(pair for pair in response.items() if pair[0] != "Content-Type")


def _is_ours(request: Any) -> bool:
    """Whether it names one of our hosts; a strange one is the long way's to refuse."""
    told = (request.META.get(name) for name in _NAMED_BY)
    return _may_name(tuple(told), tuple(settings.ALLOWED_HOSTS))


_NAMED_BY = ("HTTP_HOST", "HTTP_X_FORWARDED_HOST", "SERVER_NAME", "SERVER_PORT")


@lru_cache(maxsize=64)
def _may_name(told: tuple[str | None, ...], allowed: tuple[str, ...]) -> bool:
    """As Django says of such headers; `allowed` is what that depends on."""
    request = HttpRequest()
    pairs = zip(_NAMED_BY, told, strict=True)
    request.META = {name: value for name, value in pairs if value is not None}
    try:
        request.get_host()
    except DisallowedHost:
        return False
    return True


def _route(path: str) -> Found | None:
    """The view and the parts of the path, as Django's resolver finds them; None: ask that.

    The standard's paths are words and names in turn, so the words alone say which one it is.
    """
    words = path.split("/")
    where: dict[str, str] = {}
    if words[0] == "o" and len(words) > 2 and words[1].replace("-", "").isalnum():
        where["organization"] = words[1]
        words = words[2:]
    found = _routes().get((len(words), *words[::2]))
    names = words[1::2]
    if found is None or not all(names):
        return None
    where |= zip(found[1], names, strict=True)
    return found[0], where


@lru_cache(maxsize=1)
def _routes() -> Mapping[tuple[Any, ...], tuple[Callable[..., Any], tuple[str, ...]]]:
    """Those of the face's routes in which words and names take turns."""
    made = {}
    for one in urls.urlpatterns:
        if isinstance(one, URLPattern) and "<path:" not in str(one.pattern):
            parts = str(one.pattern).split("/")
            names = tuple(part[len("<str:") : -1] for part in parts[1::2])
            if all(part.startswith("<str:") for part in parts[1::2]):
                made[(len(parts), *parts[::2])] = (one.callback, names)
    return made
