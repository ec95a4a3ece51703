"""Sign-in at an organization's own SAML 2.0 identity provider: python3-saml's checks and ours.

Its signed word is believed for one browser and once: the assertion must be signed by a key on file,
for us, at this address, in answer to a request that this browser made a moment ago. The answer
comes by a post from elsewhere, to which a browser sends no cookie of ours; so what is well signed
waits a moment under a handle, and the browser comes back for it with its cookies. Requests are not
signed and nothing is encrypted for us: the portal has no SAML key.
"""

import time
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from importlib import import_module
from pathlib import Path
from traceback import extract_tb
from typing import Any
from urllib.parse import urlsplit

import structlog
from allauth.account.internal.decorators import login_not_required
from allauth.account.utils import get_next_redirect_url
from allauth.core import ratelimit
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.helpers import complete_social_login
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from portal import accounts, errors, oidc
from sharing.kernel import extras
from sharing.tenants import services
from sharing.tenants.services import Arrival, Protocol, arrival_by_saml

log = structlog.get_logger(__name__)
LONGEST = 200_000
"""Characters of an answer."""
SUBJECT_MOST = 180
WAITS = 120
"""Seconds for the browser to come back for its answer."""
BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
TRANSIENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
View = Callable[[HttpRequest, Any], HttpResponse]


class Refused(Exception):
    """An answer that is not believed; why is for the log, in our own words."""


class Told:
    """The subject alone, as allauth's provider asks for it; attributes are not kept."""

    def __init__(self, subject: str) -> None:
        self.subject = oidc.SAML + subject

    def get_nameid(self) -> str:
        """Who it is there."""
        return self.subject

    def get_nameid_format(self) -> str:
        """No address."""
        return ""

    def get_attributes(self) -> dict[str, Any]:
        """None."""
        return {}


def _for_saml(view: View) -> Callable[..., HttpResponse]:
    """Only where the portal has SAML and the organization signs in by it; else it is not there."""

    @wraps(view)
    def asked(request: HttpRequest, code: str) -> HttpResponse:
        realm = services.realm_at(code) if extras.has_saml() else None
        if realm is None or realm.protocol != Protocol.SAML:
            return errors.absent(request)
        try:
            return view(request, realm)
        except (Refused, PermissionDenied) as error:
            log.warning("sign_in_failed", kind=str(error) or type(error).__name__)
            return oidc.refused(request, oidc.FAILED)

    return login_not_required(asked)


@_for_saml
@require_safe
def login(request: HttpRequest, realm: Any) -> HttpResponse:
    """To the organization's sign-in; a link says where to go on and, at most, that it asks anew."""
    from onelogin.saml2.auth import OneLogin_Saml2_Auth

    anew = request.GET.get("auth_params") == accounts.ASKED_ANEW
    request.session.pop("asked_anew", None)
    if anew:
        request.session["asked_anew"] = time.time()
    auth = _read(lambda: OneLogin_Saml2_Auth(_asked(realm), old_settings=_settings(realm)))
    where = auth.login(return_to="", force_authn=anew)
    provider = get_adapter().get_provider(request, realm.organization.code)
    provider.stash_redirect_state(
        request, "login", get_next_redirect_url(request), state_id=auth.get_last_request_id()
    )
    return redirect(where)


@csrf_exempt
@_for_saml
@require_POST
def acs(request: HttpRequest, realm: Any) -> HttpResponse:
    """An answer comes: what is well signed waits for its browser."""
    if not ratelimit.consume(request, action="saml_answer"):
        raise Refused("too many")
    answer = request.POST.get("SAMLResponse", "")
    _believed(realm, answer, asked=None)
    waiting = import_module(settings.SESSION_ENGINE).SessionStore()
    waiting["saml_answer"] = [realm.organization.code, answer]
    waiting.set_expiry(WAITS)
    waiting.create()
    url = reverse("saml_finish_acs", args=[realm.organization.code])
    return redirect(f"{url}?answer={waiting.session_key}")


@_for_saml
@require_safe
def finish(request: Any, realm: Any) -> HttpResponse:
    """The browser that asked comes for its answer, once."""
    waiting = import_module(settings.SESSION_ENGINE).SessionStore(request.GET.get("answer", ""))
    code, answer = waiting.get("saml_answer") or ("", "")
    if code != realm.organization.code:
        raise Refused("no answer")
    waiting.delete()
    asked = _response(realm, answer).get_in_response_to() or ""
    provider = get_adapter().get_provider(request, realm.organization.code)
    state = provider.unstash_redirect_state(request, asked)  # PermissionDenied: not this browser
    response = _believed(realm, answer, asked=asked)
    arrival = _read(lambda: _arrival(realm, response))
    if not 0 < len(arrival.subject) <= SUBJECT_MOST:
        raise Refused("no lasting subject")
    request.house_arrival = arrival
    sign_in = provider.sociallogin_from_response(request, Told(arrival.subject))
    sign_in.state = state
    return complete_social_login(request, sign_in)


@_for_saml
@require_safe
def metadata(request: HttpRequest, realm: Any) -> HttpResponse:
    """What the portal is to the organization's identity provider."""
    told = _read(lambda: _settings(realm).get_sp_metadata())
    return HttpResponse(told, content_type="application/xml")


def _at(name: str, realm: Any) -> str:
    return str(settings.PUBLIC_URL + reverse(name, args=[realm.organization.code]))


def _asked(realm: Any) -> dict[str, Any]:
    """The request as the library wants it: by PUBLIC_URL, never by a Host header."""
    where = urlsplit(_at("saml_acs", realm))
    return {
        "https": "on" if where.scheme == "https" else "off",
        "http_host": where.netloc,
        "script_name": where.path,
        "get_data": {},
        "post_data": {},
    }


def _settings(realm: Any) -> Any:
    from onelogin.saml2.settings import OneLogin_Saml2_Settings

    post = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
    return OneLogin_Saml2_Settings(
        {
            "strict": True,
            "sp": {
                "entityId": _at("saml_metadata", realm),
                "assertionConsumerService": {"url": _at("saml_acs", realm), "binding": post},
                "NameIDFormat": "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
            },
            "idp": {
                "entityId": realm.issuer,
                "singleSignOnService": {"url": realm.sso_url},
                "x509certMulti": {"signing": list(realm.certificates)},
            },
            "security": {
                "wantAssertionsSigned": True,
                "wantAttributeStatement": True,
                "wantNameId": True,
                "rejectDeprecatedAlgorithm": True,
                "requestedAuthnContext": False,
                "allowRepeatAttributeName": True,
                "allowSingleLabelDomains": True,
            },
        }
    )


def _response(realm: Any, answer: str) -> Any:
    """The answer as read, not believed yet. Raises Refused."""
    from onelogin.saml2.response import OneLogin_Saml2_Response

    if not answer or len(answer) > LONGEST:
        raise Refused("no answer")
    return _read(lambda: OneLogin_Saml2_Response(_settings(realm), answer))


def _read(part: Callable[[], Any]) -> Any:
    """What a part of an answer says. Raises Refused for whatever the library meets there.

    The library raises of many kinds, and its messages repeat what was sent. So the log has the kind
    and the place: a fault of ours is found by them, too.
    """
    try:
        return part()
    except Exception as error:  # noqa: BLE001 - the library's are of many kinds, some of no family
        place = extract_tb(error.__traceback__)[-1]
        where = f"{Path(place.filename).name}, line {place.lineno}"
        raise Refused(f"{type(error).__name__} in {where}") from None


def _believed(realm: Any, answer: str, *, asked: str | None) -> Any:
    """Signed by a key on file, for us, now, and in answer to `asked`. Raises Refused."""
    response = _response(realm, answer)
    if not response.is_valid(_asked(realm), request_id=asked):
        raise Refused("not valid")
    if not _read(lambda: _is_for_us(realm, response, asked or response.get_in_response_to())):
        raise Refused("not for us")
    return response


def _is_for_us(realm: Any, response: Any, asked: str | None) -> bool:
    """What the library lets be absent must be there, in the part that is signed, and be ours."""
    if not asked or response.get_in_response_to() != asked:
        return False
    if response.get_audiences() != [_at("saml_metadata", realm)]:
        return False
    found = response._query_assertion("/saml:Subject/saml:SubjectConfirmation")
    return any(_confirms(each, _at("saml_acs", realm), asked) for each in found)


def _confirms(confirmation: Any, place: str, asked: str) -> bool:
    said = confirmation.find("{*}SubjectConfirmationData")
    if said is None or confirmation.get("Method") != BEARER:
        return False
    ends = said.get("NotOnOrAfter", "")
    return bool(
        said.get("Recipient") == place
        and said.get("InResponseTo") == asked
        and ends
        and _moment(ends) > time.time()
    )


def _arrival(realm: Any, response: Any) -> Arrival:
    """Who has come; attributes are known by their name or their friendly name."""
    attributes = response.get_friendlyname_attributes() | response.get_attributes()
    subject = "" if response.get_nameid_format() == TRANSIENT else response.get_nameid() or ""
    when = response._query_assertion("/saml:AuthnStatement")[0].get("AuthnInstant")
    return arrival_by_saml(
        attributes,
        subject=subject,
        read=(realm.email_in, realm.name_in, realm.groups_in),
        contexts=response.get_authn_contexts(),
        proved_at=_moment(when) if when else None,
    )


def _moment(text: str) -> float:
    """As seconds; the schema was checked, so it is a moment. 0: it names no time zone."""
    moment = datetime.fromisoformat(text)
    return moment.timestamp() if moment.tzinfo else 0.0
