"""A pack: one blob in the making, to which objects are appended (ADR-004). No database here."""

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from sharing.blobs import store
from sharing.blobs.store import PIECE, sync
from sharing.dicom.errors import BadDicom


@dataclass(frozen=True)
class Written:
    """Where an object lies in its pack, in bytes, and its SHA-256 in hex."""

    offset: int
    length: int
    sha256: str


class Part:
    """A range of an open file as a seekable stream of its own; reading moves nothing else."""

    def __init__(self, handle: IO[bytes], offset: int, length: int) -> None:
        self._file, self._offset, self._length, self._at = handle.fileno(), offset, length, 0

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """As io.IOBase.seek."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._length}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        """As io.IOBase.tell."""
        return self._at

    def seekable(self) -> bool:
        """Always."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes, never past the range."""
        rest = max(0, self._length - self._at)
        found = os.pread(self._file, rest if size < 0 else min(size, rest), self._offset + self._at)
        self._at += len(found)
        return found

    def pieces(self) -> Iterator[bytes]:
        """All of it in pieces of 256 KiB."""
        for start in range(0, self._length, PIECE):
            wanted = min(PIECE, self._length - start)
            yield os.pread(self._file, wanted, self._offset + start)


class Pack:
    """Objects one after another in a temporary file; the last one can be taken back."""

    def __init__(self, handle: IO[bytes]) -> None:
        self.handle = handle
        self.size = 0

    def append(self, pieces: Iterable[bytes | memoryview], *, most: int) -> Written:
        """Write one object and hash it on the way. Raises BadDicom too_large past `most` bytes."""
        start, digest = self.size, hashlib.sha256()
        for piece in pieces:
            self.size += len(piece)
            if self.size - start > most:
                raise BadDicom("too_large")
            digest.update(piece)
            self.handle.write(piece)
        self.handle.flush()
        return Written(start, self.size - start, digest.hexdigest())

    def part(self, written: Written) -> Part:
        """A view of one object."""
        return Part(self.handle, written.offset, written.length)

    def take_back(self, start: int) -> None:
        """Forget all from `start` on."""
        self.handle.seek(start)
        self.handle.truncate()
        self.size = start

    def keep(self, key: str) -> None:
        """Make it the blob of that key: durable when this returns."""
        sync(self.handle)
        store().adopt(key, Path(self.handle.name))
