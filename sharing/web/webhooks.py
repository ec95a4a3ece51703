"""Webhooks of the organization: where it is told what happened, and whether it listened."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from sharing.notify import hooks
from sharing.notify.errors import WebhookInvalid
from sharing.notify.rules import DeliveryState, Kind

from .doors import actor_of
from .forms.webhooks import WebhookForm

ROWS = 25
form_page = require_http_methods(["GET", "HEAD", "POST"])
LOOKS = {  # word, icon, kind of chip
    DeliveryState.WAITING: ("Waiting", "hourglass-split", "wait"),
    DeliveryState.DELIVERED: ("Delivered", "check-lg", "ok"),
    DeliveryState.DEAD: ("Nobody took it", "x-lg", "no"),
}
FAILURES = {
    "status": "The other side answered with an error",
    "not_reached": "The other side did not answer",
    "address_refused": "The address is not public any more",
}


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """All of the organization's. Raises NotAllowed."""
    actor = actor_of(request)
    dead = hooks.dead_count(actor)
    rows = [_row(webhook, dead.get(webhook.pk, 0)) for webhook in hooks.own_webhooks(actor)]
    return render(request, "web/webhooks/list.html", {"webhooks": rows})


@never_cache
@form_page
def new(request: HttpRequest) -> HttpResponse:
    """Set one up; its secret is shown on the page that answers."""
    actor = actor_of(request)
    hooks.own_webhooks(actor)
    form = WebhookForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = hooks.create_webhook(**form.cleaned_data, by=actor, at=timezone.now())
        except WebhookInvalid as error:
            form.add_error(None, str(error))
        else:
            return _shown_once(request, made)
    status = 422 if form.is_bound else 200
    return render(request, "web/webhooks/new.html", {"form": form}, status=status)


@require_safe
def show(request: HttpRequest, public_id: str) -> HttpResponse:
    """One webhook and what it was told. Raises NotAllowed, WebhookNotFound."""
    actor = actor_of(request)
    webhook = hooks.own_webhook(actor, public_id)
    page = Paginator(hooks.deliveries_of(actor, public_id), ROWS).get_page(request.GET.get("page"))
    context = {"each": _row(webhook, 0), "page": page, "rows": [_told(one) for one in page]}
    return render(request, "web/webhooks/show.html", context)


@require_POST
def change(request: HttpRequest, public_id: str) -> HttpResponse:
    """Pause it, or let it go on."""
    paused = request.POST.get("paused") == "yes"
    hooks.change_webhook(
        public_id=public_id, by=actor_of(request), at=timezone.now(), paused=paused
    )
    said = "Nothing new is sent there now." if paused else "It is told again what happens."
    messages.success(request, said)
    return redirect("web:webhook", public_id)


@never_cache
@require_POST
def rotate(request: HttpRequest, public_id: str) -> HttpResponse:
    """A new secret."""
    made = hooks.rotate_webhook(public_id=public_id, by=actor_of(request), at=timezone.now())
    return _shown_once(request, made)


@require_POST
def test(request: HttpRequest, public_id: str) -> HttpResponse:
    """Send a test."""
    hooks.try_webhook(public_id=public_id, by=actor_of(request), at=timezone.now())
    messages.success(request, "A test is on its way.")
    return redirect("web:webhook", public_id)


@require_POST
def again(request: HttpRequest, public_id: str, delivery_id: str) -> HttpResponse:
    """Send one once more."""
    hooks.send_again(
        public_id=public_id, delivery_id=delivery_id, by=actor_of(request), at=timezone.now()
    )
    messages.success(request, "It is on its way again.")
    return redirect("web:webhook", public_id)


@require_POST
def end(request: HttpRequest, public_id: str) -> HttpResponse:
    """Over at once."""
    hooks.end_webhook(public_id=public_id, by=actor_of(request), at=timezone.now())
    messages.success(request, "The webhook has ended.")
    return redirect("web:webhooks")


def _shown_once(request: HttpRequest, made: hooks.Made) -> HttpResponse:
    context = {"each": _row(made.webhook, 0), "secret": made.secret}
    return render(request, "web/webhooks/made.html", context)


def _row(webhook: Any, dead: int) -> dict[str, Any]:
    words = [Kind(kind).words for kind in webhook.kinds]
    return {"webhook": webhook, "kinds": words, "dead": dead}


def _told(delivery: Any) -> dict[str, Any]:
    word, icon, kind = LOOKS[DeliveryState(delivery.state)]
    why = FAILURES.get(delivery.failure, "")
    if delivery.failure == "status":
        why = f"{why} ({delivery.status})"
    return {
        "delivery": delivery,
        "word": word,
        "icon": icon,
        "look": kind,
        "reason": why,
        "label": Kind(delivery.kind).words,
    }
