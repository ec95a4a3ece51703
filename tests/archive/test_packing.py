"""How deliveries become packs: one each, without dead bytes, by the same statements for many."""

import hashlib
from collections.abc import Iterator
from io import BytesIO

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from sharing.archive import packs
from sharing.archive.models import Conflict, Instance, Study
from sharing.archive.rules import Door
from sharing.archive.services import intake
from sharing.archive.services.receiving import Incoming, Receipt, receive
from sharing.audit.rules import SYSTEM
from sharing.blobs import store
from tests.cast import NOW, Region
from tests.dicom.corpus import dataset, part10


def image(number: int, **values: object) -> bytes:
    """An image of a study, a series and a patient of its own."""
    uids = {
        "SOPInstanceUID": f"1.2.3.{number}",
        "SeriesInstanceUID": f"1.2.4.{number}",
        "StudyInstanceUID": f"1.2.5.{number}",
        "PatientID": f"P{number}",
    }
    return part10(dataset(**uids | values))


def store_all(region: Region, *files: bytes, piece: int = 1000) -> Receipt:
    """Riverside receives these by STOW, in pieces of so many bytes."""

    def pieces(raw: bytes) -> Iterator[memoryview]:
        whole = memoryview(raw)
        return (whole[start : start + piece] for start in range(0, len(raw), piece))

    return receive(
        organization=region.riverside,
        door=Door.STOW,
        sender="test",
        files=[Incoming(f"part {n}", pieces(raw)) for n, raw in enumerate(files, 1)],
        by=SYSTEM,
        at=NOW,
    )


def all_is_whole() -> bool:
    """Whether every row leads to bytes of its hash, and no pack holds anything else."""
    rows = [*Instance.objects.all(), *Conflict.objects.all()]
    for row in rows:
        raw = store().read(row.blob, row.offset, row.length)
        if hashlib.sha256(raw).hexdigest() != row.sha256:
            return False
    return all(
        store().size(blob) == sum(row.length for row in rows if row.blob == blob)
        for blob in {row.blob for row in rows}
    )


def test_many_studies_take_no_more_statements_than_two(region: Region) -> None:
    store_all(region, image(1))  # whatever is asked once in a process
    counts = []
    for numbers in (range(10, 12), range(20, 60)):
        with CaptureQueriesContext(
            connection,
        ) as asked:
            receipt = store_all(region, *(image(n) for n in numbers))
        counts.append(len(asked))
        assert {line.outcome for line in receipt.items} == {"stored"}
    assert counts[0] == counts[1] < 45
    assert len({row.blob for row in Instance.objects.all()}) == 3
    assert Study.objects.count() == 43


def test_what_is_known_or_contradicts_leaves_no_dead_bytes(region: Region) -> None:
    store_all(region, image(1), image(2))
    other = image(2, PatientComments="other bytes")
    receipt = store_all(region, image(1), image(3), other, b"no image", image(4), image(3))
    assert [(line.outcome.value, line.code) for line in receipt.items] == [
        ("duplicate", ""),
        ("stored", ""),
        ("conflict", "conflict"),
        ("rejected", "not_dicom"),
        ("stored", ""),
        ("duplicate", ""),
    ]
    assert all_is_whole()
    assert len({row.blob for row in Instance.objects.all()}) == 2


def test_nothing_new_leaves_nothing(region: Region) -> None:
    store_all(region, image(1))
    before = set(store().keys())
    store_all(region, image(1), image(1))
    assert set(store().keys()) == before


@pytest.mark.parametrize("piece", [7, 400, 10_000])
def test_large_objects_and_full_packs_are_stored_the_same(
    region: Region, monkeypatch: pytest.MonkeyPatch, piece: int
) -> None:
    """With the limits that matter at gigabytes brought down to a kilobyte."""
    monkeypatch.setattr(packs, "KEPT", 500)
    monkeypatch.setattr(packs, "HANDED", 600)
    monkeypatch.setattr(intake, "MAX_PACK_BYTES", 2000)
    frames = {"NumberOfFrames": "9", "PixelData": bytes(16 * 9)}
    receipt = store_all(region, *(image(n, **frames) for n in range(1, 8)), piece=piece)
    assert {line.outcome for line in receipt.items} == {"stored"}
    assert all_is_whole()
    assert len({row.blob for row in Instance.objects.all()}) > 2
    assert set(Instance.objects.values_list("frames", flat=True)) == {9}


def test_the_disk_begins_with_a_pack_while_the_rest_is_received(
    region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each byte once, in order, and anew what takes the place of a file that can't be read."""
    monkeypatch.setattr(packs, "HANDED", 600)
    monkeypatch.setattr(packs, "BEGUN", 1000)
    begun: list[tuple[int, int, int]] = []
    monkeypatch.setattr(
        type(store()),
        "expect",
        lambda _, handle, offset, length: begun.append((offset, length, handle.tell())),
    )
    large = {"NumberOfFrames": "99", "PixelData": bytes(16 * 99)}
    files = [image(n, **large) for n in range(1, 9)]
    store_all(region, *files[:4], files[4][:-1], *files[5:], piece=400)
    assert all_is_whole()
    cut, ends, anew = sum(map(len, files[:4])), 0, 0
    for offset, length, laid in begun:
        assert offset in (ends, cut)
        assert offset + length <= laid
        anew += offset != ends
        ends = offset + length
    assert anew == 1
    assert sum(len(raw) for raw in files[:4] + files[5:]) - ends < 1000


def test_the_thread_of_a_pack_says_what_went_wrong_and_ends(
    region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packs, "HANDED", 10)

    class Full(BytesIO):
        name = "none"

        def write(self, data: object) -> int:
            raise OSError(5, "Input/output error")

    pack = packs.Pack(Full())
    with pytest.raises(OSError, match="Input/output"):
        pack.append([bytes(100)] * 200, most=10**6)
    with pytest.raises(OSError, match="Input/output"):
        pack.wait()
    pack.close()
    assert pack._queue is not None
    assert pack._queue.empty()
