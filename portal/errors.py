"""Domain error -> HTTP: the only place where a code of the domain meets a status.

Not visible and not existing are one answer, made by `absent()` alone: same body, same headers.
What the answer looks like depends on the mount the caller knocked at, never on the cause.
"""

import errno
import re
import sys

import redis
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.views import redirect_to_login
from django.db import DatabaseError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import resolve_url
from django.template.loader import render_to_string

from portal import rowlevel
from sharing.blobs import stop_writing
from sharing.kernel.errors import DomainError

STATUS: dict[str, int] = {
    # kernel
    "refused": 409,
    "absent": 404,
    "bad_value": 400,
    "not_now": 409,
    "address_refused": 422,
    "not_reached": 503,
    # tenants
    "no_actor": 401,
    "not_allowed": 404,  # a page that a role does not have is, for that role, not there
    "link_invalid": 404,
    "taken": 409,
    "last_administrator": 409,
    "token_invalid": 401,
    "sign_in_refused": 403,
    "settings_invalid": 422,
    "reason_missing": 422,
    "profile_invalid": 422,
    "signature_missing": 422,
    "agreement_invalid": 422,
    # partners
    "client_invalid": 422,
    "assertion_refused": 401,
    "key_reused": 422,
    "answer_over": 409,
    # consent, access
    "consent_invalid": 422,
    "evidence_invalid": 422,
    "not_covered": 409,
    "policy_widens": 409,
    "proxy_invalid": 422,
    "text_unknown": 503,
    "phone_wrong": 422,
    "phone_not_now": 409,
    "signature_invalid": 422,
    "team_invalid": 422,
    "share_invalid": 422,
    "glass_invalid": 422,
    "glass_blocked": 409,
    "glass_quota": 429,
    "share_widens": 409,
    "ask_invalid": 422,
    "tie_invalid": 422,
    "asked_too_much": 429,
    # notify
    "recall_invalid": 422,
    "webhook_invalid": 422,
    # office
    "export_missing": 409,
    "same_person": 409,
    # audit
    "witness_invalid": 422,
    "log_away": 503,
    "log_too_long": 422,
    # exchange
    "proof_wrong": 422,
    "tried_too_often": 429,
    "album_invalid": 422,
    # archive
    "wrong_offset": 409,
    "bad_upload": 400,
    "too_large": 413,
    "no_space": 507,
    "unsupported_media": 415,
    "too_many": 429,
    "too_many_misses": 429,
    "too_many_searches": 409,
    "too_many_copies": 422,
    "bad_paper": 422,
    "quota": 507,
    "blob_unavailable": 503,
    "store_away": 503,
    "store_broken": 503,
    "not_renderable": 406,
    "not_acceptable": 406,
    "marked_only": 406,
    "scim_invalid": 400,
    # fhir
    "search_invalid": 400,
    "not_offered": 405,
    "resource_invalid": 422,
    "version_stale": 412,
    "on_hold": 409,
    "label_invalid": 422,
    "held_undecided": 422,
    "removal_invalid": 422,
    "note_refused": 409,
    "note_invalid": 422,
}
TITLES = {
    400: "Bad request",
    401: "Sign-in required",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    406: "No such representation",
    409: "Not possible",
    410: "Gone",
    412: "Changed meanwhile",
    413: "Too large",
    415: "Unsupported media type",
    416: "No such range",
    422: "Not acceptable content",
    429: "Too many requests",
    500: "Something went wrong",
    503: "Not available now",
    507: "No space left",
}
FHIR = "/fhir/"
MACHINES = (
    "/api/",
    "/dicomweb/",
    "/scim/",
    FHIR,
    "/.well-known/",
    "/oauth/token",
    "/oauth/revoke",
    "/oauth/introspect",
)
ISSUES = {  # status -> code of an OperationOutcome's issue (FHIR R4 IssueType); else "invalid"
    401: "login",
    403: "forbidden",
    404: "not-found",
    405: "not-supported",
    406: "not-supported",
    409: "conflict",
    412: "conflict",
    415: "not-supported",
    422: "business-rule",
    429: "throttled",
    500: "exception",
    503: "transient",
    507: "no-store",
}


def status_of(error: DomainError) -> int:
    """The HTTP status of a domain error; a code that nobody listed is a programming error: 500."""
    return STATUS.get(error.code, 500)


def response_for(request: HttpRequest, error: DomainError) -> HttpResponse:
    """The answer to a refused request."""
    status = status_of(error)
    if status == 404:
        return absent(request)
    if error.code == "no_actor" and getattr(request, "link_ended", False):
        return link_over(request)
    if error.code == "no_actor" and not is_for_machines(request):
        return sign_in_first(request)
    return problem(request, status, code=error.code, detail=str(error))


def sign_in_first(request: HttpRequest) -> HttpResponse:
    """To the sign-in page and back; one who is signed in and acts for nobody is told so."""
    if request.user.is_authenticated:
        detail = "You act for no organization at present. Ask its administrator for an invitation."
        return problem(request, 403, code="no_actor", detail=detail)
    if request.headers.get("HX-Request"):
        response = HttpResponse(status=401)
        response["HX-Redirect"] = resolve_url(settings.LOGIN_URL)
        return response
    if request.method in {"GET", "HEAD"}:
        return redirect_to_login(request.get_full_path())
    return redirect_to_login("/")


def link_over(request: HttpRequest) -> HttpResponse:
    """By a link that has ended: as little as for what never was, and why."""
    if is_for_machines(request):
        return absent(request)
    page = render_to_string("web/opened/over.html", request=request)
    return HttpResponse(page, status=404, headers={"Cache-Control": "no-store"})


def absent(request: HttpRequest) -> HttpResponse:
    """The one 404 of the house."""
    return problem(request, 404, code="absent", detail="Nothing found.")


def problem(request: HttpRequest, status: int, *, code: str, detail: str) -> HttpResponse:
    """RFC 9457 for machines, a page for people, a sentence for htmx."""
    response: HttpResponse
    if is_for_machines(request):
        response = _for_machines(request, status, code, detail)
    else:
        if not hasattr(request, "user"):  # refused before sign-in was looked at: a wrong host
            request.user = AnonymousUser()
        context = {"status": status, "title": TITLES[status], "detail": detail}
        response = HttpResponse(
            render_to_string("problem.html", context, request=request), status=status
        )
    if status == 401:
        response["WWW-Authenticate"] = 'Bearer realm="portal"'
    if status in {429, 503}:
        response["Retry-After"] = "5"
    response["Cache-Control"] = "no-store"
    return response


def _for_machines(request: HttpRequest, status: int, code: str, detail: str) -> HttpResponse:
    """FHIR's own word for a refusal at its mount, RFC 9457 at the others."""
    if not request.path_info.startswith(FHIR):
        body = {"title": TITLES[status], "status": status, "code": code}
        told = body | ({"detail": detail} if detail else {})
        return JsonResponse(told, status=status, content_type="application/problem+json")
    issue = {
        "severity": "fatal" if status >= 500 else "error",
        "code": ISSUES.get(status, "invalid"),
        "details": {"text": detail or TITLES[status]},
        "diagnostics": code,
    }
    outcome = {"resourceType": "OperationOutcome", "issue": [issue]}
    return JsonResponse(outcome, status=status, content_type="application/fhir+json")


_OF_NO_BODY = {"Content-Type", "Content-Length"}
_BARE = {  # status -> (code, detail), where a view or Django itself answered with a status alone
    405: ("not_offered", "This address does not offer the method; Allow tells which it offers."),
    412: ("condition_failed", "What a header of the request demands is not so."),
    416: ("no_such_range", "Nothing is there; Content-Range tells how many bytes are."),
}


def told(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """The answer itself, or for machines a bare refusal with its reason and its own headers."""
    if response.status_code not in _BARE or response.content or not is_for_machines(request):
        return response
    code, detail = _BARE[response.status_code]
    full = problem(request, response.status_code, code=code, detail=detail)
    for name, text in response.items():
        if name not in _OF_NO_BODY:
            full.headers.setdefault(name, text)
    return full


def is_for_machines(request: HttpRequest) -> bool:
    """By the mount, not by Accept: a stranger's browser and a script get the same kind of 404."""
    return request.path_info.startswith(MACHINES)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler400; the exception is not shown, it may quote the request."""
    return problem(request, 400, code="bad_request", detail="The request was not understood.")


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler403."""
    return problem(request, 403, code="forbidden", detail="You are not allowed to do this.")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's CSRF_FAILURE_VIEW."""
    detail = "This page was open for too long. Load it again and repeat what you did."
    return problem(request, 403, code="csrf", detail=detail)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler404: an unknown route answers as an invisible study does."""
    return absent(request)


AWAY = (OperationalError, InterfaceError, redis.ConnectionError, redis.TimeoutError)
FULL = {"SQLITE_FULL", "53100", "ENOSPC", "EDQUOT"}  # PostgreSQL's disk_full has a number
OURS = {"SQLITE_ERROR"}  # a statement that is wrong; SQLite has no error class of its own for it
NO_RIGHTS = "42501"  # insufficient_privilege
DISK = {"EIO", "EROFS", "ESTALE", "ENODEV"}


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500: no template engine and no database, both may be the cause.

    Called while the exception is handled, wherever it came from: middleware, view or REST. That a
    database, a disk or the broker is away is no fault of the request, so it may come again: 503.
    """
    status, code = _status_of_failure(sys.exc_info()[1])
    response: HttpResponse
    if is_for_machines(request):
        response = _for_machines(request, status, code, "")
    else:
        name = "500.html" if status == 500 else "503.html"
        page = (settings.BASE_DIR / "templates" / name).read_text(encoding="utf-8")
        response = HttpResponse(re.sub(r"{#.*?#}\n?", "", page), status=status)
    if status == 503:
        response["Retry-After"] = "5"
    response["Cache-Control"] = "no-store"
    return response


def _status_of_failure(error: BaseException | None) -> tuple[int, str]:
    name = _name_of(error)
    if name in FULL:
        return 507, "no_space"
    if name.startswith("SQLITE_IOERR"):
        stop_writing("SQLite met a failing disk")
    is_away = name in DISK if isinstance(error, OSError) else isinstance(error, AWAY)
    if (is_away and name not in OURS) or (name == NO_RIGHTS and _is_lowered()):
        return 503, "away"
    return 500, "server_error"


def _is_lowered() -> bool:
    """Whether the tables are being changed under us, and our rights come back after it."""
    try:
        return rowlevel.is_lowered()
    except DatabaseError:
        return False


def _name_of(error: BaseException | None) -> str:
    """SQLite's name of the error, PostgreSQL's SQLSTATE, or errno's name; blank where none is."""
    if isinstance(error, OSError):
        return errno.errorcode.get(error.errno or 0, "")
    cause = getattr(error, "__cause__", None)
    return str(getattr(cause, "sqlite_errorname", None) or getattr(cause, "sqlstate", None) or "")
