"""The other side of a webhook, in place of the network, and how it checks what came."""

import base64
import hashlib
import hmac
import json
from datetime import datetime
from typing import Any

from sharing.kernel import outgoing
from sharing.kernel.errors import NotReached
from sharing.notify import delivering
from sharing.outbox.models import Job
from tests.cast import NOW


class Receiver:
    """The other side, in place of the network: what came, and what it answers."""

    def __init__(self) -> None:
        self.came: list[tuple[str, dict[str, str], bytes]] = []
        self.status: int | None = 200

    def request(self, method: str, url: str, *, body: bytes, headers: Any, limits: Any) -> Any:
        """As `outgoing.request`."""
        self.came.append((url, dict(headers), body))
        if self.status is None:
            raise NotReached()
        return outgoing.Answer(self.status, {}, b"")

    @property
    def kinds(self) -> list[str]:
        """What it was told."""
        return [json.loads(body)["type"] for _, _, body in self.came]


def deliver_all(at: datetime = NOW) -> None:
    """What is owed, as the worker does it."""
    for job in Job.objects.filter(task="notify.deliver", done_at=None, due_at__lte=at):
        delivering.deliver(**job.ids, at=at)
        Job.objects.filter(pk=job.pk).update(done_at=at)


def checked(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """As a receiver checks it, by the specification's own words."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['Webhook-Id']}.{headers['Webhook-Timestamp']}.".encode() + body
    good = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return f"v1,{good}" in headers["Webhook-Signature"].split()
