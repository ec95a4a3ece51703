"""Webhooks as FHIR sees them: Subscriptions, told by an empty request that there is something new.

A Subscription is a webhook that keeps the criteria it was asked for by. It is told nothing before
the other side answered a first request; what it is told carries nothing, so that whoever listens
asks for what is new, and is shown what it may see.
"""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import Case, CharField, OuterRef, QuerySet, Subquery, Value, When

from sharing.tenants.rules import Actor

from .delivering import queue
from .errors import WebhookInvalid
from .hooks import apply, create_webhook, locked, own_webhooks
from .models import Delivery, Webhook
from .rules import DeliveryState, Kind

CRITERIA: Mapping[str, tuple[Kind, ...]] = {
    "ImagingStudy": (Kind.STUDY_RECEIVED, Kind.STUDY_SETTLED),
    "ImagingStudy?status=available": (Kind.STUDY_SETTLED,),
    "DiagnosticReport": (Kind.REPORT_ADDED,),
    "DocumentReference": (Kind.REPORT_ADDED,),
    "Consent": (Kind.CONSENT_CHANGED,),
}
"""Of what a Subscription can be told, and by which events of webhooks."""
SAID = ", ".join(CRITERIA)


@transaction.atomic
def subscribe(*, criteria: str, url: str, why: str, by: Actor, at: datetime) -> Webhook:
    """Set one up, and ask the other side whether it listens. Raises NotAllowed, WebhookInvalid."""
    kinds = _kinds(criteria)
    made = create_webhook(
        url=url, kinds=kinds, names_studies=False, by=by, at=at,
        criteria=criteria, why=_checked(why), confirmed=False,
    )  # fmt: skip
    _ask(made.webhook, at)
    return made.webhook


@transaction.atomic
def change_subscription(
    *, public_id: str, criteria: str, url: str, why: str, standing: str, by: Actor, at: datetime
) -> None:
    """What it is to be now: `off`, `requested` anew, or `active` as it was.

    Another address is asked first, like a new one. Raises WebhookInvalid, WebhookNotFound.
    """
    webhook = locked(public_id, by)
    off = standing == "off"
    anew = not off and (standing == "requested" or url != webhook.url)
    said = {"criteria": criteria, "kinds": _kinds(criteria), "url": url, "why": _checked(why)}
    same = webhook.confirmed and url == webhook.url
    apply(webhook, {**said, "paused": off, "confirmed": same and not anew}, by, at)
    if anew:
        _ask(webhook, at)


def subscriptions_of(by: Actor) -> QuerySet[Webhook]:
    """The organization's, each with its `standing` in FHIR's words. Raises NotAllowed."""
    told = Delivery.objects.filter(webhook=OuterRef("pk")).order_by("-made_at", "-pk")
    rows = own_webhooks(by).exclude(criteria="")
    return rows.annotate(last=Subquery(told.values("state")[:1])).annotate(
        standing=Case(
            When(paused=True, then=Value("off")),
            When(last=DeliveryState.DEAD, then=Value("error")),
            When(confirmed=False, then=Value("requested")),
            default=Value("active"),
            output_field=CharField(),
        )
    )


def _ask(webhook: Webhook, at: datetime) -> None:
    queue(webhook, Kind.TEST, key=f"asked:{at.timestamp()}", data={}, at=at)


def _kinds(criteria: str) -> tuple[Kind, ...]:
    kinds = CRITERIA.get(criteria.removesuffix("?"))
    if kinds is None:
        raise WebhookInvalid(f"A Subscription is told of one of these criteria: {SAID}.")
    return kinds


def _checked(why: str) -> str:
    if not why.strip():
        raise WebhookInvalid("Say the reason of the Subscription.")
    return why
