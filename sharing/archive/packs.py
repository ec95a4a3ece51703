"""A pack: one blob in the making, to which objects are appended (ADR-004). No database here.

Hashing and writing let go of the interpreter's lock, so a thread of the pack's own does them while
the caller receives and reads the next bytes. Little deliveries need no thread.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import IO, Any

from sharing.blobs import store
from sharing.blobs.store import PIECE
from sharing.dicom.errors import BadDicom

Piece = bytes | memoryview
HANDED, QUEUE = 512 * 1024, 4
"""Bytes that the thread is handed at once, and how often they wait for it at most: the sender is
slowed down, and memory stays flat."""
BEGUN = 2 * 1024 * 1024
"""So many bytes go to the disk at once while more are received: the sync at the end waits less."""
KEPT = 4 * 1024 * 1024
"""Up to this size an object's bytes stay in memory until it has been read."""


class Written:
    """Where an object lies in its pack, in bytes; `pieces` are its first ones, all where `whole`.

    `sha256` is final once the pack has waited for its thread.
    """

    def __init__(self, offset: int, length: int = 0, digest: Any = None) -> None:
        self.offset, self.length = offset, length
        self.digest = digest or hashlib.sha256()
        self.pieces: list[Piece] = []
        self._kept = 0

    def take(self, piece: Piece) -> None:
        """Count a piece, and keep it as long as the object is small."""
        self.length += len(piece)
        if self.length <= KEPT:
            self.pieces.append(piece)
            self._kept = self.length

    @property
    def whole(self) -> bool:
        """Whether `pieces` is all of it."""
        return self._kept == self.length

    @property
    def sha256(self) -> str:
        """SHA-256 in hex."""
        words: str = self.digest.hexdigest()
        return words

    def moved(self, offset: int) -> "Written":
        """The same object at another place."""
        return Written(offset, self.length, self.digest)


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


_Work = list[tuple[Any, Piece]]


class Pack:
    """Objects one after another in a temporary file; the last one can be taken back.

    Every method but `append` raises what went wrong in the thread, and then always.
    """

    def __init__(self, handle: IO[bytes]) -> None:
        self.handle = handle
        self.size = 0
        self._waiting: _Work = []
        self._heavy = 0
        self._queue: Queue[_Work] | None = None
        self._error: BaseException | None = None
        self._laid = self._begun = 0

    def append(self, pieces: Iterable[Piece], *, most: int) -> Written:
        """Write one object and hash it on the way. Pieces must not change afterwards.

        Raises BadDicom too_large past `most` bytes.
        """
        written = Written(self.size)
        for piece in pieces:
            self.size += len(piece)
            if self.size - written.offset > most:
                raise BadDicom("too_large")
            written.take(piece)
            self._put(written.digest, piece)
        return written

    def _put(self, digest: Any, piece: Piece) -> None:
        self._waiting.append((digest, piece))
        self._heavy += len(piece)
        if self._heavy >= HANDED:
            self._hand_over(self._waiting)
            self._waiting, self._heavy = [], 0

    def _hand_over(self, work: _Work) -> None:
        if self._error:
            raise self._error
        if self._queue is None:
            self._queue = Queue(QUEUE)
            Thread(target=self._serve, args=(self._queue,), daemon=True).start()
        self._queue.put(work)

    def _serve(self, queue: "Queue[_Work]") -> None:
        """The thread: after an error it only empties the queue, so that nobody waits forever."""
        while (work := queue.get()) != []:
            try:
                if self._error is None:
                    self._do(work)
            except BaseException as error:  # noqa: BLE001 - raised again where the caller waits
                self._error = error
            finally:
                queue.task_done()
        queue.task_done()

    def _do(self, work: _Work) -> None:
        for digest, piece in work:
            if digest:
                digest.update(piece)
            self.handle.write(piece)
            self._laid += len(piece)
        if self._laid - self._begun >= BEGUN:
            store().expect(self.handle, self._begun, self._laid - self._begun)
            self._begun = self._laid

    def wait(self) -> None:
        """Until all bytes are hashed and in the file."""
        work, self._waiting, self._heavy = self._waiting, [], 0
        if self._queue is None:
            self._do(work)
        elif work:
            self._hand_over(work)
        self._join()
        self.handle.flush()

    def _join(self) -> None:
        if self._queue is not None:
            self._queue.join()
        if self._error:
            raise self._error

    def part(self, written: Written) -> Part:
        """A view of one object, once the pack has waited."""
        return Part(self.handle, written.offset, written.length)

    def copy(self, other: "Pack", written: Written) -> Written:
        """Append an object of another pack, whose hash is known."""
        moved = written.moved(self.size)
        for piece in other.part(written).pieces():
            self.size += len(piece)
            self._put(None, piece)
        return moved

    def take_back(self, start: int) -> None:
        """Forget all from `start` on."""
        self.wait()
        self.handle.seek(start)
        self.handle.truncate()
        self.size = self._laid = start
        self._begun = min(self._begun, start)

    def keep(self, key: str) -> None:
        """Make it the blob of that key: durable when this returns."""
        self.wait()
        store().adopt(key, Path(self.handle.name))

    def close(self) -> None:
        """End the thread; what was not kept is gone with its file."""
        if self._queue is not None:
            self._queue.put([])
            self._queue.join()
