"""The same request again gets the same answer: what a caller's Idempotency-Key stands for.

The answer may hold a patient's identifier or a secret that is shown once. It is kept under a key
made of the portal's and the caller's own, of which only a fingerprint stands beside it. Whether it
is told again, the face asks first (portal/conventions.py): consent and access end meanwhile.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from django.db import IntegrityError, transaction
from django.utils.crypto import salted_hmac

from sharing.tenants.rules import Actor

from .errors import KeyReused
from .models import Replay

KEPT = timedelta(hours=24)


@dataclass(frozen=True)
class Kept:
    """The row of a key, and the answer that is kept there."""

    row: Replay
    answer: Mapping[str, Any] | None


def begin(*, actor: Actor, key: str, asked: str, at: datetime) -> Kept:
    """Claim a key inside the transaction of what it is for; a second one waits for the first.

    Raises KeyReused where the key stood for another request.
    """
    name = _name(actor, key)
    Replay.objects.filter(name=name, expires_at__lte=at).delete()
    try:
        with transaction.atomic():
            return Kept(Replay.objects.create(name=name, asked=asked, expires_at=at + KEPT), None)
    except IntegrityError:
        row = Replay.objects.select_for_update().get(name=name)
    answer = _opened(bytes(row.answer), key) if row.answer else None
    if row.asked != asked or answer is None:
        raise KeyReused()
    return Kept(row, answer)


def keep(kept: Kept, *, answer: Mapping[str, Any], key: str) -> None:
    """The answer that the key stands for from now on."""
    sealed = _box(key).encrypt(json.dumps(answer).encode())
    Replay.objects.filter(pk=kept.row.pk).update(answer=sealed)


def forget(kept: Kept) -> None:
    """Nothing was done: the key is free again."""
    Replay.objects.filter(pk=kept.row.pk).delete()


def clear(*, at: datetime) -> int:
    """Drop what is older than it is kept."""
    return Replay.objects.filter(expires_at__lte=at).delete()[0]


def _name(actor: Actor, key: str) -> str:
    """Keys of two callers are two, and so are those of one who may less or more by now.

    Else a kept answer would be told to a token without the scope, or to who lost the role.
    """
    who = (actor.kind, actor.client, actor.id, actor.organization_code, actor.purpose)
    may = (sorted(actor.roles), sorted(actor.scopes), actor.assured, actor.active)
    return hashlib.sha256("\n".join(map(str, (*who, *may, key))).encode()).hexdigest()


def _box(key: str) -> Fernet:
    made = salted_hmac("sharing.partners.replay", key, algorithm="sha256").digest()
    return Fernet(base64.urlsafe_b64encode(made))


def _opened(sealed: bytes, key: str) -> Mapping[str, Any] | None:
    try:
        opened: Mapping[str, Any] = json.loads(_box(key).decrypt(sealed))
    except (InvalidToken, ValueError):
        return None
    return opened
