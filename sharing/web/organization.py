"""An organization's own console: what waits for it, and the terms that it signs."""

from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from sharing.kernel.errors import Absent, AddressRefused
from sharing.kernel.lifecycle import NotNow
from sharing.office import services as office
from sharing.office.errors import ExportMissing, SamePerson
from sharing.office.rules import CALLER
from sharing.tenants import services, terms
from sharing.tenants.errors import ProfileInvalid, SignatureMissing

from .closing import closing
from .desk import desk_of
from .doors import actor_of
from .forms.organization import DevicesForm, LogoForm, ProfileForm, SignForm
from .operator import STATES, way_of
from .wording import and_list
from .words import span

form_page = require_http_methods(["GET", "HEAD", "POST"])
NEXT_STEP = {  # state -> what waits: heading, sentence, word on the button, route
    "checked": (
        "Next: sign the region’s terms",
        "Read them, then sign for your organization. It takes two minutes.",
        "Read and sign",
        "web:terms",
    ),
    "signed": (
        "Next: test the connection",
        "A study of nobody goes to the portal and back, in a few seconds.",
        "To the connection",
        "web:connection",
    ),
    "tested": (
        "You have done your part",
        "The region’s operator lets you begin. You get an e-mail.",
        "",
        "",
    ),
}


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Where the organization stands, and what is next. Raises NotAllowed."""
    actor = actor_of(request)
    own = services.organization_to_run(actor)
    context = frame(own) | {
        "way": way_of(own.state) if own.state != "active" else [],
        "desk": desk_of(actor, own, at=timezone.now()) if own.state == "active" else None,
        "next": NEXT_STEP.get(own.state),
        "leaving": office.leaving_of(own.pk),
        "me": actor.id,
        "moves": list(reversed(services.history(own.pk))),
    }
    return render(request, "web/organization/overview.html", context)


@form_page
def sign(request: HttpRequest) -> HttpResponse:
    """The region's terms: read, then sign by name and function. Raises NotAllowed."""
    actor = actor_of(request)
    own = services.organization_to_run(actor)
    form = SignForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.sign_terms(**form.cleaned_data, by=actor, at=timezone.now())
        except SignatureMissing as error:
            form.add_error(None, str(error))
        except NotNow:
            messages.error(request, "The terms are signed already, or it is not the time for it.")
            return redirect("web:organization")
        else:
            messages.success(request, "Signed. Next: test the connection.")
            return redirect("web:organization")
    context = frame(own) | {
        "form": form,
        "terms": terms.TERMS,
        "version": terms.VERSION,
        "sha256": terms.SHA256,
        "open": own.state == "checked",
    }
    return render(request, "web/organization/terms.html", context, status=_status(form))


@form_page
def profile(request: HttpRequest) -> HttpResponse:
    """What the organization says of itself. Raises NotAllowed."""
    actor = actor_of(request)
    own = services.organization_to_run(actor)
    parents = services.parents_for(own)
    form = ProfileForm(
        request.POST or None, parents=parents, initial=asdict(services.profile_of(own))
    )
    if request.method == "POST" and form.is_valid():
        try:
            changed = services.set_profile(profile=form.profile, by=actor, at=timezone.now())
        except ProfileInvalid as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _said(changed))
            return redirect("web:profile")
    context = _profile_page(actor, own, form, LogoForm())
    return render(request, "web/organization/profile.html", context, status=_status(form))


def _said(changed: list[str]) -> str:
    if not changed:
        return "Nothing differs from what was there."
    return f"Saved: {and_list([name.replace('_', ' ') for name in changed])}."


@require_POST
def set_logo(request: HttpRequest) -> HttpResponse:
    """A new picture for the organization. Raises NotAllowed."""
    actor = actor_of(request)
    own = services.organization_to_run(actor)
    form = LogoForm(request.POST, request.FILES)
    if form.is_valid():
        services.set_logo(png=form.cleaned_data["picture"], by=actor, at=timezone.now())
        messages.success(request, "The picture is changed.")
        return redirect("web:profile")
    profile_form = ProfileForm(
        parents=services.parents_for(own), initial=asdict(services.profile_of(own))
    )
    context = _profile_page(actor, own, profile_form, form)
    return render(request, "web/organization/profile.html", context, status=422)


def _profile_page(
    actor: services.Actor, own: Any, form: ProfileForm, logo: LogoForm
) -> dict[str, Any]:
    has_logo = services.logo_of(own.code) is not None
    return frame(own) | {"form": form, "logo": logo, "has_logo": has_logo}


@require_safe
def logo(request: HttpRequest, code: str) -> HttpResponse:
    """The picture of an organization of the region. Raises Absent."""
    actor_of(request)
    png = services.logo_of(code)
    if png is None:
        raise Absent()
    return HttpResponse(png, content_type="image/png")


@form_page
def devices(request: HttpRequest) -> HttpResponse:
    """The systems that send and ask. Raises NotAllowed."""
    actor = actor_of(request)
    own = services.organization_to_run(actor)
    known = services.devices(own)
    form = DevicesForm(request.POST or None, initial={"devices": "\n".join(d.line for d in known)})
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data["devices"]
        try:
            services.set_devices(devices=said, by=actor, at=timezone.now())
        except AddressRefused:
            form.add_error("devices", "Give a public name or address, or ask the operator.")
        else:
            count = span(len(said), "AE title")
            messages.success(request, f"Saved: {count}.")
            return redirect("web:devices")
    root = f"{settings.PUBLIC_URL}/dicomweb/o/{own.code}"
    context = frame(own) | {"form": form, "dicomweb": root, "devices": known, "caller": CALLER}
    return render(request, "web/organization/devices.html", context, status=_status(form))


@require_POST
def close(request: HttpRequest) -> HttpResponse:
    """Its administrator's word that it may be deleted. Raises NotAllowed."""
    actor, at = actor_of(request), timezone.now()
    own = services.organization_to_run(actor)
    try:
        said = closing(own, actor, at)
    except (NotNow, ExportMissing, SamePerson) as error:
        messages.error(request, str(error))
    else:
        messages.success(request, said)
    return redirect("web:organization")


def _status(form: Any) -> int:
    return 422 if form.is_bound and form.errors else 200


def frame(own: Any) -> dict[str, Any]:
    """What the head of each page of the console needs."""
    return {"own": own, "chip": STATES[own.state]}
