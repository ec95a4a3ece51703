"""Uploads: nothing sent is lost, an interruption goes on where it stood, and all is accounted."""

import hashlib
import random
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from sharing.archive.models import Batch, Delivery, Instance, Study, Upload
from sharing.archive.rules import MAX_ARCHIVE_BYTES
from sharing.archive.services import uploading
from sharing.archive.services.uploading import close_idle_batches, receive_batch
from tests.archive.broken import BROKEN, answers_as_expected
from tests.archive.sending import dicom_files
from tests.cast import Region, make_person
from tests.faces.api.conftest import TUS, Sender
from tests.faces.dicomweb.conftest import token_client
from tests.sessions import sign_in

SMALL = "single/pydicom_CT_small.dcm"


def files_on_the_way() -> list[Path]:
    return [p for p in (Path(settings.SCRATCH_DIR) / "uploads").rglob("*") if p.is_file()]


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_by_upload_gets_the_expected_answer(
    mei: Sender, real_data: Path, run_jobs: Callable[..., int], name: str
) -> None:
    if name == "m_duplicate_sop_b.dcm":
        mei.send_all(real_data / "broken/m_duplicate_sop_a.dcm")
        run_jobs()
    before = Instance.objects.count()
    batch = mei.send_all(real_data / "broken" / name)
    run_jobs()
    receipt = mei.receipt(batch)
    assert receipt["state"] == "done"
    assert receipt["stored"] == Instance.objects.count() - before
    assert answers_as_expected(real_data, name, receipt["stored"])
    refused = [i for i in receipt["items"] if i["outcome"] in ("rejected", "conflict")]
    assert all(item["reason"] for item in refused)
    assert files_on_the_way() == []


def test_a_study_is_uploaded_settled_and_receipted(
    mei: Sender, real_data: Path, run_jobs: Callable[..., int]
) -> None:
    files = list(dicom_files(real_data / "studies/mr_epi_multiseries"))
    batch = mei.send_all(*files, real_data / "broken/m_html.dcm")
    assert mei.receipt(batch)["state"] == "receiving"
    run_jobs()
    run_jobs(at=timezone.now() + timedelta(minutes=1))
    receipt = mei.receipt(batch)
    counts = {name: receipt[name] for name in ("sent", "stored", "duplicates", "rejected")}
    assert counts == {"sent": 9, "stored": 8, "duplicates": 0, "rejected": 1}
    study = Study.objects.get()
    assert [s["id"] for s in receipt["studies"]] == [study.public_id]
    hashes = sorted(hashlib.sha256(path.read_bytes()).hexdigest() for path in files)
    assert receipt["fingerprint"] == hashlib.sha256("".join(hashes).encode()).hexdigest()
    assert receipt["receipt_url"] == f"/upload/{batch}/receipt/"


def test_an_interrupted_upload_goes_on_where_it_stood(
    mei: Sender, real_data: Path, run_jobs: Callable[..., int]
) -> None:
    raw = (real_data / SMALL).read_bytes()
    batch = mei.batch()["id"]
    url = mei.announce(batch, "a.dcm", len(raw))["Location"]
    assert mei.piece(url, 0, raw[:1000])["Upload-Offset"] == "1000"
    head = mei.client.head(url, headers=TUS)
    assert (head["Upload-Offset"], head["Upload-Length"]) == ("1000", str(len(raw)))
    assert head["Cache-Control"] == "no-store"
    for wrong in (0, 999, 1001, len(raw)):
        assert mei.piece(url, wrong, b"piece").status_code == 409
    assert mei.piece(url, 1000, raw[1000:])["Upload-Offset"] == str(len(raw))
    mei.client.post(f"/api/v1/upload-batches/{batch}/close/")
    run_jobs()
    assert Instance.objects.get().sha256 == hashlib.sha256(raw).hexdigest()


@pytest.mark.parametrize("seed", range(6))
def test_however_pieces_come_the_file_is_what_was_sent(
    mei: Sender, real_data: Path, run_jobs: Callable[..., int], seed: int
) -> None:
    """In turn, again, ahead, overlapping, and after crashes that left more than was told of."""
    chance, raw, told = random.Random(seed), (real_data / SMALL).read_bytes(), 0
    batch = mei.batch()["id"]
    url = mei.announce(batch, "a.dcm", len(raw))["Location"]
    while told < len(raw):
        offset = chance.choice([told, told, told, 0, max(0, told - 100), told + 100])
        if chance.random() < 0.2 and (found := files_on_the_way()):
            with found[0].open("ab") as file:
                file.write(chance.randbytes(50))
        part = raw[offset : offset + chance.randint(1, 8000)] or b"more"
        answer = mei.piece(url, offset, part)
        assert answer.status_code == (204 if offset == told else 409)
        told += len(part) if offset == told else 0
        assert mei.client.head(url, headers=TUS)["Upload-Offset"] == str(told)
    mei.client.post(f"/api/v1/upload-batches/{batch}/close/")
    run_jobs()
    assert Instance.objects.get().sha256 == hashlib.sha256(raw).hexdigest()


def test_bytes_that_were_never_told_of_are_written_again(mei: Sender, real_data: Path) -> None:
    """A crash after the write and before the row: the file is longer than we ever said."""
    raw = (real_data / SMALL).read_bytes()
    batch = mei.batch()["id"]
    url = mei.announce(batch, "a.dcm", len(raw))["Location"]
    mei.piece(url, 0, raw[:1000])
    (path,) = files_on_the_way()
    with path.open("ab") as file:
        file.write(b"half a piece that was never told of")
    assert mei.client.head(url, headers=TUS)["Upload-Offset"] == "1000"
    mei.piece(url, 1000, raw[1000:])
    assert path.read_bytes() == raw


def test_a_second_writer_is_told_to_ask_again(mei: Sender, region: Region, real_data: Path) -> None:
    batch = mei.batch()["id"]
    url = mei.announce(batch, "a.dcm", 10)["Location"]
    inner: list[int] = []

    def slow() -> list[bytes]:
        inner.append(mei.piece(url, 0, b"12345").status_code)
        return [b"abc"]

    pieces = (piece for make in (slow,) for piece in make())
    public_id = url.rstrip("/").rpartition("/")[2]
    told = uploading.append(
        region.mei.actor, public_id=public_id, offset=0, pieces=pieces, at=timezone.now()
    )
    assert (told, inner) == (3, [409])
    assert files_on_the_way()[0].read_bytes() == b"abc"


def test_more_than_announced_is_refused(mei: Sender) -> None:
    batch = mei.batch()["id"]
    url = mei.announce(batch, "a.dcm", 10)["Location"]
    assert mei.piece(url, 0, b"x" * 11).status_code == 413
    assert mei.client.head(url, headers=TUS)["Upload-Offset"] == "0"
    assert mei.announce(batch, "a.dcm", MAX_ARCHIVE_BYTES + 1).status_code == 413


def test_a_file_that_never_came_whole_is_in_the_receipt(
    mei: Sender, real_data: Path, run_jobs: Callable[..., int]
) -> None:
    batch = mei.batch()
    url = mei.announce(batch["id"], "late.dcm", 100)["Location"]
    mei.piece(url, 0, b"x" * 50)
    mei.client.post(f"{batch['url']}close/")
    assert mei.piece(url, 50, b"x" * 50).status_code == 400
    run_jobs()
    (item,) = mei.receipt(batch["id"])["items"]
    assert (item["name"], item["outcome"], item["code"]) == ("late.dcm", "rejected", "incomplete")


def test_a_batch_is_received_once_however_often_rung(
    mei: Sender, real_data: Path, run_jobs: Callable[..., int]
) -> None:
    batch = mei.send_all(real_data / SMALL)
    assert mei.client.post(f"/api/v1/upload-batches/{batch}/close/").status_code == 202
    run_jobs()
    receive_batch(batch_id=Batch.objects.get().pk, at=timezone.now())
    assert Delivery.objects.count() == 1
    assert mei.receipt(batch)["stored"] == 1


def test_an_open_batch_is_not_received(mei: Sender, real_data: Path) -> None:
    batch = mei.batch()["id"]
    mei.send(batch, "a.dcm", (real_data / SMALL).read_bytes())
    assert receive_batch(batch_id=Batch.objects.get().pk, at=timezone.now()) is None
    assert mei.receipt(batch)["state"] == "open"


def test_a_forgotten_batch_is_closed_after_a_day_and_kept(
    mei: Sender, real_data: Path, run_jobs: Callable[..., int]
) -> None:
    batch = mei.batch()["id"]
    mei.send(batch, "a.dcm", (real_data / SMALL).read_bytes())
    assert close_idle_batches(at=timezone.now() + timedelta(hours=23)) == 0
    assert close_idle_batches(at=timezone.now() + timedelta(hours=25)) == 1
    run_jobs(at=timezone.now() + timedelta(hours=26))
    assert mei.receipt(batch)["stored"] == 1


def test_an_upload_can_be_taken_back(mei: Sender) -> None:
    batch = mei.batch()["id"]
    url = mei.send(batch, "a.dcm", b"123")
    assert mei.client.delete(url, headers=TUS).status_code == 204
    assert mei.client.head(url, headers=TUS).status_code == 404
    assert not Upload.objects.exists()
    assert files_on_the_way() == []


def test_the_protocol_is_kept(mei: Sender) -> None:
    told = mei.client.options("/api/v1/uploads/")
    assert told.status_code == 204
    assert told["Tus-Version"] == "1.0.0"
    assert told["Tus-Extension"] == "creation,termination"
    assert told["Tus-Max-Size"] == str(MAX_ARCHIVE_BYTES)
    batch = mei.batch()["id"]
    url = mei.announce(batch, "a.dcm", 3)["Location"]
    assert mei.client.head(url).status_code == 412
    bare = mei.client.post("/api/v1/uploads/")
    assert (bare.status_code, bare.json()["code"]) == (412, "condition_failed")
    assert bare["Tus-Version"] == "1.0.0"
    assert mei.piece(url, 0, b"123", **{"Upload-Offset": "-1"}).status_code == 400
    wrong = mei.client.patch(url, b"1", "text/plain", headers={**TUS, "Upload-Offset": "0"})
    assert wrong.status_code == 415
    bad = mei.client.post(
        "/api/v1/uploads/",
        headers={**TUS, "Upload-Length": "1", "Upload-Metadata": "batch ***"},
    )
    assert bad.status_code == 400
    assert mei.client.get(url).status_code == 405


def test_nobody_elses_batch_is_there(mei: Sender, region: Region) -> None:
    """Neither another organization's, nor a colleague's, nor a machine's own."""
    batch = mei.batch()["id"]
    url = mei.send(batch, "a.dcm", b"123")
    clerk = make_person("Lee Lake", region.lakeside, *region.mei.actor.roles)
    colleague = make_person("Uwe Other", region.riverside, *region.mei.actor.roles)
    machine = token_client(region.riverside, "uploads.write")
    others = [sign_in(Client(), person.user) for person in (clerk, colleague)] + [machine]
    for other in map(Sender, others):
        absent = other.client.get("/api/v1/upload-batches/nothing/")
        assert absent.status_code == 404
        answers = [
            other.client.head(url, headers=TUS),
            other.piece(url, 3, b"4"),
            other.client.delete(url, headers=TUS),
            other.client.get(f"/api/v1/upload-batches/{batch}/"),
            other.client.post(f"/api/v1/upload-batches/{batch}/close/"),
            other.announce(batch, "b.dcm", 1),
        ]
        assert {answer.status_code for answer in answers} == {404}
        assert {a.content for a in answers if a.content} == {absent.content}
    assert Upload.objects.get().offset == 3


def test_strangers_physicians_and_reading_tokens_send_nothing(region: Region) -> None:
    reader = token_client(region.riverside, "studies.read")
    for client, status in (
        (Client(), 401),
        (sign_in(Client(), region.ben.user), 403),
        (reader, 403),
    ):
        assert client.post("/api/v1/upload-batches/").status_code == status
        assert client.post("/api/v1/uploads/", headers=TUS).status_code == status
    machine = Sender(token_client(region.riverside, "uploads.write"))
    assert machine.batch()["id"]


def test_a_cookie_needs_its_token(region: Region) -> None:
    client = sign_in(Client(enforce_csrf_checks=True), region.mei.user)
    assert client.post("/api/v1/upload-batches/").status_code == 403
