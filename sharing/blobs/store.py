"""The two blob stores. A key is `<organization>/<name>`, made by the server, never from a file."""

import os
import re
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import IO, Protocol

from django.conf import settings

from .early import begin_writing
from .errors import BlobMissing
from .s3 import S3Store
from .soundness import failed_sync, must_be_sound

_KEY = re.compile(r"[a-z0-9_-]+(/[A-Za-z0-9_-]+)+(\.[a-z0-9]+)?\Z")
PIECE = 256 * 1024
READ = 1024 * 1024


class BlobStore(Protocol):
    """What both stores do. `adopt` is durable when it returns: nothing is acknowledged before."""

    def adopt(self, key: str, path: Path) -> None:
        """Take over a finished local file as the blob of that key."""

    def expect(self, handle: IO[bytes], offset: int, length: int) -> None:
        """That range of a file was written, and `adopt` is to come: what can begin now may."""

    def read(self, key: str, offset: int, length: int) -> bytes:
        """`length` bytes from `offset`. Raises BlobMissing."""

    def size(self, key: str) -> int:
        """Bytes in all. Raises BlobMissing."""

    def written_at(self, key: str) -> datetime:
        """When the blob came to be, in UTC. Raises BlobMissing."""

    def delete(self, key: str) -> None:
        """Remove; what is not there is no error."""

    def keys(self) -> Iterator[str]:
        """Every key in the store."""


def new_key(organization: str, kind: str, ending: str) -> str:
    """A fresh key: blobs are never overwritten, so a key is never used twice.

    Sixteen folders soon exist, and a new folder costs a sync of its own.
    """
    name = secrets.token_hex(16)
    return f"{organization}/{kind}/{name[:1]}/{name}.{ending}"


def pieces(store: BlobStore, key: str, offset: int, length: int) -> Iterator[bytes]:
    """A range in pieces of 1 MiB, so that memory stays flat whatever the blob's size."""
    end = offset + length
    for start in range(offset, end, READ):
        yield store.read(key, start, min(READ, end - start))


@contextmanager
def scratch() -> Iterator[IO[bytes]]:
    """A temporary file beside the store, so that adopting it is a rename; gone when not adopted.

    Raises StoreBroken in a process whose disk failed once.
    """
    must_be_sound()
    folder = Path(settings.SCRATCH_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    handle = tempfile.NamedTemporaryFile(dir=folder, delete=False)  # noqa: SIM115
    try:
        with handle:
            yield handle
    finally:
        Path(handle.name).unlink(missing_ok=True)


def sync(handle: IO[bytes]) -> None:
    """Flush a file to the disk. An error here is never retried: StoreBroken, for good."""
    handle.flush()
    _fsync(handle.fileno())


def _fsync(handle: int) -> None:
    must_be_sound()
    try:
        os.fsync(handle)
    except OSError as error:
        raise failed_sync(error) from error


class FolderStore:
    """Blobs as files below one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._root = str(root)

    def _path(self, key: str) -> Path:
        if not _KEY.match(key):
            raise ValueError("not a blob key")
        return self.root / key

    def adopt(self, key: str, path: Path) -> None:
        """Rename into place, then make the bytes durable, and the name up to the root.

        In this order a journaling file system writes its journal once instead of twice. What a
        crash in between leaves under the name is nothing that any row speaks of yet.
        """
        target = self._path(key)
        self._folder(target.parent)
        path.rename(target)
        handle = os.open(target, os.O_RDONLY)
        try:
            _fsync(handle)
        finally:
            os.close(handle)
        sync_folder(target.parent)

    def expect(self, handle: IO[bytes], offset: int, length: int) -> None:
        """The disk begins to take it, so that the sync of `adopt` waits for the rest alone.

        A hint: it waits for nothing, and what fails meanwhile the sync is told (fsync(2)).
        """
        begin_writing(handle, offset, length)

    def _folder(self, folder: Path) -> None:
        if folder.is_dir():
            return
        if folder != self.root:
            self._folder(folder.parent)
        folder.mkdir(exist_ok=True, parents=folder == self.root)
        sync_folder(folder.parent)

    def read(self, key: str, offset: int, length: int) -> bytes:
        """One pread."""
        if not _KEY.match(key):
            raise ValueError("not a blob key")
        try:
            handle = os.open(f"{self._root}/{key}", os.O_RDONLY)
        except FileNotFoundError:
            raise BlobMissing(key) from None
        try:
            return os.pread(handle, length, offset)
        finally:
            os.close(handle)

    def size(self, key: str) -> int:
        """From the file's own record."""
        try:
            return self._path(key).stat().st_size
        except FileNotFoundError:
            raise BlobMissing(key) from None

    def written_at(self, key: str) -> datetime:
        """From the file's own record; a rename keeps it."""
        try:
            return datetime.fromtimestamp(self._path(key).stat().st_mtime, UTC)
        except FileNotFoundError:
            raise BlobMissing(key) from None

    def delete(self, key: str) -> None:
        """Unlink."""
        self._path(key).unlink(missing_ok=True)

    def keys(self) -> Iterator[str]:
        """Every file below the root."""
        return (
            path.relative_to(self.root).as_posix()
            for path in self.root.rglob("*")
            if path.is_file()
        )


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable: a synced file without a name is lost too."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _fsync(handle)
    finally:
        os.close(handle)


@lru_cache(maxsize=4)
def _open(location: str) -> BlobStore:
    if location.startswith("s3://"):
        return S3Store.from_url(location)
    return FolderStore(Path(location))


def store() -> BlobStore:
    """The store that `BLOB_STORAGE` names."""
    return _open(str(settings.BLOB_STORAGE))
