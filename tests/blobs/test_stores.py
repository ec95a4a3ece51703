"""Both stores keep the same promises: a folder, a real S3 server (rclone), and moto."""

import os
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sharing.archive.models import Instance
from sharing.blobs import BlobMissing, BlobStore, FolderStore, S3Store, scratch, store
from sharing.blobs.store import READ, new_key, pieces, sync
from tests.archive.sending import send
from tests.cast import Region

KEY = "riverside/studies/ab/abcdef.pack"


@pytest.fixture(params=["folder", "rclone", "moto"])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """BLOB_STORAGE of each kind."""
    if request.param == "folder":
        return str(tmp_path / "blobs")
    return str(request.getfixturevalue(request.param))


@pytest.fixture
def blobs(location: str, settings: Any, tmp_path: Path) -> BlobStore:
    """The store of that location, empty at the start."""
    settings.BLOB_STORAGE, settings.SCRATCH_DIR = location, tmp_path / "scratch"
    made = store()
    for key in list(made.keys()):
        made.delete(key)
    return made


def adopt(blobs: BlobStore, key: str, raw: bytes) -> None:
    """Put bytes in, the way that the archive does."""
    with scratch() as handle:
        handle.write(raw)
        sync(handle)
        blobs.adopt(key, Path(handle.name))
        assert not Path(handle.name).exists()


def test_what_was_adopted_is_read_by_ranges(blobs: BlobStore) -> None:
    raw = os.urandom(3 * READ + 17)
    adopt(blobs, KEY, raw)
    assert blobs.size(KEY) == len(raw)
    assert blobs.read(KEY, 0, len(raw)) == raw
    assert blobs.read(KEY, READ - 5, 10) == raw[READ - 5 : READ + 5]
    assert blobs.read(KEY, 7, 0) == b""
    chunks = list(pieces(blobs, KEY, 11, 2 * READ + 1))
    assert [len(chunk) for chunk in chunks] == [READ, READ, 1]
    assert b"".join(chunks) == raw[11 : 12 + 2 * READ]


def test_what_is_expected_early_is_adopted_as_it_stands(blobs: BlobStore) -> None:
    """A hint about a range, or beyond the end of the file, changes nothing of what is kept."""
    raw = os.urandom(READ)
    with scratch() as handle:
        handle.write(raw)
        blobs.expect(handle, 0, READ)
        blobs.expect(handle, READ - 5, 2 * READ)
        sync(handle)
        blobs.adopt(KEY, Path(handle.name))
    assert blobs.read(KEY, 0, READ) == raw


def test_keys_are_listed_and_deleted_ones_are_gone(blobs: BlobStore) -> None:
    other = new_key("hilltop", "consents", "bin")
    adopt(blobs, KEY, b"one")
    adopt(blobs, other, b"two")
    assert set(blobs.keys()) == {KEY, other}
    blobs.delete(KEY)
    blobs.delete(KEY)
    assert set(blobs.keys()) == {other}
    for ask in (blobs.size, blobs.written_at, lambda key: blobs.read(key, 0, 1)):
        with pytest.raises(BlobMissing):
            ask(KEY)


def test_a_blob_knows_its_age(blobs: BlobStore) -> None:
    adopt(blobs, KEY, b"one")
    age = datetime.now(UTC) - blobs.written_at(KEY)
    assert timedelta(seconds=-5) < age < timedelta(seconds=60)


def test_a_study_is_received_into_it_and_read_back(
    blobs: BlobStore, region: Region, real_data: Path
) -> None:
    path = real_data / "single/pydicom_CT_small.dcm"
    send(region, path)
    row = Instance.objects.get()
    assert blobs.read(row.blob, row.offset, row.length) == path.read_bytes()
    assert set(blobs.keys()) == {row.blob}


def test_many_readers_at_once_read_right(blobs: BlobStore) -> None:
    raw = os.urandom(100_000)
    adopt(blobs, KEY, raw)
    wrong: list[int] = []

    def read(start: int) -> None:
        if blobs.read(KEY, start, 1000) != raw[start : start + 1000]:
            wrong.append(start)

    threads = [threading.Thread(target=read, args=(n * 1000,)) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize(
    "key", ["", "a", "../a/b", "riverside/../x", "riverside//x", "/etc/passwd", "a/b\0", "a/b\n"]
)
def test_what_is_no_key_of_ours_is_refused(tmp_path: Path, key: str) -> None:
    with pytest.raises(ValueError, match="not a blob key"):
        FolderStore(tmp_path).read(key, 0, 1)


def test_new_keys_are_never_the_same() -> None:
    assert len({new_key("riverside", "studies", "pack") for _ in range(1000)}) == 1000


def test_a_scratch_file_ends_with_its_block(settings: Any, tmp_path: Path) -> None:
    settings.SCRATCH_DIR = tmp_path

    def crash() -> None:
        with scratch() as handle:
            handle.write(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        crash()
    assert list(tmp_path.iterdir()) == []


def test_a_rename_is_made_durable_up_to_the_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every folder that got a new name in it is synced, the innermost after the rename, and the
    bytes after the rename, too: no row names them yet.
    """
    synced: list[str] = []
    real = os.fsync

    def watched(handle: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{handle}").readlink()))
        real(handle)

    root = tmp_path / "blobs"
    source = tmp_path / "file"
    source.write_bytes(b"x")
    monkeypatch.setattr(os, "fsync", watched)
    FolderStore(root).adopt(KEY, source)
    target = root / KEY
    made = [tmp_path, root, root / "riverside", root / "riverside/studies"]
    assert synced == [str(path) for path in (*made, target, target.parent)]


def test_the_url_says_where(monkeypatch: pytest.MonkeyPatch) -> None:
    made = S3Store.from_url("s3://a%2Fb:c%40d@example.org:9000/bucket?region=eu-1")
    assert made.bucket == "bucket"
    assert made.client.meta.endpoint_url == "https://example.org:9000"
    assert made.client.meta.region_name == "eu-1"
