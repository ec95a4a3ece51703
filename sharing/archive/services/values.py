"""Parts of stored objects in pieces: bulk values, ranges of a file as it leaves, metadata."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sharing.archive.errors import StudyNotFound
from sharing.archive.metadata import expanded
from sharing.archive.models import Instance
from sharing.archive.sql import chunks
from sharing.dicom.egress import SAFE_START
from sharing.dicom.json_model import BINARY, bulk_element

from .retrieving import Opened, Stored, meant

PIECE = 1024 * 1024
FEW = 20


@dataclass(frozen=True)
class BulkValue:
    """One bulk value of a stored object: where it lies, and how wide its words are."""

    stored: Stored
    offset: int
    length: int
    swapped: int  # bytes of a word that must be turned round, 1 where none
    compressed: bool = False  # a code stream in the object's transfer syntax

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
    """The value that a BulkDataURI names; of an encapsulated one its code stream, which is one
    fragment where it is an icon's. Raises StudyNotFound.
    """
    try:
        element = bulk_element(stored.scanned, path)
    except KeyError:
        raise StudyNotFound() from None
    if element.fragments and len(element.fragments) == 2:  # behind the offset table
        return BulkValue(stored, *element.fragments[1], 1, compressed=True)
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


def each_metadata(opened: Opened, *, root: str) -> Iterator[bytes]:
    """The DICOM JSON of each instance meant, in reading order, read a few at a time.

    `root` is the absolute address of the custodian's DICOMweb mount. Raises StudyNotFound where
    there is none.
    """
    keys = list(meant(opened).values_list("pk", flat=True))
    if not keys:
        raise StudyNotFound()
    return _each(keys, f"{root}/studies/{opened.study.study_uid}")


def _each(keys: list[int], study: str) -> Iterator[bytes]:
    for some in chunks(keys, FEW):
        rows = Instance.objects.filter(pk__in=some)
        found = {
            pk: expanded(column, bulk_uri=f"{study}/series/{series}/instances/{sop}/bulkdata")
            for pk, series, sop, column in rows.values_list(
                "pk", "series__series_uid", "sop_uid", "metadata"
            )
        }
        yield from (found[pk] for pk in some if pk in found)
