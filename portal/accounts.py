"""What sign-in adds to allauth: accounts come by invitation, and first things come first."""

import time
from typing import Any
from urllib.parse import quote

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.base.internal.flows import post_authentication
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.views import ActivateTOTPView
from allauth.mfa.webauthn.views import AddWebAuthnView
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from portal import devices, languages
from sharing.tenants import services

ASKED_ANEW = "prompt=login&max_age=0"
"""What an organization's own sign-in is asked for where somebody must prove themselves again."""


class InvitedAccounts(DefaultAccountAdapter):
    """Closes the public sign-up, keeps e-mailed links on PUBLIC_URL, and notes a new password."""

    def is_open_for_signup(self, request: Any) -> bool:
        """Never: an organization registers and invites its people."""
        return False

    def get_reset_password_from_key_url(self, key: str) -> str:
        """The link in the e-mail; built from PUBLIC_URL, never from the Host header."""
        path = reverse("account_reset_password_from_key", kwargs={"uidb36": "UID", "key": "KEY"})
        return str(settings.PUBLIC_URL + path.replace("UID-KEY", quote(key)))

    def get_password_change_redirect_url(self, request: Any) -> str:
        """Home, from where the gate leads on when something is still missing."""
        return "/"

    def is_reauthentication_required(self, *, app: str) -> bool:
        """Not of one who signed in a moment ago: a new account begins with a second factor."""
        records = get_authentication_records(self.request, self.request.user)
        age = time.time() - records[-1]["at"] if records else float("inf")
        return bool(age > settings.ACCOUNT_REAUTHENTICATION_TIMEOUT)

    def post_login(self, request: Any, user: Any, **what: Any) -> Any:
        """Notes a second factor that was used at the house's own sign-in, where it is trusted."""
        if getattr(request, "factor_proven", False):
            record_authentication(request, user, "mfa", type="house")
        if hasattr(request, "house_proved_at"):
            request.session["house_proved_at"] = request.house_proved_at
        response = super().post_login(request, user, **what)
        devices.remember(request, response, user.email)
        languages.remember(request, response, user)
        return response

    def _get_login_attempts_cache_key(self, request: Any, **credentials: Any) -> str:
        """Guesses from elsewhere don't use up a person's own tries."""
        return devices.counted_as(request, credentials.get("email", ""))

    def set_password(self, user: Any, password: str) -> None:
        """Changed or reset by the person: the password to begin with is over."""
        super().set_password(user, password)
        services.password_changed(user=user, at=timezone.now())
        user.must_change_password = False  # the row has it; this request goes on with its copy


class ActivateSecondFactor(ActivateTOTPView):
    """allauth's page; the code that was just right counts for this session too."""

    def form_valid(self, form: Any) -> HttpResponse:
        """Activates, then records the use: nobody types a second code to begin."""
        response = super().form_valid(form)
        totp = Authenticator.objects.get(user=self.request.user, type=Authenticator.Type.TOTP)
        post_authentication(self.request, totp)
        return response


class AddPasskey(AddWebAuthnView):
    """allauth's page; the key that was just touched counts for this session too."""

    def form_valid(self, form: Any) -> HttpResponse:
        """Adds, then records the use."""
        response: HttpResponse = super().form_valid(form)
        keys = Authenticator.objects.filter(
            user=self.request.user, type=Authenticator.Type.WEBAUTHN
        )
        post_authentication(self.request, keys.latest("pk"))
        return response


def used_second_factor(request: HttpRequest) -> bool:
    """Whether a second factor was used in this session."""
    records = get_authentication_records(request, request.user)
    return any(record["method"] == "mfa" for record in records)


def proofs(request: Any) -> list[tuple[str, float]]:
    """By which methods the person proved who they are in this session, and when.

    An organization's own sign-in lets in whom it remembers: what counts is when it last asked.
    """
    found = [
        (record["method"], record["at"])
        for record in get_authentication_records(request, request.user)
    ]
    asked = request.session.get("house_proved_at", 0.0)
    return [(method, asked if method == "socialaccount" else at) for method, at in found]


def realm_of(request: HttpRequest) -> str:
    """The organization by whose own sign-in this session came, blank for all others.

    Who it vouched for acts for that organization and no other, whatever else they are.
    """
    came = (
        record["provider"]
        for record in get_authentication_records(request, request.user)
        if record["method"] == "socialaccount"
    )
    return str(next(came, ""))


def house_sign_in(code: str) -> str:
    """The route to an organization's own sign-in."""
    realm = services.realm_at(code)
    by_saml = realm is not None and realm.protocol == services.Protocol.SAML
    return "saml_login" if by_saml else "openid_connect_login"


def first_step(request: Any) -> str | None:
    """The route that a signed-in person must go to before anything else; None when all is done."""
    user = request.user
    assured = used_second_factor(request)
    enrolled = assured or Authenticator.objects.filter(user=user).exists()
    need = services.user_needs(user, has_second_factor=enrolled)
    if need == "password":
        return "account_change_password"
    if need == "second_factor":
        return "mfa_activate_totp"
    actor = request.actor
    if enrolled and not assured and actor is not None and not actor.assured:
        # set up elsewhere while this session was open
        return "mfa_reauthenticate" if types_code(user) else "mfa_reauthenticate_webauthn"
    return None


def types_code(user: Any) -> bool:
    """Whether the person has an app that shows codes."""
    return bool(Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).exists())


ALWAYS_OPEN = ("account_login", "account_logout", "account_reauthenticate")
_HOUSE_SIGN_IN = (
    "openid_connect_login", "openid_connect_callback", "saml_login", "saml_finish_acs",
)  # fmt: skip
_AGAIN = ("mfa_reauthenticate", "mfa_reauthenticate_webauthn", "mfa_authenticate")
OPEN_AT = {
    "account_change_password": ("account_change_password",),
    "mfa_activate_totp": ("mfa_activate_totp", "mfa_add_webauthn", "account_change_password"),
    "mfa_reauthenticate": _AGAIN,
    "mfa_reauthenticate_webauthn": _AGAIN,
}


def may_pass(request: HttpRequest, step: str) -> bool:
    """Whether the page is one of those that the step itself needs; the organization's own sign-in
    is one: before a factor is added it is asked who sits there.
    """
    match = request.resolver_match
    if match is not None and match.view_name in _HOUSE_SIGN_IN:
        return True
    return request.path_info in {reverse(name) for name in (*ALWAYS_OPEN, *OPEN_AT[step])}
