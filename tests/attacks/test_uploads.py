"""What was acknowledged and then lost, or filled up with bytes that nobody sent."""

from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from sharing.archive.errors import BadUpload, WrongOffset
from sharing.archive.models import Batch, Instance, Upload
from sharing.archive.services import uploading
from sharing.archive.services.reconciling import reconcile
from sharing.archive.services.retrieving import Stored
from sharing.archive.services.uploading import append, close_batch, open_batch, open_upload
from sharing.blobs import BlobMissing, store
from tests.archive.sending import outcomes, send
from tests.cast import Region

SMALL = "single/pydicom_CT_small.dcm"


def begun(region: Region, length: int) -> tuple[Batch, Upload]:
    """Mei announced a file."""
    at = timezone.now()
    batch = open_batch(region.mei.actor, at=at)
    name = "a.dcm"
    return batch, open_upload(
        region.mei.actor, batch_id=batch.public_id, name=name, length=length, at=at
    )


def sent(region: Region, upload: Upload, offset: int, *pieces: bytes) -> int:
    """A piece of it."""
    return append(
        region.mei.actor,
        public_id=upload.public_id,
        offset=offset,
        pieces=pieces,
        at=timezone.now(),
    )


def test_bytes_that_the_disk_lost_are_asked_for_again_and_never_made_up(region: Region) -> None:
    """A file that is shorter than its row was filled with zeros and acknowledged."""
    _, upload = begun(region, 8)
    assert sent(region, upload, 0, b"1234") == 4
    path = uploading._path(upload)
    path.write_bytes(b"12")
    with pytest.raises(WrongOffset):
        sent(region, upload, 4, b"5678")
    upload.refresh_from_db()
    assert (upload.offset, path.read_bytes()) == (2, b"12")
    assert sent(region, upload, 2, b"345678") == 8
    assert path.read_bytes() == b"12345678"


def test_a_piece_is_not_acknowledged_when_the_batch_closed_under_it(region: Region) -> None:
    """It would be on no receipt."""
    batch, upload = begun(region, 4)

    def pieces() -> Any:
        yield b"12"
        close_batch(region.mei.actor, public_id=batch.public_id, at=timezone.now())
        yield b"34"

    with pytest.raises(BadUpload):
        append(
            region.mei.actor,
            public_id=upload.public_id,
            offset=0,
            pieces=pieces(),
            at=timezone.now(),
        )
    upload.refresh_from_db()
    assert upload.offset == 0


def test_a_lost_file_is_called_lost_and_keeps_no_other_waiting(
    region: Region, real_data: Path
) -> None:
    """The batch was tried for ever, and what came whole was never received."""
    whole = (real_data / SMALL).read_bytes()
    batch, gone = begun(region, 4)
    sent(region, gone, 0, b"1234")
    kept = open_upload(
        region.mei.actor, batch_id=batch.public_id, name="b", length=len(whole), at=timezone.now()
    )
    sent(region, kept, 0, whole)
    close_batch(region.mei.actor, public_id=batch.public_id, at=timezone.now())
    uploading._path(gone).unlink()
    delivery = uploading.receive_batch(batch_id=batch.pk, at=timezone.now())
    assert delivery is not None
    assert outcomes(delivery) == [("stored", ""), ("rejected", "lost")]


@pytest.mark.parametrize("harm", ["gone", "cut"])
def test_who_sends_lost_images_again_mends_them(region: Region, real_data: Path, harm: str) -> None:
    """It was called a duplicate, acknowledged and thrown away: nothing could mend it (F08)."""
    path = real_data / SMALL
    send(region, path)
    first = Instance.objects.get()
    if harm == "gone":
        store().delete(first.blob)
    else:
        file = store()._path(first.blob)  # type: ignore[attr-defined]
        file.write_bytes(file.read_bytes()[:-1])
    assert outcomes(send(region, path)) == [("duplicate", "")]
    mended = Instance.objects.get()
    assert mended.blob != first.blob
    row = Instance.objects.values_list(*Stored.COLUMNS).get()
    stored = Stored("", *row)
    assert stored.read(132, mended.length - 132) == path.read_bytes()[132:]
    if harm == "gone":
        with pytest.raises(BlobMissing):
            store().size(first.blob)


def test_what_is_held_is_not_kept_twice(region: Region, real_data: Path) -> None:
    """A duplicate leaves no second copy."""
    send(region, real_data / SMALL)
    before = set(store().keys())
    send(region, real_data / SMALL)
    assert set(store().keys()) == before


def test_a_signed_form_that_is_gone_is_found_by_the_reconciler(
    region: Region, settings: Any, tmp_path: Path
) -> None:
    """Only images were looked for."""
    settings.BLOB_STORAGE = str(tmp_path / "blobs")
    consent = region.permit()
    key = consent.evidence.blob
    assert reconcile(at=timezone.now(), collect=False).agrees
    store().delete(key)
    report = reconcile(at=timezone.now(), collect=False)
    assert (report.missing, report.agrees) == ([key], False)
