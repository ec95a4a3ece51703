"""Parts of stored objects in pieces: bulk values, and ranges of a file as it leaves."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sharing.archive.errors import StudyNotFound
from sharing.dicom.egress import SAFE_START
from sharing.dicom.json_model import BINARY, bulk_element

from .retrieving import Stored

PIECE = 1024 * 1024


@dataclass(frozen=True)
class BulkValue:
    """One bulk value of a stored object: where it lies, and how wide its words are."""

    stored: Stored
    offset: int
    length: int
    swapped: int  # bytes of a word that must be turned round, 1 where none

    def pieces(self, start: int, stop: int) -> Iterator[bytes]:
        """Bytes `start` to `stop` of the value in little endian, never all in memory."""
        first = start - start % self.swapped
        for at in range(first, stop, PIECE):
            end = min(at + PIECE, self.length)
            raw = self.stored.plain_range(self.offset + at, end - at)
            if self.swapped > 1 and len(raw) % self.swapped == 0:
                raw = np.frombuffer(raw, f"u{self.swapped}").byteswap().tobytes()
            yield raw[max(start - at, 0) : stop - at]


def bulk_value(stored: Stored, path: str) -> BulkValue:
    """The value that a BulkDataURI names. Raises StudyNotFound."""
    try:
        element = bulk_element(stored.scanned, path)
    except KeyError:
        raise StudyNotFound() from None
    vr = "OW" if "OW" in element.vr else element.vr
    width = 1 if element.little else BINARY.get(vr, 1)
    if element.length % width:
        width = 1
    return BulkValue(stored, element.offset, element.length, width)


def file_range(stored: Stored, start: int, stop: int) -> Iterator[bytes]:
    """Bytes `start` to `stop` of the file as it leaves: as stored, its preamble zeroed.

    Only for objects that are sound. Raises BlobUnavailable.
    """
    if start < len(SAFE_START):
        yield SAFE_START[start:stop]
    for at in range(max(start, len(SAFE_START)), stop, PIECE):
        yield stored.read(at, min(PIECE, stop - at))
