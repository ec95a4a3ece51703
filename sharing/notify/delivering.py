"""What happened becomes deliveries, and deliveries become requests, each until somebody took it.

Arrivals and consents are read off the sealed access log, in its order, so that storing images
waits for nothing here. Bodies name things by our own ids: who may open them is asked when they do.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import repeat
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from sharing.access.models import AccessRequest, Share
from sharing.archive.models import Study
from sharing.audit.services import place_of, seal, sealed_after, stand_at
from sharing.kernel import outgoing
from sharing.kernel.errors import AddressRefused, NotReached
from sharing.kernel.lifecycle import step
from sharing.outbox.services import promise
from sharing.tenants.rules import WORKING

from .hooks import secret_of
from .models import Delivery, Webhook
from .rules import (
    DELIVERY_NEXT,
    KEPT,
    LOGGED,
    REPORTS,
    ROTATED_OVER,
    DeliveryEvent,
    DeliveryState,
    Kind,
    rest_after,
)
from .sight import in_sight, recipients

FEED = "webhooks"
LIMITS = outgoing.Limits(seconds=10, body=16 * 1024)
AT_ONCE = 8
"""So many webhooks of one organization are tried at the same time."""


def read_log(*, at: datetime) -> int:
    """Queue what the log says since the last time; how many deliveries were made."""
    hooks = _listening()
    if not hooks:
        stand_at(FEED)
        return 0
    seal(at=at)
    made = 0
    while events := sealed_after(place_of(FEED)):
        with transaction.atomic():
            for _, event in events:
                made += _from_log(hooks, event, at)
            stand_at(FEED, events[-1][0])
    return made


def _listening() -> list[Webhook]:
    wanted = set(LOGGED.values())
    return [row for row in _told() if wanted & {Kind(kind) for kind in row.kinds}]


def _from_log(hooks: Iterable[Webhook], event: Any, at: datetime) -> int:
    """What one line of the log says, to the webhooks of the organization that it concerns."""
    kind = LOGGED.get(event.action)
    if kind is None or not event.permitted:
        return 0
    data = _data_of(event)
    return sum(
        _to(hook, kind, f"log:{event.pk}", data, at, event.study_uid)
        for hook in hooks
        if hook.organization.code == event.custodian and event.at >= hook.made_at
    )


def _data_of(event: Any) -> dict[str, Any]:
    if event.action.startswith("consent."):
        verb = event.action.removeprefix("consent.")
        return {"change": verb, "consent": event.detail.get("consent", "")}
    return {"study": event.study, "url": address_of(event.study)}


def settled(*, study_ids: Sequence[int], at: datetime) -> int:
    """Studies are complete: told to their custodians, and each of their reports once."""
    rows = Study.objects.filter(pk__in=study_ids).select_related("organization")
    made = 0
    for study in rows.prefetch_related("series"):
        data = {"study": study.public_id, "url": address_of(study.public_id)}
        moment = study.settled_at or at
        hooks = list(_of(study.organization_id))
        for hook in hooks:
            key = f"settled:{study.pk}:{moment.timestamp()}"
            made += _to(hook, Kind.STUDY_SETTLED, key, data, at, study.study_uid)
        for row in study.series.all():
            key = f"report:{row.pk}:{row.instance_count}"
            if row.modality in REPORTS:
                made += sum(
                    _to(hook, Kind.REPORT_ADDED, key, data, at, study.study_uid) for hook in hooks
                )
    return made


def shared(*, share_id: int, at: datetime) -> int:
    """To the custodian, and to the organization that studies came to, while somebody there sees
    something of it.
    """
    share = Share.objects.select_related("custodian", "to_organization", "to_team").get(pk=share_id)
    data = {"share": share.public_id, "custodian": share.custodian.code}
    concerned, to = {share.custodian_id}, share.to_organization
    if to is not None and in_sight(share, to, recipients(share, to), at=at):
        concerned.add(to.pk)
    return sum(
        _to(hook, Kind.STUDY_SHARED, f"share:{share.pk}", data, at)
        for key in concerned
        for hook in _of(key)
    )


def asked(*, request_id: int, at: datetime) -> int:
    """To the organization that is asked."""
    made = AccessRequest.objects.get(pk=request_id)
    data = {"request": made.public_id}
    return sum(
        _to(hook, Kind.REQUEST_MADE, f"request:{made.pk}", data, at)
        for hook in _of(made.custodian_id)
    )


def address_of(study: str) -> str:
    """Where the study is asked for, by who may."""
    return f"{settings.PUBLIC_URL}/api/v1/studies/{study}/"


def _of(organization_id: int) -> Iterable[Webhook]:
    return _told().filter(organization_id=organization_id)


def _told() -> QuerySet[Webhook]:
    """Those that are told what happens now; none of an organization that is suspended or left."""
    rows = Webhook.objects.filter(ended_at=None, paused=False, confirmed=True)
    works = rows.filter(organization__state__in=WORKING["client"])
    return works.select_related("organization")


def _to(
    hook: Webhook, kind: Kind, key: str, data: dict[str, Any], at: datetime, uid: str = ""
) -> int:
    """1 where the webhook wants it and was not told yet."""
    if kind not in hook.kinds:
        return 0
    named = data | ({"study_uid": uid} if hook.names_studies and uid else {})
    return int(queue(hook, kind, key=key, data=named, at=at) is not None)


def queue(
    hook: Webhook, kind: Kind, *, key: str, data: dict[str, Any], at: datetime
) -> Delivery | None:
    """Owe a delivery; None where that webhook was told of it before."""
    try:
        with transaction.atomic():
            made = Delivery.objects.create(webhook=hook, key=key, kind=kind, made_at=at)
            made.body = "" if hook.criteria else _body_of(made, data)
            made.save(update_fields=["body"])
            promise("notify.deliver", at=at, delivery_id=made.pk)
    except IntegrityError:
        return None
    return made


def _body_of(made: Delivery, data: dict[str, Any]) -> str:
    """What a webhook is sent; a Subscription is sent nothing, and asks what is new."""
    body = {"id": made.public_id, "type": made.kind, "at": made.made_at.isoformat(), "data": data}
    return json.dumps(body | {"organization": made.webhook.organization.code}, sort_keys=True)


def deliver(*, delivery_id: int, at: datetime) -> None:
    """Send one delivery, unless it was taken or given up; when nobody takes it, again later."""
    row = Delivery.objects.select_related("webhook").filter(pk=delivery_id).first()
    if row is None or row.state != DeliveryState.WAITING or row.webhook.ended_at:
        return
    status, failure = _sent(row, at)
    with transaction.atomic():
        _note(row.pk, status, failure, at)
        if not failure:
            _confirm(row.webhook, at)


def try_all(*, organization_id: int, at: datetime) -> list[tuple[Webhook, int | None, str]]:
    """A signed test to each webhook of an organization, sent once and kept as a delivery.

    With each the answer's status, and why it is a failure (blank: it was taken). Nothing is owed
    before the answer, so that nobody else sends the same test.
    """
    hooks = Webhook.objects.filter(organization_id=organization_id, ended_at=None, paused=False)
    rows = [_test_for(hook, at) for hook in hooks.select_related("organization").order_by("pk")]
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        ends = list(pool.map(_sent, rows, repeat(at)))
    for row, (status, failure) in zip(rows, ends, strict=True):
        _keep_test(row, status, failure, at)
    return [(row.webhook, *end) for row, end in zip(rows, ends, strict=True)]


def _test_for(hook: Webhook, at: datetime) -> Delivery:
    row = Delivery(webhook=hook, kind=Kind.TEST, made_at=at, tried=1, tried_at=at)
    row.key, row.body = f"test:{row.public_id}", "" if hook.criteria else _body_of(row, {})
    return row


@transaction.atomic
def _keep_test(row: Delivery, status: int | None, failure: str, at: datetime) -> None:
    event = DeliveryEvent.GIVE_UP if failure else DeliveryEvent.TAKE
    row.state = step(DELIVERY_NEXT, DeliveryState.WAITING, event).value
    row.status, row.failure = status, failure
    row.save()
    if not failure:
        _confirm(row.webhook, at)


def _confirm(asked: Webhook, at: datetime) -> None:
    """Who answers, at the address that was asked, is told from now on."""
    waiting = Webhook.objects.filter(pk=asked.pk, url=asked.url, confirmed=False)
    waiting.update(confirmed=True, changed_at=at)


def _sent(row: Delivery, at: datetime) -> tuple[int | None, str]:
    """The answer's status, and why it is a failure; blank: somebody took it."""
    body = row.body.encode()
    try:
        answer = outgoing.request(
            "POST", row.webhook.url, body=body, headers=headers_of(row, body, at), limits=LIMITS
        )
    except (AddressRefused, NotReached) as error:
        return None, error.code
    return answer.status, "" if 200 <= answer.status < 300 else "status"


def headers_of(row: Delivery, body: bytes, at: datetime) -> dict[str, str]:
    """As the Standard Webhooks specification says: id, moment, and a signature by each secret."""
    moment = str(int(at.timestamp()))
    versions = [row.webhook.version]
    rotated = row.webhook.rotated_at
    if rotated is not None and at < rotated + ROTATED_OVER:
        versions.append(row.webhook.version - 1)
    signed = b".".join((row.public_id.encode(), moment.encode(), body))
    kind = {"Content-Type": "application/json"} if body else {}
    return kind | {
        "Webhook-Id": row.public_id,
        "Webhook-Timestamp": moment,
        "Webhook-Signature": " ".join(_signature(row.webhook, one, signed) for one in versions),
    }


def _signature(webhook: Webhook, version: int, signed: bytes) -> str:
    key = base64.b64decode(secret_of(webhook, version).removeprefix("whsec_"))
    made = hmac.new(key, signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(made).decode()}"


def _note(delivery_id: int, status: int | None, failure: str, at: datetime) -> None:
    row = Delivery.objects.select_for_update().get(pk=delivery_id)
    row.tried += 1
    rest = rest_after(row.tried) if failure else None
    event = DeliveryEvent.TAKE
    if failure:
        event = DeliveryEvent.FAIL if rest else DeliveryEvent.GIVE_UP
    row.state = step(DELIVERY_NEXT, DeliveryState(row.state), event).value
    row.tried_at, row.status, row.failure = at, status, failure
    row.next_at = at + rest if rest else None
    row.save(update_fields=["tried", "state", "tried_at", "status", "failure", "next_at"])
    if rest:
        promise("notify.deliver", at=at, delay=rest, delivery_id=row.pk)


def forget(*, at: datetime) -> int:
    """Drop what lies in the delivery log for longer than it is kept."""
    old = Delivery.objects.filter(made_at__lt=at - KEPT).exclude(state=DeliveryState.WAITING)
    return old.delete()[0]
