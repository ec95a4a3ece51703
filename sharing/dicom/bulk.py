"""Bulk data as it is sent beside metadata: its media type, and the transfer syntax that follows.

PS3.18 8.7.3.3 and 10.5.2: compressed pixel data keep their code stream and are encapsulated.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass, replace

from .decode import RLE
from .errors import BadDicom
from .scan import DEFLATED_FRAMES, EXPLICIT_LE, IMPLICIT_LE
from .stream import StreamFacts, jpeg2000_facts, jpeg_facts

OCTETS = "application/octet-stream"
_J = "1.2.840.10008.1.2.4."
_RLE_NAMES = ("image/dicom-rle", "image/x-dicom-rle")
SYNTAXES: dict[str, tuple[str, ...]] = {
    "image/jpeg": (f"{_J}50", f"{_J}51", f"{_J}57", f"{_J}70"),
    **dict.fromkeys(("image/jls", "image/x-jls"), (f"{_J}80", f"{_J}81")),
    "image/jp2": (f"{_J}90", f"{_J}91"),
    "image/jpx": (f"{_J}92", f"{_J}93"),
    "image/jphc": (f"{_J}201", f"{_J}202", f"{_J}203"),
    "image/jxl": (f"{_J}112", f"{_J}110", f"{_J}111"),
    **dict.fromkeys(_RLE_NAMES, (RLE,)),
    "video/mpeg2": (f"{_J}100", f"{_J}100.1", f"{_J}101", f"{_J}101.1"),
    "video/mp4": (
        *(f"{_J}{n}{f}" for n in (102, 103, 104, 105, 106) for f in ("", ".1")),
        f"{_J}107",
        f"{_J}108",
    ),
}
"""The transfer syntaxes of a media type (PS3.18 tables 8.7.3-5 to 8.7.3-7), default first."""
UNCOMPRESSED = ("", EXPLICIT_LE, IMPLICIT_LE)
_MANY_FRAMES = ("video/mpeg2", "video/mp4", "image/jpx")
HEAD = 64 * 1024


@dataclass(frozen=True)
class Bulk:
    """One part with bulk data: `read(offset, length)` gives its bytes."""

    media: str
    syntax: str
    length: int
    read: Callable[[int, int], bytes]

    @property
    def is_compressed(self) -> bool:
        """Whether it is compressed pixel data, were it pixel data."""
        return self.media != OCTETS or self.syntax not in UNCOMPRESSED

    @property
    def holds_many_frames(self) -> bool:
        """Whether one part may be all frames (PS3.18 8.7.3.3.2, 8.7.3.3.3)."""
        return self.media in _MANY_FRAMES or self.syntax.startswith(f"{_J}10")

    def stream(self) -> StreamFacts | None:
        """What the code stream's header says, None where there is none that can be read."""
        head = self.read(0, min(HEAD, self.length))
        return jpeg_facts(head) or jpeg2000_facts(head)


def syntax_of(bulk: Bulk) -> str:
    """The transfer syntax of compressed pixel data: the one that is said, else what it shows.

    Raises BadDicom bulk_media_type where the media type has no such syntax, or is none.
    """
    known = SYNTAXES.get(bulk.media, ())
    said = bulk.syntax
    if said and (said in known or (bulk.media == OCTETS and _is_encapsulated(said))):
        return said
    if said or not known:
        raise BadDicom("bulk_media_type")
    return _shown(bulk, known)


def _is_encapsulated(syntax: str) -> bool:
    """Whether it may be one; a syntax that nobody knows is refused when the file is scanned."""
    return syntax.startswith((_J, DEFLATED_FRAMES)) or syntax == RLE


def _shown(bulk: Bulk, known: tuple[str, ...]) -> str:
    head = bulk.read(0, min(HEAD, bulk.length))
    if bulk.media in ("image/jpeg", "image/jls", "image/x-jls"):
        return _shown_by_jpeg(head, known)
    if bulk.media in ("image/jp2", "image/jpx"):
        return known[0] if _is_reversible(head) else known[1]
    if bulk.media == "image/jphc":
        return known[0] if _is_reversible(head) else known[2]
    return known[0]


def _shown_by_jpeg(head: bytes, known: tuple[str, ...]) -> str:
    """By the start of frame (T.81 table B.1), and the near-lossless bound (T.87 C.2.3)."""
    facts = jpeg_facts(head)
    if facts is None:
        raise BadDicom("bulk_media_type")
    if facts.kind == "ls":
        scan = head.find(b"\xff\xda")
        lossless = 0 <= scan < len(head) - 10 and head[scan + 5 + 2 * head[scan + 4]] == 0
        syntax = f"{_J}80" if lossless else f"{_J}81"
    elif facts.kind == "lossless":
        syntax = f"{_J}57"
    else:
        syntax = f"{_J}50" if facts.precision == 8 else f"{_J}51"
    if syntax not in known:
        raise BadDicom("bulk_media_type")
    return syntax


def _is_reversible(head: bytes) -> bool:
    """Whether the COD marker segment names the reversible transformation (T.800 A.6.1)."""
    start = head.find(b"\xff\x52", max(0, head.find(b"\xff\x4f\xff\x51")))
    return 0 <= start < len(head) - 14 and head[start + 13] == 1


def bare(bulk: Bulk) -> Bulk:
    """The code stream alone where it came in a JP2 file's boxes (PS3.5 8.2.4 wants it bare)."""
    pos = 0
    if bulk.read(0, min(12, bulk.length)) != b"\0\0\0\x0cjP  \r\n\x87\n":
        return bulk
    while pos + 16 <= bulk.length:
        length, kind, large = struct.unpack(">I4sQ", bulk.read(pos, 16))
        head = 16 if length == 1 else 8
        length = {0: bulk.length - pos, 1: large}.get(length, length)
        if length < head or pos + length > bulk.length:
            break
        if kind == b"jp2c":
            return _within(bulk, pos + head, length - head)
        pos += length
    raise BadDicom("bulk_media_type")


def _within(bulk: Bulk, start: int, length: int) -> Bulk:
    read = bulk.read
    return replace(bulk, length=length, read=lambda offset, count: read(start + offset, count))
