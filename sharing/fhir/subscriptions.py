"""Webhooks that were asked for by FHIR, as R4 Subscriptions on a rest-hook without payload."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Q

from sharing.kernel.errors import Absent
from sharing.notify.errors import WebhookInvalid
from sharing.notify.hooks import end_webhook
from sharing.notify.subscriptions import change_subscription, subscribe, subscriptions_of

from .errors import ResourceInvalid, VersionStale
from .kinds import Kind, Rows, Sort, register
from .matching import EVERYTHING, NOTHING, Asking, Given, Param, text, token, unheld
from .reader import Reader
from .versions import versioned
from .words import Json, instant, told
from .writing import Writer

REST_HOOK = "rest-hook"
_ERROR = "Nobody took the last notification, in eleven tries."


def _rows(asking: Asking) -> Rows:
    return subscriptions_of(asking.actor)


def _told(asking: Asking, rows: Sequence[Any]) -> list[Json]:
    return [_subscription(row) for row in rows]


def _subscription(row: Any) -> Json:
    return told(
        {
            "resourceType": "Subscription",
            "id": row.public_id.replace("_", "."),
            "meta": {"lastUpdated": instant(row.changed_at)},
            "status": row.standing,
            "reason": row.why,
            "criteria": row.criteria,
            "error": _ERROR if row.standing == "error" else "",
            "channel": {"type": REST_HOOK, "endpoint": row.url},
        }
    )


def _status(asking: Asking, given: Given) -> Q:
    return Q(standing=given.token()[1])


def _type(asking: Asking, given: Given) -> Q:
    return EVERYTHING if given.token()[1] == REST_HOOK else NOTHING


SUBSCRIPTION = register(
    Kind(
        name="Subscription",
        rows=_rows,
        told=_told,
        params={
            "contact": unheld("token"),
            "criteria": text("criteria"),
            "payload": unheld("token"),
            "status": token(_status),
            "type": token(_type),
            "url": Param("uri", lambda asking, given: Q(url=given.text)),
        },
        summary=("meta", "status", "reason", "criteria", "error", "channel"),
        required=("status", "reason", "criteria", "channel"),
        sorts={"_lastUpdated": Sort("changed_at")},
        default_sort=Sort("made_at", falling=True),
        written=("create", "update", "delete"),
        documentation="Webhooks of the own organization: rest-hook without payload. The status "
        "becomes active when the endpoint answered a first request. Requests are signed.",
    )
)
TYPES = ("Subscription",)


# --- writing --------------------------------------------------------------------------------------
def create(asking: Asking, body: Json) -> Json:
    """Raises NotAllowed, ResourceInvalid, WebhookInvalid."""
    said = _read(body)
    if said.pop("standing") not in ("requested", "active"):
        raise ResourceInvalid()
    made = subscribe(**said, by=asking.actor, at=asking.at)
    return _now(asking, made.public_id)


def update(asking: Asking, name: str, body: Json, version: str) -> Json:
    """Raises Absent, VersionStale, and what `create` raises."""
    _same(asking, name, version)
    change_subscription(public_id=name, **_read(body), by=asking.actor, at=asking.at)
    return _now(asking, name)


def delete(asking: Asking, name: str, version: str) -> None:
    """Nothing more is sent. Raises Absent, VersionStale."""
    _same(asking, name, version)
    end_webhook(public_id=name, by=asking.actor, at=asking.at)


def _same(asking: Asking, name: str, version: str) -> None:
    """Where the version that was read is named, it is the one that is changed."""
    now = _now(asking, name)
    if version and version != now["meta"]["versionId"]:
        raise VersionStale()


def _now(asking: Asking, name: str) -> Json:
    row = SUBSCRIPTION.find(asking, name)
    if row is None:
        raise Absent()
    return versioned(_subscription(row))


def _read(body: Json) -> dict[str, str]:
    """What is asked for; an element that is not kept here refuses the whole."""
    read = Reader(body)
    read.skip("resourceType", "meta", "error")
    said = {
        "criteria": read.text("criteria"),
        "url": _endpoint(read.one("channel")),
        "why": read.text("reason"),
        "standing": read.text("status"),
    }
    read.done()
    if said["standing"] not in ("requested", "active", "off"):
        raise ResourceInvalid()
    return said


def _endpoint(channel: Reader | None) -> str:
    if channel is None or channel.text("type") != REST_HOOK:
        raise WebhookInvalid("The channel is a rest-hook; no other is offered.")
    if {"payload", "header"} & set(channel.element):
        raise WebhookInvalid(
            "Nothing is sent along: leave payload and header out. Requests are signed."
        )
    url = channel.text("endpoint", most=2000)
    channel.done()
    return url


WRITER = Writer(create, update, delete=delete)
