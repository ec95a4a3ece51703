"""Sign-in at an organization's own OpenID Connect provider: allauth's flow, the house's rules.

Providers are rows of organizations (`tenants.Realm`), never settings. All that is fetched goes by
the one way out (`kernel.outgoing`); the issuer must be the one on file, and its signature is
checked although the token came by TLS. Who has come, and as what, `tenants.services.arrive` says.
"""

import time
from typing import Any
from urllib.parse import urlencode

import requests
import structlog
from allauth.account.internal.decorators import login_not_required
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.internal import jwtkit
from allauth.socialaccount.models import SocialAccount, SocialApp
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone
from requests.adapters import BaseAdapter

from portal import accounts, errors
from sharing.kernel import outgoing
from sharing.kernel.errors import DomainError
from sharing.tenants import services
from sharing.tenants.errors import NOT_ANEW, SignInRefused
from sharing.tenants.realms import Arrival
from sharing.tenants.services import Protocol, arrival_of

log = structlog.get_logger(__name__)
FAILED = "Your organization’s sign-in did not answer as it should. Try again."
CLOCKS_DIFFER = 60
"""Seconds by which its clock may be behind ours."""
SAML = "saml:"
"""Before the subjects of SAML: the same word of an OpenID Connect provider is another person."""
SIGNED_BY = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384"})
"""With a key that is published. A shared secret or no signature is none of them."""


class OneWayOut(BaseAdapter):
    """What `requests` is asked for goes by `kernel.outgoing`: checked, pinned, with an end."""

    def send(self, request: Any, *args: Any, **kwargs: Any) -> requests.Response:
        """Raises requests.ConnectionError where the address is refused or does not answer."""
        body = request.body or b""
        try:
            answer = outgoing.request(
                request.method,
                request.url,
                body=body.encode() if isinstance(body, str) else body,
                headers={k: v for k, v in request.headers.items() if k not in _NOT_SENT},
            )
        except DomainError as error:
            raise requests.ConnectionError(error.code) from error
        response = requests.Response()
        response.status_code, response.url, response.request = answer.status, request.url, request
        response.headers.update(answer.headers)
        response._content = answer.body
        return response

    def close(self) -> None:
        """Nothing is kept open."""


_NOT_SENT = frozenset({"User-Agent", "Accept-Encoding", "Connection", "Content-Length"})


class HouseSignIn(DefaultSocialAccountAdapter):
    """allauth's questions, answered from the organizations' rows."""

    def list_apps(self, request: Any, provider: Any = None, client_id: Any = None) -> list[Any]:
        """The one provider of an organization that may be used now."""
        realm = services.realm_at(provider) if provider else None
        return [_app(realm)] if realm is not None else []

    def get_requests_session(self) -> requests.Session:
        """One that follows no redirect and knows one way out."""
        session = requests.Session()
        session.trust_env, session.max_redirects = False, 0
        for scheme in ("https://", "http://"):
            session.mount(scheme, OneWayOut())
        return session

    def pre_social_login(self, request: Any, sociallogin: Any) -> None:
        """Who it is here. Ends the sign-in, in words, when nobody."""
        try:
            _let_in(request, sociallogin)
        except SignInRefused as error:
            log.warning("sign_in_refused", provider=sociallogin.account.provider)
            raise ImmediateHttpResponse(refused(request, str(error))) from None

    def on_authentication_error(self, request: Any, provider: Any, **what: Any) -> None:
        """Said on our own page, and in the log without what the provider sent."""
        log.warning("sign_in_failed", kind=type(what.get("exception")).__name__)
        raise ImmediateHttpResponse(refused(request, FAILED))

    def is_open_for_signup(self, request: Any, sociallogin: Any) -> bool:
        """Never: `arrive` makes accounts."""
        return False


def _app(realm: Any) -> SocialApp:
    code, name = realm.organization.code, realm.organization.name[:40]
    if realm.protocol == Protocol.SAML:
        nothing: dict[str, Any] = {"attribute_mapping": {}}
        return SocialApp(
            provider="saml", provider_id=code, name=name, client_id=code, settings=nothing
        )
    return SocialApp(
        provider="openid_connect",
        provider_id=code,
        name=name,
        client_id=realm.client_id,
        secret=services.secret_of(realm),
        settings={"server_url": realm.issuer, "fetch_userinfo": False},
    )


def _let_in(request: Any, sociallogin: Any) -> None:
    account = sociallogin.account
    realm = services.realm_at(account.provider)
    if realm is None or sociallogin.state.get("process") == "connect":
        raise SignInRefused()
    arrival = getattr(request, "house_arrival", None)  # by SAML; else by a token
    if arrival is None:
        claims = (account.extra_data or {}).get("id_token", {})
        arrival = arrival_of(claims, groups_in=realm.groups_in)
    known = sociallogin.user if sociallogin.is_existing else None
    proved_at = _proved_at(request, arrival)
    account.extra_data = {}  # what the directory says of a person is not ours to keep
    user = services.arrive(realm=realm, arrival=arrival, known=known, at=timezone.now())
    if known is None:
        if _is_anothers(user, account):
            raise SignInRefused()
        sociallogin.user = account.user = user
    account.save()
    request.factor_proven = realm.trusts_factor and arrival.proven
    request.house_proved_at = proved_at


def _is_anothers(user: Any, account: Any) -> bool:
    """Whether the address came under another subject before: it was given to somebody else there.

    A house that changes from one protocol to the other names its people anew.
    """
    before = SocialAccount.objects.filter(user=user, provider=account.provider)
    by_saml = before.filter(uid__startswith=SAML)
    same = by_saml if account.uid.startswith(SAML) else before.exclude(pk__in=by_saml)
    return bool(same.exists())


def _proved_at(request: HttpRequest, arrival: Arrival) -> float:
    """When the person last proved it there; 0: it doesn't say, which is no proof.

    Raises SignInRefused where it was asked for a new proof and tells of none. The asking goes by
    the browser, and whoever sits at it can take it out: so the answer must say when, as one to
    `max_age` has to (OpenID Connect Core 1.0, 3.1.2.1).
    """
    asked, said = request.session.pop("asked_anew", None), arrival.proved_at
    if asked is not None and (said is None or said < asked - CLOCKS_DIFFER):
        raise SignInRefused(NOT_ANEW)
    return min(said, time.time()) if said is not None else 0.0


def refused(request: HttpRequest, why: str) -> HttpResponse:
    """One page for all that can go wrong; nothing of what came is said back."""
    context = {"why": why}
    return render(request, "socialaccount/authentication_error.html", context, status=403)


class Checked(OpenIDConnectOAuth2Adapter):
    """allauth's, with the issuer on file and the signature checked."""

    @property
    def openid_config(self) -> Any:
        """What the provider says of itself. Raises OAuth2Error where it names another issuer."""
        config = super().openid_config
        if config.get("issuer", "").rstrip("/") != self.get_provider().app.settings["server_url"]:
            raise OAuth2Error("another issuer")
        return config

    def _decode_id_token(self, app: Any, id_token: str) -> Any:
        if _algorithm_of(id_token) not in SIGNED_BY:
            raise OAuth2Error("not signed with a published key")
        return jwtkit.verify_and_decode(
            credential=id_token,
            keys_url=self.openid_config["jwks_uri"],
            issuer=self.openid_config["issuer"],
            audience=app.client_id,
            lookup_kid=jwtkit.lookup_kid_jwk,
        )


def _algorithm_of(token: str) -> str:
    import jwt  # of allauth's, asked for here only

    try:
        return str(jwt.get_unverified_header(token).get("alg"))
    except jwt.PyJWTError as error:
        raise OAuth2Error("no token") from error


@login_not_required
def login(request: HttpRequest, provider_id: str) -> HttpResponse:
    """To the organization's sign-in. A link says where to go on and, at most, that it asks anew."""
    given = {name: request.GET[name] for name in ("next", "auth_params") if name in request.GET}
    anew = given.get("auth_params") == accounts.ASKED_ANEW
    request.session.pop("asked_anew", None)
    if anew:
        request.session["asked_anew"] = time.time()
    request.GET = QueryDict(urlencode({k: v for k, v in given.items() if anew or k == "next"}))
    return _flow(request, provider_id, OAuth2LoginView)


@login_not_required
def callback(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Back from it."""
    return _flow(request, provider_id, OAuth2CallbackView)


def _flow(request: HttpRequest, provider_id: str, kind: Any) -> HttpResponse:
    realm = services.realm_at(provider_id)
    if realm is None or realm.protocol != Protocol.OIDC:
        return errors.absent(request)
    try:
        answer: HttpResponse = kind.adapter_view(Checked(request, provider_id))(request)
    except (OAuth2Error, requests.RequestException, KeyError, ValueError) as error:
        log.warning("sign_in_failed", kind=type(error).__name__)
        return refused(request, FAILED)
    return answer
