"""HTJ2K made ahead: the same pixels, served by name only, gone with what they were made of."""

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import imagecodecs
import numpy as np
import pydicom
import pytest
from django.test import Client
from django.utils import timezone

from sharing.archive import packs
from sharing.archive.models import Erasure, Instance, Rendition, Study
from sharing.archive.rules import Why
from sharing.archive.services.reconciling import reconcile
from sharing.archive.services.rejecting import reject_images
from sharing.archive.services.removing import delete_study
from sharing.archive.services.renditions import QUIET
from sharing.archive.services.retrieving import Stored
from sharing.archive.services.scrubbing import scrub
from sharing.blobs import store
from sharing.outbox.models import Job
from tests.archive.sending import dicom_files, send
from tests.cast import NOW, Region
from tests.faces.dicomweb.conftest import token_client
from tests.faces.dicomweb.test_retrieve import content, get, parts, path_of

HTJ2K = "1.2.840.10008.1.2.4.20"
LATER = timezone.now() + QUIET + timedelta(hours=3)  # these tests may come late in a long run
Jobs = Callable[..., int]


@pytest.fixture
def pacs(region: Region) -> Client:
    return token_client(region.riverside)


def test_a_ready_rendition_is_the_same_image_and_only_where_it_is_named(
    region: Region, pacs: Client, real_data: Path, run_jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(region, *list(dicom_files(real_data / "studies/ct_stereotaxis_40"))[:3])
    send(region, real_data / "single/pydicom_MR_small_RLE.dcm")  # too small to be worth it
    run_jobs(NOW + timedelta(minutes=1))
    assert not Rendition.objects.exists()
    run_jobs(LATER)
    made = {r.instance.sop_uid: r for r in Rendition.objects.select_related("instance")}
    assert len(made) == 3
    assert len({r.blob for r in made.values()}) == 1
    held = Instance.objects.filter(sop_uid__in=made).first()
    original = pydicom.dcmread(
        next(
            path
            for path in dicom_files(real_data / "studies/ct_stereotaxis_40")
            if pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID == held.sop_uid
        )
    )
    assert made[held.sop_uid].length < 0.85 * len(original.PixelData)

    asked: list[object] = []
    monkeypatch.setattr(Stored, "encoded_frame", lambda *given: asked.append(given) or b"")
    frame = f"{path_of(held)}/frames/1"
    streams = set()
    for accept, syntax in (
        ("image/jphc", f"{HTJ2K}1"),
        (f"image/jphc; transfer-syntax={HTJ2K}1", f"{HTJ2K}1"),
        (f'image/jphc; transfer-syntax="{HTJ2K}2"', f"{HTJ2K}2"),
        (f"image/jphc; transfer-syntax={HTJ2K}3", f"{HTJ2K}3"),
        (f"application/octet-stream; transfer-syntax={HTJ2K}2", f"{HTJ2K}2"),
    ):
        response = get(pacs, frame, accept)
        assert response["Content-Type"].endswith(f"transfer-syntax={syntax}"), accept
        streams.add(content(response))
    (stream,) = streams
    assert np.array_equal(imagecodecs.htj2k_decode(stream), original.pixel_array)
    assert not asked
    # Whoever does not name it gets what is stored.
    for accept in ("*/*", "application/octet-stream; transfer-syntax=*"):
        response = get(pacs, frame, accept)
        body = (
            parts(response)[0][1] if "multipart" in response["Content-Type"] else content(response)
        )
        assert body == original.PixelData


def test_renditions_go_with_what_they_were_made_of_and_their_bytes_are_collected(
    region: Region, real_data: Path, run_jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rejecting one image takes all that share its pack; those of the others are made anew."""
    monkeypatch.setattr(packs, "HANDED", 1000)  # so that the pack's thread begins
    send(region, *list(dicom_files(real_data / "studies/ct_stereotaxis_40"))[:2])
    run_jobs(LATER)
    assert not [t for t in threading.enumerate() if "_serve" in t.name and not ended(t)]
    study = Study.objects.get()

    def reject() -> None:
        first = Instance.objects.select_related("series").first()
        reject_images(
            region.ada.actor, public_id=study.public_id, series_uids=[first.series.series_uid],
            sop_uids=[first.sop_uid], why=Why.QUALITY, at=NOW,
        )  # fmt: skip

    def delete() -> None:
        delete_study(region.olga.actor, public_id=study.public_id, why=Why.MISTAKE, at=NOW)

    blobs = set()
    for leave, left in ((reject, 1), (delete, 0)):
        (blob,) = set(Rendition.objects.values_list("blob", flat=True))
        blobs.add(blob)
        leave()
        assert not Rendition.objects.exists()
        assert Erasure.objects.filter(pack=blob).exists()
        run_jobs(LATER)
        assert Rendition.objects.count() == left
    run_jobs(LATER + timedelta(days=3))
    reconcile(at=LATER + timedelta(days=3), collect=True)
    assert blobs.isdisjoint(store().keys())


def ended(thread: threading.Thread) -> bool:
    """Whether it ends when it is given the time to."""
    thread.join(5)
    return not thread.is_alive()


def test_a_damaged_rendition_is_forgotten_and_the_image_stays(
    region: Region, pacs: Client, real_data: Path, run_jobs: Jobs
) -> None:
    send(region, *list(dicom_files(real_data / "studies/ct_stereotaxis_40"))[:1])
    run_jobs(LATER)
    row = Rendition.objects.select_related("instance").get()
    path = store().root / row.blob  # type: ignore[attr-defined]
    raw = bytearray(path.read_bytes())
    raw[row.offset + 100] ^= 255
    path.write_bytes(raw)
    scrub(at=LATER)
    assert not Rendition.objects.exists()
    assert get(pacs, f"{path_of(row.instance)}/frames/1", "image/jphc").status_code == 200


def test_nothing_is_owed_for_small_images(region: Region, real_data: Path, run_jobs: Jobs) -> None:
    """A flood of small studies owes no job each."""
    send(region, real_data / "single/pydicom_MR_small_implicit.dcm")
    run_jobs(NOW + timedelta(minutes=1))
    assert not Job.objects.filter(task="archive.make_renditions").exists()
