"""Webhooks of an organization: set up, rotated, ended, and sent again."""

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils.crypto import salted_hmac

from sharing.audit.rules import What
from sharing.audit.services import record
from sharing.kernel import outgoing
from sharing.kernel.errors import AddressRefused
from sharing.kernel.lifecycle import step
from sharing.outbox.services import promise
from sharing.tenants.rules import Actor, Duty
from sharing.tenants.services import require

from .errors import WebhookInvalid, WebhookNotFound
from .models import Delivery, Webhook
from .rules import DELIVERY_NEXT, MOST_WEBHOOKS, SUBSCRIBED, DeliveryEvent, DeliveryState, Kind


@dataclass(frozen=True)
class Made:
    """A webhook, and the secret that its deliveries are signed with, shown this once."""

    webhook: Webhook
    secret: str = field(repr=False)


def secret_of(webhook: Webhook, version: int) -> str:
    """`whsec_...`: of the portal's key, the webhook and the version; stored nowhere."""
    name = f"{webhook.public_id}:{version}"
    made = salted_hmac("sharing.notify.webhook", name, algorithm="sha256").digest()
    return f"whsec_{base64.b64encode(made).decode()}"


@transaction.atomic
def create_webhook(
    *, url: str, kinds: Iterable[str], names_studies: bool, by: Actor, at: datetime, **fhir: Any
) -> Made:
    """A webhook of the actor's organization; `fhir`: what a Subscription says besides.

    Raises NotAllowed, WebhookInvalid.
    """
    require(by, Duty.MANAGE_WEBHOOKS)
    wanted = _checked(url, kinds)
    if own_webhooks(by).count() >= MOST_WEBHOOKS:
        raise WebhookInvalid(f"An organization has {MOST_WEBHOOKS} webhooks at most.")
    webhook = Webhook.objects.create(
        organization_id=by.organization_id,
        url=url,
        kinds=wanted,
        names_studies=names_studies,
        made_by=by.name,
        made_at=at,
        changed_at=at,
        **fhir,
    )
    _tell(webhook, "webhook.create", by, at, kinds=wanted)
    return Made(webhook, secret_of(webhook, webhook.version))


@transaction.atomic
def change_webhook(*, public_id: str, by: Actor, at: datetime, **said: Any) -> Webhook:
    """Another address, other kinds, paused or not: what is said. Raises WebhookInvalid."""
    webhook = locked(public_id, by)
    if webhook.criteria and set(said) - {"paused"}:
        raise WebhookInvalid("This one is a FHIR Subscription: change it by FHIR.")
    return apply(webhook, said, by, at)


def apply(webhook: Webhook, said: Mapping[str, Any], by: Actor, at: datetime) -> Webhook:
    """Keep what is said of a locked webhook. Raises WebhookInvalid."""
    wanted = _checked(said.get("url", webhook.url), said.get("kinds", webhook.kinds))
    for name, value in {**said, "kinds": wanted, "changed_at": at}.items():
        setattr(webhook, name, value)
    webhook.save(update_fields=[*said, "kinds", "changed_at"])
    _tell(webhook, "webhook.change", by, at, changed=sorted(said))
    return webhook


@transaction.atomic
def rotate_webhook(*, public_id: str, by: Actor, at: datetime) -> Made:
    """A new secret; for a day deliveries carry both signatures. Raises WebhookNotFound."""
    webhook = locked(public_id, by)
    webhook.version += 1
    webhook.rotated_at = webhook.changed_at = at
    webhook.save(update_fields=["version", "rotated_at", "changed_at"])
    _tell(webhook, "webhook.rotate", by, at)
    return Made(webhook, secret_of(webhook, webhook.version))


@transaction.atomic
def end_webhook(*, public_id: str, by: Actor, at: datetime) -> None:
    """Nothing is sent there any more, what waits neither. Raises WebhookNotFound."""
    webhook = locked(public_id, by)
    webhook.ended_at = webhook.changed_at = at
    webhook.save(update_fields=["ended_at", "changed_at"])
    _tell(webhook, "webhook.end", by, at)


@transaction.atomic
def try_webhook(*, public_id: str, by: Actor, at: datetime) -> Delivery:
    """Send a test there. Raises WebhookNotFound."""
    from .delivering import queue

    webhook = locked(public_id, by)
    made = queue(webhook, Kind.TEST, key=f"test:{at.timestamp()}", data={}, at=at)
    if made is None:
        raise WebhookInvalid("A test is under way.")
    return made


@transaction.atomic
def send_again(*, public_id: str, delivery_id: str, by: Actor, at: datetime) -> Delivery:
    """The same body once more, now. Raises WebhookNotFound."""
    webhook = locked(public_id, by)
    delivery = webhook.deliveries.select_for_update().filter(public_id=delivery_id).first()
    if delivery is None:
        raise WebhookNotFound()
    state = step(DELIVERY_NEXT, DeliveryState(delivery.state), DeliveryEvent.AGAIN)
    delivery.state, delivery.tried, delivery.next_at = state.value, 0, at
    delivery.save(update_fields=["state", "tried", "next_at"])
    promise("notify.deliver", at=at, delivery_id=delivery.pk)
    _tell(webhook, "webhook.send_again", by, at, delivery=delivery.public_id)
    return delivery


def own_webhooks(by: Actor) -> QuerySet[Webhook]:
    """Those of the actor's organization that have not ended, newest first. Raises NotAllowed."""
    require(by, Duty.MANAGE_WEBHOOKS)
    mine = Webhook.objects.filter(organization_id=by.organization_id, ended_at=None)
    return mine.order_by("-made_at", "-pk")


def own_webhook(by: Actor, public_id: str) -> Webhook:
    """One of them. Raises NotAllowed, WebhookNotFound."""
    found = own_webhooks(by).filter(public_id=public_id).first()
    if found is None:
        raise WebhookNotFound()
    return found


def deliveries_of(by: Actor, public_id: str) -> QuerySet[Delivery]:
    """What one of them was told, newest first. Raises WebhookNotFound."""
    return own_webhook(by, public_id).deliveries.order_by("-made_at", "-pk")


def dead_count(by: Actor) -> dict[int, int]:
    """How many deliveries nobody took, by webhook."""
    dead = Delivery.objects.filter(webhook__in=own_webhooks(by), state=DeliveryState.DEAD)
    counts: dict[int, int] = {}
    for key in dead.values_list(F("webhook_id"), flat=True):
        counts[key] = counts.get(key, 0) + 1
    return counts


def _checked(url: str, kinds: Iterable[str]) -> list[str]:
    wanted = sorted(set(kinds))
    if not wanted or not set(wanted) <= {kind.value for kind in SUBSCRIBED}:
        raise WebhookInvalid("Choose at least one kind of event, and only kinds that there are.")
    try:
        outgoing.check_address(url)
    except AddressRefused as error:
        raise WebhookInvalid(str(error)) from error
    return wanted


def locked(public_id: str, by: Actor) -> Webhook:
    """One of the organization's, for the rest of the transaction. Raises WebhookNotFound."""
    return Webhook.objects.select_for_update().get(pk=own_webhook(by, public_id).pk)


def _tell(webhook: Webhook, action: str, by: Actor, at: datetime, **more: Any) -> None:
    detail = {"webhook": webhook.public_id} | more
    what = What(custodian=by.organization_code, detail=detail)
    record(who=by.who, action=action, at=at, what=what)
