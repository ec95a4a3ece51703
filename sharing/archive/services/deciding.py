"""Conflicts: the same SOP Instance UID with other bytes. A person looks at both, and decides.

An identifier names one object for ever (PS3.5 9), so keeping both is no choice: one of them would
need another identifier, and would be another object than the one that was sent (ADR-005).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson
from django.db import transaction
from django.db.models import QuerySet

from sharing.archive.errors import ConflictNotFound, NotRenderable, RemovalInvalid
from sharing.archive.frames import packed
from sharing.archive.metadata import expanded
from sharing.archive.models import Conflict, Instance, Study
from sharing.archive.rules import Door, RemovalKind, Why
from sharing.audit.rules import Ground, What
from sharing.audit.services import record, record_read
from sharing.dicom.child import render_in_child
from sharing.dicom.compare import Difference, differences
from sharing.dicom.drawing import How
from sharing.dicom.errors import CannotRender
from sharing.dicom.json_model import dicom_json
from sharing.tenants.rules import Actor, Duty
from sharing.tenants.services import require

from .leaving import (
    Order,
    attempt,
    check_free,
    count_again,
    journal,
    lock,
    owe_erasure,
    withhold,
)
from .receiving import receive
from .rejecting import incoming
from .retrieving import Stored

CONFLICT, OTHER_PATIENT = "conflict", "other_patient"


@dataclass(frozen=True)
class Side:
    """One of the two objects: as DICOM JSON, its size in bytes, its frames, whether it shows."""

    json: dict[str, Any]
    size: int
    frames: int


@dataclass(frozen=True)
class Comparison:
    """A conflict as a person sees it; `old` is None when the stored object is another patient's."""

    conflict: Conflict
    study: Study | None
    old: Side | None
    new: Side
    differences: list[Difference]
    same_pixels: bool


def waiting(actor: Actor) -> QuerySet[Conflict]:
    """The own organization's undecided conflicts, oldest first. Raises NotAllowed."""
    require(actor, Duty.DECIDE)
    found = Conflict.objects.filter(
        organization_id=actor.organization_id, decided_at=None, held=None
    )
    return found.select_related("delivery").order_by("received_at", "pk")


def studies_of(actor: Actor, conflicts: Sequence[Conflict], *, at: datetime) -> dict[str, Study]:
    """The own studies that these conflicts are about, by Study Instance UID."""
    inside = Study.objects.visible_to(actor, at).with_owners()
    wanted = {conflict.study_uid for conflict in conflicts}
    found = inside.filter(organization_id=actor.organization_id, study_uid__in=wanted)
    return {study.study_uid: study for study in found}


def compare(actor: Actor, *, conflict_id: int, at: datetime, request_id: str = "") -> Comparison:
    """Both objects side by side; that the actor saw them is in the log before this returns.

    Raises NotAllowed, ConflictNotFound, BlobUnavailable.
    """
    conflict = _waiting_one(actor, conflict_id)
    row, study = _stored(conflict), _log_read(actor, conflict, at, request_id)
    new = _new_side(conflict)
    made = Side(dicom_json(new.scanned, bulk_uri="bulk"), conflict.length, new.frames)
    if row is None:
        return Comparison(conflict, study, old=None, new=made, differences=[], same_pixels=False)
    json = orjson.loads(expanded(row.metadata, bulk_uri="bulk"))
    return Comparison(
        conflict,
        study,
        old=Side(json, row.length, row.frames),
        new=made,
        differences=differences(json, made.json),
        same_pixels=_same_pixels(_old_side(row), new),
    )


def picture_of(
    actor: Actor, *, conflict_id: int, new: bool, at: datetime, request_id: str = ""
) -> bytes:
    """A JPEG of one of the two, 640 pixels at most: large enough to see what is different.

    Raises ConflictNotFound, NotRenderable, BlobUnavailable.
    """
    conflict = _waiting_one(actor, conflict_id)
    _log_read(actor, conflict, at, request_id)
    row = _stored(conflict)
    if new:
        return _picture(_new_side(conflict))
    if row is None:
        raise NotRenderable()
    return _picture(_old_side(row))


def _picture(stored: Stored) -> bytes:
    try:
        return render_in_child(stored.gathered(stored.frames // 2), How(size=(640, 640)))
    except CannotRender as wrong:
        raise NotRenderable(wrong.reason) from wrong


@transaction.atomic
def keep_old(actor: Actor, *, conflict_id: int, at: datetime) -> None:
    """The stored object stays; the other bytes are kept for a time, and purged.

    Raises NotAllowed, ConflictNotFound.
    """
    conflict = _locked(actor, conflict_id)
    _decide(actor, conflict, "kept", at)


def take_new(actor: Actor, *, conflict_id: int, at: datetime) -> None:
    """The new bytes replace the stored ones, which are kept for a time, and purged.

    Raises NotAllowed, ConflictNotFound, OnHold, and RemovalInvalid where the new object is of
    another patient: such files must be corrected where they were made.
    """
    conflict = _waiting_one(actor, conflict_id)
    row = _stored(conflict)
    study = Study.objects.with_owners().filter(series__instances=row).first() if row else None
    with attempt(study, action="study.supersede", by=actor.who, at=at):
        _take(actor, _locked(actor, conflict_id), at)


def _take(actor: Actor, conflict: Conflict, at: datetime) -> None:
    row = _stored(conflict)
    if row is None or conflict.code != CONFLICT:
        raise RemovalInvalid("Only a stored object of the same patient can be replaced.")
    study = lock(row.series.study_id)
    check_free(study)
    order = Order(Why.NEWER, "", actor.who, at)
    removal = journal(
        study.organization_id, study.subject.what, RemovalKind.SUPERSEDED, order, instances=1
    )
    withhold(study, Instance.objects.filter(pk=row.pk), removal, refused=False)
    receive(
        organization=study.organization,
        door=Door.AGAIN,
        sender=actor.name,
        files=[incoming(conflict)],
        by=actor.who,
        at=at,
    )
    now = Instance.objects.filter(
        organization_id=study.organization_id, sop_uid=conflict.sop_uid, sha256=conflict.sha256
    )
    if not now.exists():
        raise RemovalInvalid("The new object is of another patient than its study.")
    count_again(study, at)
    pack, conflict.blob = conflict.blob, ""
    _decide(actor, conflict, "taken", at)
    owe_erasure(study.organization_id, {pack}, at)


def _decide(actor: Actor, conflict: Conflict, decision: str, at: datetime) -> None:
    conflict.decided_at, conflict.decision, conflict.decided_by = at, decision, actor.name
    conflict.save(update_fields=["decided_at", "decision", "decided_by", "blob"])
    detail = {"decision": decision, "delivery": conflict.delivery.public_id}
    event = replace(_what(None, conflict, actor), detail=detail)
    record(who=actor.who, action="study.decide_conflict", at=at, what=event)


def _waiting_one(actor: Actor, conflict_id: int) -> Conflict:
    found = waiting(actor).filter(pk=conflict_id).first()
    if found is None:
        raise ConflictNotFound()
    return found


def _locked(actor: Actor, conflict_id: int) -> Conflict:
    rows = waiting(actor).select_for_update(of=("self",))
    found = rows.filter(pk=conflict_id).first()
    if found is None:
        raise ConflictNotFound()
    return found


def _stored(conflict: Conflict) -> Instance | None:
    """The stored object of the same identifier."""
    rows = Instance.objects.select_related("series")
    return rows.filter(organization_id=conflict.organization_id, sop_uid=conflict.sop_uid).first()


def _old_side(row: Instance) -> Stored:
    """The stored object as `retrieving` knows it."""
    return Stored("", *Instance.objects.filter(pk=row.pk).values_list(*Stored.COLUMNS).get())


def _new_side(conflict: Conflict) -> Stored:
    """The waiting bytes in the same form, scanned now."""
    blank = Stored(
        study="",
        series_uid="",
        sop_uid=conflict.sop_uid,
        sop_class_uid="",
        transfer_syntax="",
        frames=0,
        blob=conflict.blob,
        offset=conflict.offset,
        length=conflict.length,
        sha256=conflict.sha256,
        layout=None,
        sound=True,
    )
    scanned = blank.scanned
    return replace(
        blank,
        series_uid=scanned.series_uid,
        sop_class_uid=scanned.sop_class_uid,
        transfer_syntax=scanned.transfer_syntax,
        frames=scanned.facts.frames,
        layout=packed(scanned.pixel),
    )


def _same_pixels(old: Stored, new: Stored) -> bool:
    """Whether every frame has the same bytes."""
    if old.transfer_syntax != new.transfer_syntax or old.frames != new.frames:
        return False
    return all(
        b"".join(old.frame(index)) == b"".join(new.frame(index)) for index in range(old.frames)
    )


def _what(study: Study | None, conflict: Conflict, actor: Actor) -> What:
    if study is not None:
        return study.subject.what
    return What(custodian=actor.organization_code, study_uid=conflict.study_uid)


def _log_read(actor: Actor, conflict: Conflict, at: datetime, request_id: str) -> Study | None:
    """That the actor looks, in the log; the own study that the conflict is about."""
    study = studies_of(actor, [conflict], at=at).get(conflict.study_uid)
    record_read(
        who=actor.who,
        action="study.compare",
        at=at,
        what=_what(study, conflict, actor),
        ground=Ground(rule="own_staff", reason="Decides conflicts of the own organization"),
        request_id=request_id,
    )
    return study
