"""What every request passes: an id, security headers, its actor, and the way back for refusals."""

import re
import secrets
from collections.abc import Callable
from typing import Any, cast

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.locale import LocaleMiddleware
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import activate

from portal import accounts, bearers, errors
from sharing.kernel import scope
from sharing.kernel.errors import Absent, BadValue, DomainError
from sharing.partners.services import actor_for_token
from sharing.tenants import services
from sharing.tenants.errors import TokenInvalid
from sharing.tenants.services import Actor

Handler = Callable[[HttpRequest], HttpResponse]
REQUEST_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
LARGEST_FORM = 24 * 1024 * 1024
"""Bytes of a form with its files: a signed form of 20 MB fits. Images don't come by forms."""


class RequestId:
    """Gives each request an id, in the log lines and in the answer's X-Request-ID."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> HttpResponse:
        """A proxy's id is kept when it has the form of one: it ends in our logs."""
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        request.request_id = given if REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request.request_id)
        with scope.within(scope.NOBODY):
            response = self.get_response(request)
        response["X-Request-ID"] = request.request_id
        return response


class Languages(LocaleMiddleware):
    """The reader's language, for pages alone: machines get English, and wait for no choice."""

    MACHINES = ("/dicomweb/", "/api/", "/fhir/", "/healthz", "/readyz", "/static/")

    def process_request(self, request: HttpRequest) -> None:
        """By the cookie, or by what the browser asks for."""
        if request.path_info.startswith(self.MACHINES):
            activate(settings.LANGUAGE_CODE)  # the thread may have served a page before
        else:
            super().process_request(request)

    def process_response(self, request: HttpRequest, response: Any) -> HttpResponseBase:
        """`Vary` and `Content-Language`, where the language was asked."""
        if request.path_info.startswith(self.MACHINES):
            return cast(HttpResponseBase, response)
        return super().process_response(request, response)


class SecurityHeaders:
    """Content-Security-Policy from `SECURE_CSP` (Django 6.0's name), and what goes with it.

    A view with needs of its own (the viewer) sets its own header before; that one stays.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response
        self.policy = policy(settings.SECURE_CSP)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Adds the headers that are not set yet; turns away what is too large to be looked at."""
        response = _too_large(request) or self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", self.policy)
        response.headers.setdefault(
            "Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=()"
        )
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        if "Cache-Control" not in response.headers and getattr(request, "actor", None) is not None:
            # A shared machine's Back button must not show a patient after sign-out.
            response.headers["Cache-Control"] = "private, no-store"
        return response


def _too_large(request: HttpRequest) -> HttpResponse | None:
    """413 before the body is read: the CSRF check would put a stranger's files on our disk."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    is_form = request.content_type == "multipart/form-data"
    if not is_form or (length.isdecimal() and int(length) <= LARGEST_FORM):
        return None
    return errors.problem(request, 413, code="too_large", detail="The form is too large.")


def policy(directives: dict[str, list[str]]) -> str:
    """The header's text for a SECURE_CSP mapping."""
    return "; ".join(f"{name} {' '.join(values)}" for name, values in directives.items())


class RequestActor:
    """Sets `request.actor` (who, for which organization and purpose; None for a stranger).

    A bearer token speaks alone: the session beside it is not looked at, and no CSRF token is asked
    for, because no browser adds such a header by itself. It opens the machines' mounts only: pages
    ask for roles, and a machine that has scopes would read there what its scopes don't include.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> HttpResponse:
        """Finds the actor, or answers 401 for a token that is not good."""
        token = bearer_token(request)
        request.by_token = token is not None
        try:
            _refuse_nul(request)
            if token is not None and not errors.is_for_machines(request):
                raise TokenInvalid()
            request.actor = _by_session(request) if token is None else _by_token(token)
        except DomainError as error:
            request.actor = None
            return errors.response_for(request, error)
        if request.by_token:
            request._dont_enforce_csrf_checks = True
        its = request.actor.scope if request.actor else scope.NOBODY
        return in_scope(its, self.get_response, request)


def in_scope(its: str, get_response: Handler, request: HttpRequest) -> Any:
    """The answer as made within that scope, and so is what of it is made later."""
    with scope.within(its):
        response: Any = get_response(request)
    if response.streaming:
        ended = scope.bound(its, response.close)
        response.streaming_content = scope.lent(its, response.streaming_content)
        response.close = ended
    return response


def _refuse_nul(request: HttpRequest) -> None:
    """No name and no search holds a NUL, and PostgreSQL fails on one: 404 and 400, never 500."""
    if "\0" in request.path_info:
        raise Absent()
    is_form = request.content_type == "application/x-www-form-urlencoded"
    if "%00" in request.META.get("QUERY_STRING", "") or (is_form and b"%00" in request.body):
        raise BadValue()


def bearer_token(request: HttpRequest) -> str | None:
    """The token of `Authorization: Bearer`, None where the request brings none."""
    scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _by_token(token: str) -> Actor:
    return actor_for_token(token, at=timezone.now())


def _by_session(request: Any) -> Actor | None:
    if not request.user.is_authenticated:
        return bearers.by_link(request)
    bearers.forget_link(request)
    request.realm = accounts.realm_of(request)
    return services.actor_for_session(
        request.user,
        request.session,
        assured=accounts.used_second_factor(request),
        only=request.realm,
    )


class FirstThings:
    """A new password and the second factor come before every page and every answer."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Nothing on the way in: whether there is such a page is not known yet."""
        return self.get_response(request)

    def process_view(self, request: Any, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        """Leads a page to the missing step; scripts and machines are told, not led.

        A picture or a poll that followed would ask for the second factor's page again and again,
        and each time the key on it is a new one.
        """
        if request.by_token or not request.user.is_authenticated:
            return None
        step = accounts.first_step(request)
        if step is None or accounts.may_pass(request, step):
            return None
        navigates = request.headers.get("Sec-Fetch-Mode", "navigate") == "navigate"
        if navigates and not errors.is_for_machines(request):
            return redirect(step)
        detail = "Sign in with a new password and a second factor first."
        return errors.problem(request, 403, code="sign_in_unfinished", detail=detail)


def actor_in_templates(request: HttpRequest) -> dict[str, Any]:
    """Template context processor: the actor; whoever came by a link has no place in the shell."""
    actor = getattr(request, "actor", None)
    return {"actor": None if bearers.is_bearer(actor) else actor}


class DomainErrors:
    """Turns a domain error that a view let through into its answer, and gives bare ones a body."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Nothing on the way in."""
        return errors.told(request, self.get_response(request))

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """None for anything that is not ours: Django answers 500 and logs it."""
        if isinstance(exception, DomainError):
            return errors.response_for(request, exception)
        return None
