"""What a session must be to go on: not too old, not left alone, and for some acts proved anew.

A session says when it was last used; the organization says how long that may be (tenants.Limits).
Acts that open much or can't be undone ask for the second factor again when it was not used lately:
emergency access (on its own form), what leaves the portal, consents, and administration.
"""

import time
from collections.abc import Callable
from typing import Any

from allauth.account.authentication import get_authentication_records
from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.contrib.auth import logout
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode

from portal import accounts, errors
from sharing.tenants.sittings import Over, over

Handler = Callable[[HttpRequest], HttpResponse]
SHARED_COOKIE = "shared_workstation"
SEEN_EVERY = 60
"""Seconds: the session's row is not written at each request."""
UNHEARD = frozenset({"viewer:pulse", "web:study-state", "web:bell"})
"""What pages ask by themselves: nobody need be there."""
MINUTE = 60
ADMINISTRATION, EXPORT, CONSENT = 15 * MINUTE, 15 * MINUTE, 60 * MINUTE
LATELY: dict[str, int] = {  # route -> seconds within which the person must have proved it
    **dict.fromkeys(
        (
            "web:invite", "web:end-membership", "web:move-post", "web:leaving", "web:own-sign-in",
            "web:own-saml",
            "web:sessions", "web:domains", "web:application", "web:region", "web:own-policy",
            "web:new-agreement", "web:end-agreement", "web:new-label-rule", "web:end-label-rule",
            "web:support", "web:ask-support", "web:answer-support", "web:new-client",
            "web:rotate-client", "web:end-client", "web:new-webhook", "web:change-webhook",
            "web:rotate-webhook", "web:end-webhook", "web:profile", "web:devices", "web:terms",
            "web:close-organization", "web:delete-study", "account_set_password",
            "mfa_activate_totp", "mfa_deactivate_totp", "mfa_add_webauthn", "mfa_remove_webauthn",
            "mfa_generate_recovery_codes", "mfa_view_recovery_codes", "mfa_download_recovery_codes",
        ),
        ADMINISTRATION,
    ),
    **dict.fromkeys(
        (
            "web:log-export", "web:accounting-paper", "fhir:AuditEvent", "fhir:AuditEvent-search",
            "fhir:AuditEvent-read", "fhir:AuditEvent-version", "api:audit",
        ),
        EXPORT,
    ),
    **dict.fromkeys(
        (
            "web:new-consent", "web:revoke-consent", "web:consent-again", "api:revoke-consent",
            "oauth:authorize",
        ),
        CONSENT,
    ),
}  # fmt: skip
WRITES: dict[str, int] = {  # the same where reading asks for nothing
    **dict.fromkeys(
        (
            "web:set-logo", "web:region-work", "web:teams", "web:team", "api:clients", "api:client",
            "api:rotate-client", "api:webhooks", "api:webhook", "api:rotate-webhook", "api:study",
            "fhir:Subscription", "fhir:Subscription-read",
        ),
        ADMINISTRATION,
    ),
    **dict.fromkeys(("fhir:Consent", "fhir:Consent-read"), CONSENT),
}  # fmt: skip
READS = frozenset({"GET", "HEAD", "OPTIONS"})
SAID = {
    Over.IDLE: "You were signed out because nothing was done for a while.",
    Over.LONG: "You were signed out: a session lasts no longer here. Sign in to go on.",
}


class Sittings:
    """Ends a session that was left alone or is too old, and asks for proof where it is due."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Nothing on the way in: which door it is is not known yet."""
        return self.get_response(request)

    def process_view(self, request: Any, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        """None lets it pass."""
        if request.by_token or not request.user.is_authenticated or request.actor is None:
            return None
        route = request.resolver_match.view_name
        ended = _ended(request, route)
        if ended is not None:
            return _signed_out(request, ended)
        within = LATELY.get(route, None if request.method in READS else WRITES.get(route))
        if within is None or proved_within(request, within):
            return None
        return _prove(request)


def _ended(request: Any, route: str) -> Over | None:
    now, session = time.time(), request.session
    records = get_authentication_records(request, request.user)
    began = records[0]["at"] if records else session.get("began_at", now)
    seen = session.get("seen_at", now)
    found = over(request.actor.limits, began=began, seen=seen, now=now, shared=is_shared(request))
    if (
        found is None
        and route not in UNHEARD
        and ("seen_at" not in session or now - seen > SEEN_EVERY)
    ):
        session["seen_at"] = now
        session.setdefault("began_at", began)
    return found


def _signed_out(request: Any, why: Over) -> HttpResponse:
    path = request.get_full_path() if request.method in {"GET", "HEAD"} else "/"
    logout(request)
    request.actor = None
    if (
        errors.is_for_machines(request)
        or request.headers.get("Sec-Fetch-Mode", "navigate") != "navigate"
    ):
        return errors.problem(request, 401, code="session_over", detail=SAID[why])
    messages.info(request, SAID[why])
    return redirect(f"{reverse('account_login')}?{urlencode({'next': path})}")


def proved_within(request: HttpRequest, seconds: int) -> bool:
    """Whether the person proved who they are so lately, by the best that they have."""
    wanted = {"mfa"} if _has_factor(request) else {"mfa", "password", "socialaccount"}
    proofs = accounts.proofs(request)
    return any(time.time() - at < seconds for method, at in proofs if method in wanted)


def _has_factor(request: HttpRequest) -> bool:
    return bool(Authenticator.objects.filter(user=request.user).exists())


def _prove(request: Any) -> HttpResponse:
    """To the page that asks, and back to where the person was going."""
    if errors.is_for_machines(request):
        detail = "Prove on a page of the portal that it is you, then try again."
        return errors.problem(request, 403, code="step_up_required", detail=detail)
    back = request.get_full_path() if request.method in {"GET", "HEAD"} else _from(request)
    return redirect(f"{_where(request)}{urlencode({'next': back})}")


def _from(request: Any) -> str:
    """The page whose form it was: the form is asked for again, what would have been done is not."""
    came = request.META.get("HTTP_REFERER", "")
    base = f"{request.scheme}://{request.get_host()}"
    return came.removeprefix(base) if came.startswith(base + "/") else "/"


def _where(request: Any) -> str:
    user = request.user
    if accounts.types_code(user):
        return reverse("mfa_reauthenticate") + "?"
    if Authenticator.objects.filter(user=user, type=Authenticator.Type.WEBAUTHN).exists():
        return reverse("mfa_reauthenticate_webauthn") + "?"
    if request.realm and not user.has_usable_password():
        again = reverse(accounts.house_sign_in(request.realm), args=[request.realm])
        return f"{again}?{urlencode({'auth_params': accounts.ASKED_ANEW})}&"
    return reverse("account_reauthenticate") + "?"


def is_shared(request: HttpRequest) -> bool:
    """Whether somebody said that many people use this browser."""
    said = request.COOKIES.get(SHARED_COOKIE, "")
    try:
        return bool(signing.loads(said, salt=SHARED_COOKIE)) if said else False
    except signing.BadSignature:
        return False


def sitting_in_templates(request: HttpRequest) -> dict[str, Any]:
    """Template context processor: after how many idle seconds the page signs out by itself."""
    actor = getattr(request, "actor", None)
    if actor is None or not request.user.is_authenticated:
        return {"idle_seconds": 0, "shared_workstation": is_shared(request)}
    shared = is_shared(request)
    idle = actor.limits.idle(shared=shared).total_seconds()
    return {"idle_seconds": int(idle), "shared_workstation": shared}
