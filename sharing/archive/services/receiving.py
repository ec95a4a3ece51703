"""Receiving, whatever the door: spool, hash, scan, sync, rename, sync the folder, one transaction.

The order is the promise. Before the last line of `receive` nothing is acknowledged, and a crash
leaves at most a pack that no row names, which the reconciler finds (ADR-004).
"""

import errno
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError

from sharing.archive.errors import NoSpace
from sharing.archive.models import Batch, Delivery
from sharing.archive.rules import REASONS, Door, Outcome
from sharing.audit.rules import Who
from sharing.tenants.models import Organization
from sharing.tenants.rules import Actor, Duty
from sharing.tenants.services import organization_of, require

from .intake import Incoming, Intake, Item
from .writing import write

__all__ = ["Incoming", "Line", "Receipt", "receive", "receive_from"]


@dataclass(frozen=True)
class Line:
    """What became of one sent file; the UIDs are blank where it could not be read."""

    name: str
    outcome: Outcome
    code: str
    reason: str
    sop_class_uid: str
    sop_uid: str
    study_uid: str
    series_uid: str
    corrected: bool = False
    """Whether it leaves with other meta information than it came with (PS3.18 I.2.1)."""


@dataclass(frozen=True)
class Receipt:
    """A delivery as it was committed, and a line for every file of it, in the order sent."""

    delivery: Delivery
    items: tuple[Line, ...]


def receive_from(
    actor: Actor,
    *,
    door: Door,
    files: Iterable[Incoming],
    at: datetime,
    study_uid: str | None = None,
) -> Receipt:
    """Receive for the actor's own organization. Raises NotAllowed, and what `receive` raises."""
    require(actor, Duty.UPLOAD)
    return receive(
        organization=organization_of(actor),
        door=door,
        sender=actor.name,
        files=files,
        by=actor.who,
        at=at,
        study_uid=study_uid,
    )


def receive(
    *,
    organization: Organization,
    door: Door,
    sender: str,
    files: Iterable[Incoming],
    by: Who,
    at: datetime,
    batch: Batch | None = None,
    study_uid: str | None = None,
    missing: Sequence[tuple[str, str]] = (),
) -> Receipt:
    """Take every file, store what is new, and return the receipt; durable when this returns.

    `study_uid` refuses objects of other studies (PS3.18 10.5.1.1). ZIPs are opened unless they
    came by STOW. `missing` names files that can't be received, each with its code, for the receipt.
    Raises NoSpace when the disk is full; then nothing is kept.
    """
    with ExitStack() as stack:
        intake = Intake(organization, study_uid, door != Door.STOW, stack)
        try:
            for file in files:
                intake.take(file)
            for name, code in missing:
                intake.refuse(name, code, REASONS[code])
            intake.close()
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise NoSpace() from error
            raise
    blank = Delivery(
        organization=organization,
        door=door,
        sender=sender[:200],
        batch=batch,
        received_at=at,
    )
    return Receipt(_commit(blank, intake.items, by), tuple(map(_line, intake.items)))


def _line(item: Item) -> Line:
    return Line(
        item.name, item.outcome, item.code, item.reason,
        item.sop_class_uid, item.sop_uid, item.study_uid, item.series_uid,
        item.new is not None and not item.new.sound,
    )  # fmt: skip


def _commit(blank: Delivery, items: list[Item], by: Who) -> Delivery:
    """One transaction; once more when another delivery stored the same UID in the meantime."""
    try:
        return write(blank, items, by)
    except IntegrityError:
        blank.pk = None
        return write(blank, items, by)
