"""Clients of the organization: machines and apps, what they may do, their secrets and their end."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from sharing.partners import services
from sharing.partners.errors import ClientInvalid
from sharing.partners.rules import in_words

from .doors import actor_of
from .forms.clients import ClientForm

LABELS = {"app": "App", "machine": "Machine"}
PROOFS = {"secret": "Secret", "signature": "Signature", "challenge": "Code challenge (PKCE)"}
form_page = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """All that call for the organization. Raises NotAllowed."""
    clients = [_row(client) for client in services.own_clients(actor_of(request))]
    return render(request, "web/clients/list.html", {"clients": clients})


@never_cache
@form_page
def new(request: HttpRequest) -> HttpResponse:
    """Describe a client; its secret is shown on the page that answers, and never again."""
    actor = actor_of(request)
    services.own_clients(actor)
    form = ClientForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = services.create_client(wish=form.wish, by=actor, at=timezone.now())
        except ClientInvalid as error:
            form.add_error(None, str(error))
        else:
            return _shown_once(request, made)
    status = 422 if form.is_bound else 200
    return render(request, "web/clients/new.html", {"form": form}, status=status)


@require_safe
def show(request: HttpRequest, client_id: str) -> HttpResponse:
    """One client. Raises NotAllowed, ClientNotFound."""
    client = services.own_client(actor_of(request), client_id)
    context = {"each": _row(client), "tokens": services.live_tokens(client, at=timezone.now())}
    return render(request, "web/clients/show.html", context)


@never_cache
@require_POST
def rotate(request: HttpRequest, client_id: str) -> HttpResponse:
    """A new secret; the one before works for a day more, or ends at once."""
    made = services.rotate_secret(
        client_id=client_id,
        at_once="at_once" in request.POST,
        by=actor_of(request),
        at=timezone.now(),
    )
    return _shown_once(request, made)


@require_POST
def end(request: HttpRequest, client_id: str) -> HttpResponse:
    """Over at once, with its tokens."""
    actor = actor_of(request)
    name = services.own_client(actor, client_id).name
    services.end_client(client_id=client_id, by=actor, at=timezone.now())
    messages.success(request, f"{name} has ended. Its tokens open nothing any more.")
    return redirect("web:clients")


def _shown_once(request: HttpRequest, made: services.Made) -> HttpResponse:
    context = {"each": _row(made.client), "secret": made.secret}
    return render(request, "web/clients/made.html", context)


def _row(client: Any) -> dict[str, Any]:
    proof = "secret"
    if client.jwks or client.jwks_url:
        proof = "signature"
    elif client.client_type == client.CLIENT_PUBLIC:
        proof = "challenge"
    return {
        "client": client,
        "label": LABELS["app" if client.is_app else "machine"],
        "said": PROOFS[proof],
        "has_secret": proof == "secret",
        "scopes": [(scope, in_words(scope)) for scope in client.scopes],
        "redirects": client.redirect_uris.split(),
    }
