"""An organization's own sign-in: finding it, setting it up, and the operator's word on a domain."""

from typing import Any
from urllib.parse import urlsplit

from allauth.core import ratelimit
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from sharing.kernel import extras
from sharing.kernel.errors import Absent, AddressRefused, BadValue
from sharing.tenants import services
from sharing.tenants.errors import Taken
from sharing.tenants.services import Protocol

from .doors import actor_of
from .forms.realms import FindForm, SamlForm, SignInForm

WAYS: dict[str, str] = {Protocol.OIDC: "openid_connect_login", Protocol.SAML: "saml_login"}
SET = "The sign-in is set. New domains wait for the operator."
form_page = require_http_methods(["GET", "HEAD", "POST"])


@form_page
def find(request: HttpRequest) -> HttpResponse:
    """From an address to the sign-in of its organization; says nothing of the address itself."""
    form = FindForm(request.POST or None)
    context: dict[str, Any] = {"form": form, "asked": False}
    if request.method == "POST" and form.is_valid() and ratelimit.consume(request, action="realm"):
        realm = services.realm_for(form.cleaned_data["email"])
        context |= {"asked": True, "realm": realm}
        if realm is not None:
            context["host"] = urlsplit(realm.place).hostname
            context["way"] = reverse(WAYS[realm.protocol], args=[realm.organization.code])
    status = 422 if form.is_bound and not form.is_valid() else 200
    return render(request, "web/people/find_sign_in.html", context, status=status)


@form_page
def own(request: HttpRequest) -> HttpResponse:
    """Where the organization's people sign in. Raises NotAllowed."""
    actor, at = actor_of(request), timezone.now()
    now = services.realm_of(actor)
    realm = _spoken(now, Protocol.OIDC)
    form = SignInForm(request.POST or None, initial=_said(realm), fresh=realm is None)
    if request.method == "POST" and form.is_valid():
        try:
            services.set_realm(said=form.said(), by=actor, at=at)
        except (BadValue, AddressRefused) as error:
            form.add_error("issuer" if isinstance(error, AddressRefused) else "domains", str(error))
        else:
            messages.success(request, SET)
            return redirect("web:own-sign-in")
    told = {
        "form": form,
        "instead": now is not None and realm is None,
        "other": extras.has_saml(),
        "callback": f"/accounts/oidc/{actor.organization_code}/login/callback/",
    }
    status = 422 if form.is_bound else 200
    return render(request, "web/people/own_sign_in.html", _page(realm) | told, status=status)


@form_page
def own_saml(request: HttpRequest) -> HttpResponse:
    """The same by SAML, where the portal has it. Raises NotAllowed, Absent."""
    actor, at = actor_of(request), timezone.now()
    if not extras.has_saml():
        raise Absent()
    now = services.realm_of(actor)
    realm = _spoken(now, Protocol.SAML)
    form = SamlForm(request.POST or None, initial=_told(realm), fresh=realm is None)
    if request.method == "POST" and form.is_valid():
        try:
            services.set_saml(said=form.said(), by=actor, at=at)
        except AddressRefused as error:
            form.add_error("metadata", str(error))
        except BadValue as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, SET)
            return redirect("web:own-saml")
    root = f"{settings.PUBLIC_URL}/accounts/saml/{actor.organization_code}"
    place = {"entity": f"{root}/metadata/", "answers": f"{root}/acs/"}
    told = {"form": form, "place": place, "instead": now is not None and realm is None}
    status = 422 if form.is_bound else 200
    return render(request, "web/people/own_saml.html", _page(realm) | told, status=status)


def _page(realm: Any) -> dict[str, Any]:
    domains = realm.domains.order_by("domain") if realm else []
    return {"realm": realm, "domains": domains}


def _spoken(realm: Any, protocol: Protocol) -> Any:
    """The sign-in, where it speaks so."""
    return realm if realm is not None and realm.protocol == protocol else None


@form_page
def domains(request: HttpRequest) -> HttpResponse:
    """The operator says whose a domain is. Raises NotAllowed, Absent."""
    actor = actor_of(request)
    waiting = services.domains_waiting(actor)
    if request.method == "POST":
        chosen = request.POST.get("domain", "")
        try:
            services.confirm_domain(
                domain_id=int(chosen) if chosen.isdecimal() else 0, by=actor, at=timezone.now()
            )
        except Taken:
            messages.error(request, "This domain is another organization’s already.")
        else:
            messages.success(request, "The domain is confirmed.")
        return redirect("web:domains")
    return render(request, "web/operator/domains.html", {"waiting": waiting})


def _said(realm: Any) -> dict[str, Any]:
    if realm is None:
        return {"groups_in": "groups", "active": True}
    return _common(realm) | {"issuer": realm.issuer, "client_id": realm.client_id}


def _told(realm: Any) -> dict[str, Any]:
    if realm is None:
        usual = {"email_in": "mail", "name_in": "displayName"}
        return usual | {"groups_in": "groups", "active": True}
    return _common(realm) | {"email_in": realm.email_in, "name_in": realm.name_in}


def _common(realm: Any) -> dict[str, Any]:
    return {
        "groups_in": realm.groups_in,
        "mapping": "\n".join(f"{group} = {role}" for group, role in realm.mapping.items()),
        "domains": "\n".join(realm.domains.order_by("domain").values_list("domain", flat=True)),
        "trusts_factor": realm.trusts_factor,
        "active": realm.active,
    }
