"""One DICOM file in, one Scanned out, or BadDicom: the only door for bytes of others."""

import io
import re
import zlib
from dataclasses import dataclass
from functools import cached_property
from typing import BinaryIO

from pydicom._uid_dict import UID_dictionary
from pydicom.dataset import Dataset

from .charset import Charset, charset_of
from .elements import Element, Encoding, Limits, Walker
from .errors import BadDicom
from .facts import Facts, Reader, facts_of
from .layout import PixelLayout, frame_count, pixel_layout
from .tree import to_dataset
from .values import find

IMPLICIT_LE, EXPLICIT_LE = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"
EXPLICIT_BE = "1.2.840.10008.1.2.2"
DEFLATED = frozenset(
    {"1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.4.95", "1.2.840.10008.1.2.4.205"}
)
# Deflated Image Frame Compression (Supplement 244) is newer than pydicom's dictionary.
DEFLATED_FRAMES = "1.2.840.10008.1.2.8.1"
NEWER = frozenset({DEFLATED_FRAMES})
NATIVE = frozenset({IMPLICIT_LE, EXPLICIT_LE, EXPLICIT_BE}) | DEFLATED
MEDIA_DIRECTORY = "1.2.840.10008.1.3.10"
WINDOW = 64 * 1024
_UID = re.compile(r"[0-9]+(\.[0-9]+)*")
EXECUTABLE = (b"MZ", b"\x7fELF", b"#!", b"\xca\xfe\xba\xbe", b"\xcf\xfa\xed\xfe", b"PK\x03\x04")


@dataclass(frozen=True)
class Scanned:
    """What one file says. `elements` is the data set (bulk values left in the file)."""

    transfer_syntax: str
    meta_sop_uid: str
    sop_class_uid: str
    sop_instance_uid: str
    series_uid: str
    study_uid: str
    elements: tuple[Element, ...]
    charset: Charset
    encoding: Encoding
    facts: Facts
    pixel: PixelLayout | None
    preamble: bytes | None
    data_offset: int
    deflated: bool
    warnings: tuple[str, ...]

    @cached_property
    def dataset(self) -> Dataset:
        """The same data set for pydicom, without pixel data and other large binary values."""
        return to_dataset(self.elements, self.encoding, self.charset)


@dataclass(frozen=True)
class _Opening:
    """How a file starts: its meta information, and where and how its data set begins."""

    preamble: bytes | None
    meta: tuple[Element, ...]
    start: int


class _Source:
    """Reads (offset, length) of a stream or of bytes; short reads are truncation."""

    def __init__(self, source: BinaryIO | bytes | bytearray | memoryview, size: int) -> None:
        self._stream = (
            io.BytesIO(source) if isinstance(source, bytes | bytearray | memoryview) else source
        )
        self.size = size
        self._at, self._window = 0, b""

    def read(self, offset: int, length: int) -> bytes:
        if offset < 0 or length < 0 or offset + length > self.size:
            raise BadDicom("truncated")
        if length > WINDOW // 2:
            return self._fetch(offset, length)
        if not self._at <= offset <= offset + length <= self._at + len(self._window):
            self._at = offset
            self._window = self._fetch(offset, min(WINDOW, self.size - offset))
        start = offset - self._at
        return self._window[start : start + length]

    def _fetch(self, offset: int, length: int) -> bytes:
        self._stream.seek(offset)
        found = self._stream.read(length)
        if len(found) != length:
            raise BadDicom("truncated")
        return found


def scan(
    source: BinaryIO | bytes | bytearray | memoryview,
    *,
    size: int,
    default_charset: str | None = None,
    limits: Limits | None = None,
) -> Scanned:
    """Parse one DICOM file of `size` bytes (PS3.10 7, or a bare data set with its UIDs).

    `default_charset` is a defined term or codec for text without Specific Character Set.
    Raises BadDicom with a stable code, and the UIDs where they could be read. Never loads pixel
    data; memory is bounded by `limits`.
    """
    limits = limits or Limits()
    src = _Source(source, size)
    opening = _open(src, limits)
    try:
        return _read(src, opening, limits, default_charset)
    except BadDicom as wrong:
        wrong.name(*_named(opening.meta, 0x00020002, 0x00020003))
        raise


def _read(src: _Source, opening: _Opening, limits: Limits, default_charset: str | None) -> Scanned:
    syntax = _meta_text(opening.meta, 0x00020010)
    warnings: list[str] = []
    if syntax and not is_known_syntax(syntax):
        raise BadDicom("unsupported_transfer_syntax")
    if syntax in DEFLATED:
        src = _Source(_inflated(src, opening.start, limits), 0)
        src.size = src._stream.seek(0, io.SEEK_END)
    if opening.start >= src.size:
        raise BadDicom("no_data_set")
    encoding = _encoding(src, opening.start, syntax)
    if not syntax:
        syntax = _guessed_syntax(encoding)
        warnings.append("transfer_syntax_missing")
    walker = Walker(src.read, limits)
    elements, _ = walker.data_set(opening.start, src.size, encoding)
    if opening.preamble and opening.preamble.startswith(EXECUTABLE):
        warnings.append("executable_preamble")
    warnings += walker.warnings
    try:
        return _scanned(src, opening, syntax, encoding, elements, warnings, default_charset)
    except BadDicom as wrong:
        wrong.name(*_named(elements, 0x00080016, 0x00080018))
        raise


def _scanned(
    src: _Source,
    opening: _Opening,
    syntax: str,
    encoding: Encoding,
    elements: tuple[Element, ...],
    warnings: list[str],
    default_charset: str | None,
) -> Scanned:
    declared = find(elements, 0x00080005)
    charset = charset_of(declared.value if declared else None, default_charset)
    read = Reader(elements, charset)
    uids = _uids(elements, opening.meta)
    if _meta_text(opening.meta, 0x00020003) not in ("", uids[1]):
        read.warn("meta_mismatch")  # real archives hold such files: the data set is right
    pixel = pixel_layout(elements, src.read, read, syntax)
    if pixel and not pixel.encapsulated and syntax not in NATIVE:
        read.warn("pixels_not_encapsulated")
    if pixel and pixel.encapsulated and syntax in NATIVE:
        raise BadDicom("malformed")
    frames = (frame_count(read) or 1) if pixel else 0
    facts = facts_of(read, elements, uids[0], frames)
    if charset.declared and not charset.known:
        read.warn("charset_unknown")
    return Scanned(
        syntax, _meta_text(opening.meta, 0x00020003), *uids, elements, charset, encoding, facts,
        pixel, opening.preamble, opening.start, syntax in DEFLATED,
        tuple(dict.fromkeys(warnings + read.warnings)),
    )  # fmt: skip


def plain(source: BinaryIO, *, size: int, limits: Limits | None = None) -> BinaryIO:
    """The stream that all offsets of a Scanned count in: `source`, or its inflated copy."""
    limits = limits or Limits()
    src = _Source(source, size)
    opening = _open(src, limits)
    if _meta_text(opening.meta, 0x00020010) not in DEFLATED:
        source.seek(0)
        return source
    return io.BytesIO(_inflated(src, opening.start, limits))


def _open(src: _Source, limits: Limits) -> _Opening:
    if src.size == 0:
        raise BadDicom("empty_file")
    head = src.read(0, min(140, src.size))
    if head[128:132] == b"DICM":
        if src.size <= 132:
            raise BadDicom("no_data_set")
        meta, start = _meta(src, 132, limits)
        return _Opening(head[:128], meta, start)
    if head[:4] == b"DICM":
        meta, start = _meta(src, 4, limits)
        return _Opening(None, meta, start)
    if not _looks_bare(head):
        raise BadDicom("not_dicom")
    meta, start = _meta(src, 0, limits)
    return _Opening(None, meta, start)


def _looks_bare(head: bytes) -> bool:
    """A bare data set starts with a low group, in either byte order, and a sane element."""
    if len(head) < 8:
        return False
    groups = (b"\x02\0", b"\0\x02", b"\x08\0", b"\0\x08")
    return head[:2] in groups and (head[2:4] in (b"\0\0",) or head[2] == 0 or head[3] == 0)


def _meta(src: _Source, pos: int, limits: Limits) -> tuple[tuple[Element, ...], int]:
    """File meta information (group 0002), always explicit little endian, PS3.10 7.1."""
    end = pos
    walker = Walker(src.read, limits)
    found: list[Element] = []
    while src.size - end >= 8 and src.read(end, 2) == b"\x02\0":
        element, end = walker.one(end, src.size, Encoding(explicit=True, little=True))
        found.append(element)
    return tuple(found), end


def _inflated(src: _Source, start: int, limits: Limits) -> bytes:
    """Meta information as it is, then the inflated data set (PS3.5 A.5), never over the cap."""
    inflater = zlib.decompressobj(-15)
    try:
        body = inflater.decompress(src.read(start, src.size - start), limits.inflated + 1)
    except zlib.error as wrong:
        raise BadDicom("malformed") from wrong
    if len(body) > limits.inflated:
        raise BadDicom("too_large")
    if not inflater.eof:
        raise BadDicom("truncated")
    return src.read(0, start) + body


def _encoding(src: _Source, start: int, syntax: str) -> Encoding:
    """As declared; where the first element shows otherwise, or nothing is declared, as it shows."""
    first = src.read(start, min(8, src.size - start))
    little = syntax != EXPLICIT_BE
    if not syntax:
        little = not (first[0] == 0 and first[1] != 0)
    explicit = len(first) > 5 and all(65 <= byte <= 90 for byte in first[4:6])
    return Encoding(explicit=explicit, little=little)


def _guessed_syntax(encoding: Encoding) -> str:
    if not encoding.explicit:
        return IMPLICIT_LE
    return EXPLICIT_LE if encoding.little else EXPLICIT_BE


def is_known_syntax(uid: str) -> bool:
    """Whether the standard knows it as a transfer syntax."""
    entry = UID_dictionary.get(uid)
    is_syntax = entry is not None and entry[1] == "Transfer Syntax"
    return uid in NEWER or (is_syntax and uid.startswith("1.2.840.10008.1.2"))


def _meta_text(meta: tuple[Element, ...], tag: int) -> str:
    element = find(meta, tag)
    raw = element.value if element else None
    return raw.decode("latin-1").strip(" \0") if raw else ""


def _uids(elements: tuple[Element, ...], meta: tuple[Element, ...]) -> tuple[str, str, str, str]:
    """SOP class, SOP instance, series and study UID, each proven well-formed (PS3.5 9.1)."""
    if _meta_text(meta, 0x00020002) == MEDIA_DIRECTORY:
        raise BadDicom("directory")
    wanted = (
        (0x00080016, "missing_sop_class"),
        (0x00080018, "missing_sop_uid"),
        (0x0020000E, "missing_series_uid"),
        (0x0020000D, "missing_study_uid"),
    )
    values = {tag: _meta_text(elements, tag) for tag, _ in wanted}
    for tag, code in reversed(wanted):
        if not values[tag]:
            raise BadDicom(code)
    if not all(is_uid(uid) for uid in values.values()):
        raise BadDicom("bad_uid")
    return values[0x00080016], values[0x00080018], values[0x0020000E], values[0x0020000D]


def _named(elements: tuple[Element, ...], *tags: int) -> tuple[str, str]:
    """The UIDs of a SOP class and instance at these tags, each "" where it is none."""
    words = (_meta_text(elements, tag) for tag in tags)
    sop_class, sop_uid = (uid if is_uid(uid) else "" for uid in words)
    return sop_class, sop_uid


def is_uid(words: str) -> bool:
    """Well-formed as a UID, leading zeros forgiven (PS3.5 9.1)."""
    return len(words) <= 64 and _UID.fullmatch(words) is not None
