"""What all of /api/v1/ does alike: how often, the same again, unless it changed, only these fields.

A view knows none of it. Uploads are a protocol of their own (tus 1.0) and pass by.
"""

import hashlib
import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.utils import timezone
from django.utils.http import parse_etags

from portal import errors
from sharing.partners import replaying
from sharing.partners.errors import AnswerOver, KeyReused

Handler = Callable[[HttpRequest], HttpResponse]
MOUNT, PASSED_BY = "/api/v1/", ("/api/v1/uploads/", "/api/v1/upload-batches/")
KEY = re.compile(r"[\x21-\x7e]{1,255}")
WINDOW = 60
CHANGES = frozenset({"PUT", "PATCH", "DELETE"})


@dataclass(frozen=True)
class Retired:
    """A route that goes: since when it should not be used, until when it answers, what instead."""

    since: int
    until: str
    instead: str


DEPRECATED: Mapping[str, Retired] = {}
"""By the route's name (`api:studies`); docs/api.md says how long a route lives on."""


class RestConventions:
    """Middleware of the REST face, behind the one that finds the actor."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> HttpResponse:
        """The view's answer, as the conventions have it."""
        if not request.path_info.startswith(MOUNT) or request.path_info.startswith(PASSED_BY):
            return self.get_response(request)
        left = _count(request)
        if left is not None and left.over:
            response = errors.problem(
                request, 429, code="too_many", detail="Too many requests. Wait a little."
            )
        else:
            response = self._answer(request)
        if left is not None:
            left.tell(response)
        return _retired(request, response)

    def _answer(self, request: Any) -> HttpResponse:
        if request.method == "POST" and "Idempotency-Key" in request.headers:
            return self._once(request)
        if request.method in CHANGES and "If-Match" in request.headers:
            return self._unless_changed(request)
        response = self.get_response(request)
        if request.method in ("GET", "HEAD") and _is_json(response):
            return _tagged(request, _narrowed(request, response))
        return response

    def _once(self, request: Any) -> HttpResponse:
        """The first answer again; what is done and its answer are kept in one transaction."""
        key = request.headers["Idempotency-Key"]
        if request.actor is None or not KEY.fullmatch(key):
            detail = "An Idempotency-Key is 1 to 255 visible ASCII signs, of somebody signed in."
            return errors.problem(request, 400, code="bad_key", detail=detail)
        asked = hashlib.sha256(f"{request.path_info}\n".encode() + request.body).hexdigest()
        try:
            with transaction.atomic():
                return self._first_or_again(request, key, asked)
        except (KeyReused, AnswerOver) as error:
            return errors.response_for(request, error)

    def _first_or_again(self, request: Any, key: str, asked: str) -> HttpResponse:
        at = timezone.now()
        kept = replaying.begin(actor=request.actor, key=key, asked=asked, at=at)
        if kept.answer is not None:
            return self._again(request, kept.answer)
        response = self.get_response(request)
        good = response.status_code < 400 and not response.streaming
        answer = self._to_keep(request, response) if good else None
        if answer is not None:
            replaying.keep(kept, answer=answer, key=key)
        else:
            replaying.forget(kept)
        return response

    def _to_keep(self, request: Any, response: HttpResponse) -> dict[str, Any] | None:
        """The answer, and what it is about as the caller sees it; None where nothing was made."""
        answer: dict[str, Any] = _plain(response)
        if not answer["body"]:
            return answer
        about = _about(request.path_info, answer)
        seen = self._seen(request, about)
        return None if seen is None else answer | {"about": about, "seen": seen}

    def _again(self, request: Any, answer: Mapping[str, Any]) -> HttpResponse:
        """The first answer, while what it tells of is as it was. Raises AnswerOver."""
        if answer["body"] and answer.get("seen") != self._seen(request, answer.get("about", MOUNT)):
            raise AnswerOver()
        response = HttpResponse(answer["body"], status=answer["status"], headers=answer["headers"])
        response["Idempotent-Replayed"] = "true"
        return response

    def _seen(self, request: Any, about: str) -> str | None:
        """A mark of what the caller reads there now; None where nothing is ever read."""
        path, match = request.path_info, getattr(request, "resolver_match", None)
        request.path_info = about
        try:
            present = self._present(request)
        finally:
            request.path_info, request.resolver_match = path, match
        if present.status_code == 405:
            return None
        return f"{present.status_code} {_etag(present.content)}"

    def _unless_changed(self, request: Any) -> HttpResponse:
        """412 where it is not any more what the caller saw."""
        wanted = parse_etags(request.headers["If-Match"])
        present = self._present(request)
        if present.status_code >= 400:
            return present
        if "*" not in wanted and _etag(present.content) not in wanted:
            detail = "It has changed since you read it. Read it again."
            return errors.problem(request, 412, code="changed", detail=detail)
        return self.get_response(request)

    def _present(self, request: Any) -> HttpResponse:
        """What a GET answers the same caller now."""
        method, request.method = request.method, "GET"
        query, request.GET = request.GET, request.GET.copy()
        request.GET.pop("fields", None)
        try:
            return self.get_response(request)
        finally:
            request.method, request.GET = method, query


@dataclass(frozen=True)
class _Left:
    """How many requests are left in this minute."""

    limit: int
    used: int
    reset: int

    @property
    def over(self) -> bool:
        """Whether this one is too many."""
        return self.used > self.limit

    def tell(self, response: HttpResponse) -> None:
        """RateLimit headers (draft-ietf-httpapi-ratelimit-headers), and when to come again."""
        remaining = max(self.limit - self.used, 0)
        response["RateLimit-Limit"] = str(self.limit)
        response["RateLimit-Remaining"] = str(remaining)
        response["RateLimit-Reset"] = str(self.reset)
        if self.over:
            response["Retry-After"] = str(self.reset)


def _count(request: Any) -> _Left | None:
    """By who asks, a client or a person; None where nobody is known or nothing is counted."""
    actor, limit = request.actor, settings.REST_REQUESTS_A_MINUTE
    if actor is None or not limit:
        return None
    now = _now()
    name = f"rest:{actor.kind}:{actor.client or actor.id}:{now // WINDOW}"
    cache.add(name, 0, WINDOW * 2)
    try:
        used = cache.incr(name)
    except ValueError:  # it ended between the two
        used = 1
    return _Left(limit, used, WINDOW - now % WINDOW)


def _now() -> int:
    return int(time.time())


def _is_json(response: HttpResponse) -> bool:
    told = response.get("Content-Type", "")
    return response.status_code == 200 and not response.streaming and "json" in told


def _narrowed(request: Any, response: HttpResponse) -> HttpResponse:
    """Only the fields that were asked for, of the thing or of each in the list."""
    asked = request.GET.get("fields", "")
    if not asked or "schema" in request.path_info:
        return response
    names = frozenset(asked.split(","))
    told = json.loads(response.content)
    if isinstance(told, dict) and isinstance(told.get("results"), list):
        told["results"] = [_only(each, names) for each in told["results"]]
    else:
        told = _only(told, names)
    response.content = json.dumps(told).encode()
    return response


def _only(told: Any, names: frozenset[str]) -> Any:
    if not isinstance(told, dict):
        return told
    return {name: value for name, value in told.items() if name in names}


def _etag(content: bytes) -> str:
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def _tagged(request: Any, response: HttpResponse) -> HttpResponse:
    """304 where the caller's copy is still right: asked after the view decided."""
    etag = _etag(response.content)
    known = parse_etags(request.headers.get("If-None-Match", ""))
    if etag in known or "*" in known:
        response = HttpResponseNotModified()
    response["ETag"] = etag
    response.headers.setdefault("Cache-Control", "private, max-age=0, must-revalidate")
    return response


def _plain(response: HttpResponse) -> dict[str, Any]:
    headers = {name: response[name] for name in ("Content-Type", "Location") if name in response}
    return {
        "status": response.status_code,
        "headers": headers,
        "body": response.content.decode(),
    }


def _about(path: str, answer: Mapping[str, Any]) -> str:
    """Where what a POST made, or is about, is read: `/api/v1/shares/ID/`."""
    if "Location" in answer["headers"]:
        return str(answer["headers"]["Location"])
    kind, _, rest = path.removeprefix(MOUNT).partition("/")
    name = rest.partition("/")[0] or json.loads(answer["body"])["id"]
    return f"{MOUNT}{kind}/{name}/"


def _retired(request: Any, response: HttpResponse) -> HttpResponse:
    """Deprecation (RFC 9745) and Sunset (RFC 8594) of routes that go."""
    found = getattr(request, "resolver_match", None)
    told = DEPRECATED.get(found.view_name) if found else None
    if told is not None:
        response["Deprecation"] = f"@{told.since}"
        response["Sunset"] = told.until
        response["Link"] = f'<{told.instead}>; rel="successor-version"'
    return response
