"""Files on their way from a browser (tus 1.0): what stands on the disk and in the row is the truth.

A piece is appended and synced first, then the row's offset moves. After a crash between the two
the file is cut back to the row's offset, so that an offset we told is never taken back.
"""

import errno
import fcntl
import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from sharing.archive.errors import BadUpload, NoSpace, UploadNotFound, UploadTooLarge, WrongOffset
from sharing.archive.models import Batch, Delivery, DeliveryItem, Instance, Study, Upload
from sharing.archive.rules import (
    IDLE_BATCH,
    MAX_ARCHIVE_BYTES,
    MAX_FILES_AT_ONCE,
    Door,
    Outcome,
)
from sharing.archive.sql import chunks
from sharing.audit.rules import Who
from sharing.blobs.store import PIECE, sync, sync_folder
from sharing.identity.services import own_patient
from sharing.outbox.services import promise
from sharing.tenants.models import User
from sharing.tenants.rules import Actor, Duty
from sharing.tenants.services import organization_of, require

from .receiving import Incoming, receive


@transaction.atomic
def open_batch(actor: Actor, *, patient: str = "", at: datetime) -> Batch:
    """A new batch for files that belong together, of that own patient where one is chosen: what
    names another will wait. Raises NotAllowed, PatientNotFound.
    """
    require(actor, Duty.UPLOAD)
    return Batch.objects.create(
        patient=own_patient(actor, public_id=patient) if patient else None,
        organization=organization_of(actor),
        user=User.objects.get(pk=actor.user_id) if actor.user_id else None,
        client="" if actor.user_id else actor.id,
        opened_at=at,
        touched_at=at,
    )


def find_batch(actor: Actor, public_id: str) -> Batch:
    """One of the actor's own batches at the acting organization. Raises UploadNotFound."""
    found = _own(actor).filter(public_id=public_id).select_related("organization", "user").first()
    if found is None:
        raise UploadNotFound()
    return found


def _own(actor: Actor) -> QuerySet[Batch]:
    batches = Batch.objects.filter(organization_id=actor.organization_id)
    if actor.user_id:
        return batches.filter(user_id=actor.user_id)
    return batches.filter(user=None, client=actor.id)


def own_batches(actor: Actor) -> QuerySet[Batch]:
    """The actor's own batches; `is_done` says whether each was received."""
    received = Delivery.objects.filter(batch=OuterRef("pk"))
    return _own(actor).annotate(is_done=Exists(received))


@transaction.atomic
def open_upload(actor: Actor, *, batch_id: str, name: str, length: int, at: datetime) -> Upload:
    """Announce a file of `length` bytes in an open batch.

    Raises UploadNotFound, UploadTooLarge, BadUpload when the batch is closed or full.
    """
    batch = find_batch(actor, batch_id)
    if length > MAX_ARCHIVE_BYTES:
        raise UploadTooLarge()
    batch = Batch.objects.select_for_update().get(pk=batch.pk)
    if batch.closed_at or batch.uploads.count() >= MAX_FILES_AT_ONCE:
        raise BadUpload("The batch takes no more files.")
    Batch.objects.filter(pk=batch.pk).update(touched_at=at)
    return Upload.objects.create(batch=batch, name=name[:255], length=length, opened_at=at)


def find_upload(actor: Actor, public_id: str) -> Upload:
    """One of the actor's own uploads, as far as it has come. Raises UploadNotFound."""
    found = Upload.objects.filter(public_id=public_id, batch__in=_own(actor))
    upload = found.select_related("batch").first()
    if upload is None:
        raise UploadNotFound()
    return upload


def append(
    actor: Actor, *, public_id: str, offset: int, pieces: Iterable[bytes], at: datetime
) -> int:
    """Append a piece that begins at `offset`; returns the new offset, durable.

    `pieces` simply ends where the connection broke: what came is kept for the next try. Raises
    UploadNotFound, WrongOffset, UploadTooLarge, NoSpace, BadUpload when the batch is closed.
    """
    upload = find_upload(actor, public_id)
    path = _path(upload)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("ab") as file:
            _lock(file)
            upload.refresh_from_db(fields=["offset"])
            if upload.batch.closed_at:
                raise BadUpload("The batch takes no more files.")
            if offset != upload.offset:
                raise WrongOffset()
            return _advance(upload, _write(file, upload, pieces), at)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoSpace() from error
        raise


def _lock(file: IO[bytes]) -> None:
    """One writer at a time: a second one is told to ask where the upload stands."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise WrongOffset() from None


def _write(file: IO[bytes], upload: Upload, pieces: Iterable[bytes]) -> int:
    """Bytes behind the row's offset are of a try that was never told of: cut off first.

    Bytes before it that are gone are told of: filling them up would store what nobody sent.
    """
    held = os.fstat(file.fileno()).st_size
    if held < upload.offset:
        Upload.objects.filter(pk=upload.pk, offset=upload.offset).update(offset=held)
        raise WrongOffset()
    file.truncate(upload.offset)
    added = 0
    for piece in pieces:
        if upload.offset + added + len(piece) > upload.length:
            raise UploadTooLarge()
        file.write(piece)
        added += len(piece)
    sync(file)
    if upload.offset == 0:
        for folder in (_folder(upload.batch), _folder(upload.batch).parent):
            sync_folder(folder)
    return added


@transaction.atomic
def _advance(upload: Upload, added: int, at: datetime) -> int:
    """Move the offset, if no other request moved it and the batch was not closed meanwhile.

    What is acknowledged after the closing would be on no receipt. Raises WrongOffset, BadUpload.
    """
    if Batch.objects.select_for_update().get(pk=upload.batch_id).closed_at:
        raise BadUpload("The batch takes no more files.")
    moved = Upload.objects.filter(pk=upload.pk, offset=upload.offset).update(
        offset=upload.offset + added
    )
    if not moved:
        raise WrongOffset()
    Batch.objects.filter(pk=upload.batch_id).update(touched_at=at)
    return upload.offset + added


def drop_upload(actor: Actor, *, public_id: str) -> None:
    """Forget an upload (tus termination). Raises UploadNotFound, BadUpload once closed."""
    upload = find_upload(actor, public_id)
    path = _path(upload)
    with transaction.atomic():
        if Batch.objects.select_for_update().get(pk=upload.batch_id).closed_at:
            raise BadUpload("The batch takes no more files.")
        upload.delete()
    path.unlink(missing_ok=True)  # after the row: a row without its file would promise bytes


@transaction.atomic
def close_batch(actor: Actor, *, public_id: str, at: datetime) -> Batch:
    """No more files: receive what came. Closing twice is no error. Raises UploadNotFound."""
    batch = find_batch(actor, public_id)
    _close(batch, at)
    return batch


def _close(batch: Batch, at: datetime) -> None:
    if Batch.objects.filter(pk=batch.pk, closed_at=None).update(closed_at=at):
        batch.closed_at = at
        promise("archive.receive_batch", at=at, batch_id=batch.pk)


def close_idle_batches(*, at: datetime) -> int:
    """Close what its sender left open for a day; what came is received, not lost."""
    idle = Batch.objects.filter(closed_at=None, touched_at__lt=at - IDLE_BATCH)
    count = 0
    for batch in idle:
        with transaction.atomic():
            _close(batch, at)
            count += 1
    return count


def receive_batch(*, batch_id: int, at: datetime) -> Delivery | None:
    """Receive a closed batch, once. Safe to call again after a crash at any point."""
    batch = Batch.objects.select_related("organization", "user", "patient").get(pk=batch_id)
    known = Delivery.objects.filter(batch=batch).first()
    if batch.closed_at is None:
        return None
    if known is None:
        known = receive(
            organization=batch.organization,
            door=Door.UPLOAD,
            sender=batch.user.name if batch.user else "A partner's system",
            files=_files(batch),
            by=_who(batch),
            at=at,
            batch=batch,
            missing=list(_missing(batch)),
        ).delivery
    Batch.objects.filter(pk=batch.pk, received_at=None).update(received_at=at)
    for upload in batch.uploads.all():
        _path(upload).unlink(missing_ok=True)
    with suppress(OSError):
        _folder(batch).rmdir()
    return known


def _who(batch: Batch) -> Who:
    organization = batch.organization
    person = batch.user
    return Who(
        kind="user" if person else "client",
        id=person.public_id if person else batch.client,
        name=person.name if person else "",
        organization=organization.code,
        organization_name=organization.name,
    )


def _files(batch: Batch) -> Iterator[Incoming]:
    for upload in batch.uploads.order_by("pk"):
        if not _fault(upload):
            yield Incoming(upload.name, _pieces(upload))


def _missing(batch: Batch) -> Iterator[tuple[str, str]]:
    for upload in batch.uploads.order_by("pk"):
        if fault := _fault(upload):
            yield upload.name, fault


def _fault(upload: Upload) -> str:
    """Why a file can't be received; blank when all of it is here.

    One that the disk lost is said to be lost, and keeps none of the others waiting.
    """
    if upload.offset < upload.length:
        return "incomplete"
    path = _path(upload)
    held = path.stat().st_size if path.exists() else 0
    return "lost" if held < upload.length else ""


def _pieces(upload: Upload) -> Iterator[bytes]:
    if upload.length == 0:
        return
    with _path(upload).open("rb") as file:
        rest = upload.length
        while rest and (piece := file.read(min(PIECE, rest))):
            rest -= len(piece)
            yield piece


def _folder(batch: Batch) -> Path:
    return Path(settings.SCRATCH_DIR) / "uploads" / batch.public_id


def _path(upload: Upload) -> Path:
    return _folder(upload.batch) / upload.public_id


@dataclass(frozen=True)
class Receipt:
    """What became of a batch: all that was sent is counted, nothing vanishes.

    `state` is open, receiving or done; the counts are 0 until it is done. `fingerprint` is the
    SHA-256 over the sorted SHA-256 of all instances that were sent and are held now.
    """

    id: str
    state: str
    by: str
    at: datetime
    sent: int
    stored: int
    duplicates: int
    conflicts: int
    held: int
    rejected: int
    ignored: int
    items: tuple[DeliveryItem, ...]
    studies: tuple[Study, ...]
    fingerprint: str


def receipt(actor: Actor, *, batch_id: str) -> Receipt:
    """The receipt of one of the actor's own batches. Raises UploadNotFound."""
    batch = find_batch(actor, batch_id)
    delivery = Delivery.objects.filter(batch=batch).first()
    items = tuple(_items(delivery)) if delivery else ()
    counted = [item.outcome for item in items]
    studies = {item.study_id: item.study for item in items if item.study}
    return Receipt(
        id=batch.public_id,
        state="done" if delivery else "receiving" if batch.closed_at else "open",
        by=batch.user.name if batch.user else actor.name,
        at=batch.closed_at or batch.opened_at,
        sent=len(items) if delivery else batch.uploads.count(),
        stored=counted.count(Outcome.STORED),
        duplicates=counted.count(Outcome.DUPLICATE),
        conflicts=counted.count(Outcome.CONFLICT),
        held=counted.count(Outcome.HELD),
        rejected=counted.count(Outcome.REJECTED),
        ignored=counted.count(Outcome.IGNORED),
        items=items,
        studies=tuple(studies.values()),
        fingerprint=_fingerprint(delivery, items) if delivery else "",
    )


def _items(delivery: Delivery) -> QuerySet[DeliveryItem]:
    return delivery.items.select_related("study__organization", "study__patient").order_by("pk")


def _fingerprint(delivery: Delivery, items: Iterable[DeliveryItem]) -> str:
    held = [item.sop_uid for item in items if item.outcome in ("stored", "duplicate")]
    hashes: set[str] = set()
    for some in chunks(held):
        rows = Instance.objects.filter(organization_id=delivery.organization_id, sop_uid__in=some)
        hashes.update(rows.values_list("sha256", flat=True))
    return hashlib.sha256("".join(sorted(hashes)).encode()).hexdigest()
