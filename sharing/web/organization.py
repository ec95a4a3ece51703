"""An organization's own console: what waits for it, and the terms that it signs."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from sharing.kernel.lifecycle import NotNow
from sharing.tenants import services, terms
from sharing.tenants.errors import SignatureMissing

from . import console
from .doors import actor_of
from .forms.organization import SignForm
from .operator import STATES, way_of

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
        "The operator can also let you begin without one, if you have no machines.",
        "",
        "",
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
    context = frame(actor, own, "web:organization") | {
        "way": way_of(own.state) if own.state != "active" else [],
        "next": NEXT_STEP.get(own.state),
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
    context = frame(actor, own, "web:organization") | {
        "form": form,
        "terms": terms.TERMS,
        "version": terms.VERSION,
        "sha256": terms.SHA256,
        "open": own.state == "checked",
    }
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "web/organization/terms.html", context, status=status)


def frame(actor: services.Actor, own: Any, here: str) -> dict[str, Any]:
    """What the head of each page of the console needs."""
    return {
        "own": own,
        "chip": STATES[own.state],
        "tabs": console.of_organization(actor, here),
    }
