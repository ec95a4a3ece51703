"""F11: an S3 that fails three times in ten, cuts answers short, is away, and comes back."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from sharing.archive.models import Instance
from sharing.blobs import BlobMissing, S3Store, StoreAway, s3
from sharing.blobs.store import new_key
from sharing.partners.services import issue_token
from tests.cast import NOW, Region
from tests.durability.sending import STUDIES, Made, made, multipart
from tests.durability.simple_s3 import SimpleS3


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rests are as many as in real life, and shorter; parts are smaller."""
    monkeypatch.setattr(s3, "LONGEST_REST", 0.01)
    monkeypatch.setattr(s3, "PART", 64 * 1024)


@pytest.fixture
def server() -> Iterator[SimpleS3]:
    with SimpleS3() as running:
        yield running


def adopt(blobs: S3Store, tmp_path: Path, raw: bytes) -> str:
    key, path = new_key("riverside", "studies", "pack"), tmp_path / "pack"
    path.write_bytes(raw)
    blobs.adopt(key, path)
    assert not path.exists()
    return key


def test_with_three_faults_in_ten_nothing_is_lost_and_no_byte_is_wrong(
    server: SimpleS3, tmp_path: Path
) -> None:
    """Errors, cut and short answers, and answers that get lost though the work was done."""
    blobs = S3Store.from_url(server.location)
    server.rate, server.faults = 0.3, ("error", "cut", "short", "done_but_silent")
    kept: dict[str, bytes] = {}
    refused = 0
    for size in [1, 1000, 64 * 1024, 200_000, 64 * 1024 * 3] * 6:
        raw = os.urandom(size)
        try:
            key = adopt(blobs, tmp_path, raw)
        except StoreAway:
            refused += 1
        else:
            kept[key] = raw
    for key, raw in kept.items():
        try:
            assert blobs.read(key, 0, len(raw)) == raw
            assert blobs.read(key, len(raw) // 2, 10) == raw[len(raw) // 2 :][:10]
            assert blobs.size(key) == len(raw)
        except StoreAway:
            refused += 1
    assert server.failed > 20
    assert refused < 6  # a call fails for good once in some hundred
    assert {key: server.objects[key][0] for key in kept} == kept


def test_bytes_that_arrive_otherwise_are_refused_by_the_store(
    server: SimpleS3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The checksum goes with them; here it is that of other bytes, every time."""
    right = s3._md5
    monkeypatch.setattr(s3, "_md5", lambda body: right(body + b"x"))
    for size in (10, 100_000):
        with pytest.raises(StoreAway):
            adopt(S3Store.from_url(server.location), tmp_path, bytes(size))
    assert server.objects == {}
    assert server.uploads == {}


def test_what_is_not_there_is_no_absence_of_the_store(server: SimpleS3) -> None:
    blobs = S3Store.from_url(server.location)
    for ask in (blobs.size, blobs.written_at, lambda key: blobs.read(key, 0, 1)):
        with pytest.raises(BlobMissing):
            ask("riverside/studies/none.pack")
    assert server.served == 3


def test_a_store_that_stays_away_is_not_asked_for_a_while(server: SimpleS3) -> None:
    blobs = S3Store.from_url(server.location)
    server.rate, server.faults = 1.0, ("error",)
    for _ in range(s3.GIVE_UP_AFTER):
        with pytest.raises(StoreAway):
            blobs.size("riverside/studies/none.pack")
    asked = server.served
    assert asked == s3.GIVE_UP_AFTER * s3.ATTEMPTS
    with pytest.raises(StoreAway):
        blobs.size("riverside/studies/none.pack")
    assert server.served == asked
    server.rate, blobs.breaker = 0.0, s3.Breaker()
    with pytest.raises(BlobMissing):
        blobs.size("riverside/studies/none.pack")


def store(client: Client, item: Made, **headers: str) -> Any:
    body, names = multipart([item])
    return client.post(STUDIES, body, content_type=names["Content_Type"], **headers)


def test_while_it_is_away_storing_and_reading_say_so_and_searching_goes_on(
    server: SimpleS3, region: Region, client: Client, settings: Any, tmp_path: Path
) -> None:
    settings.BLOB_STORAGE, settings.SCRATCH_DIR = server.location, tmp_path
    scopes = ["dicomweb.read", "dicomweb.write"]
    token = issue_token(organization=region.riverside, name="ct", scopes=scopes, at=NOW)
    as_machine = {"HTTP_AUTHORIZATION": f"Bearer {token}"}
    first, second = made("s3-away", 0), made("s3-away", 1)
    assert store(client, first, **as_machine).status_code == 200
    server.rate, server.faults = 1.0, ("cut",)
    began = time.monotonic()
    for answer in (store(client, second, **as_machine), client.get(first.path, **as_machine)):
        assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert time.monotonic() - began < 10
    assert client.get(f"{STUDIES}?PatientID=P-s3-away", **as_machine).status_code == 200
    assert not Instance.objects.filter(sop_uid=second.sop).exists()
    server.rate = 0.0
    time.sleep(0.01)
    from sharing.blobs import store as open_store

    open_store().breaker = s3.Breaker()  # its pause is over
    assert store(client, second, **as_machine).status_code == 200
    answer = client.get(first.path, HTTP_ACCEPT="application/dicom", **as_machine)
    assert b"".join(answer) == first.raw
