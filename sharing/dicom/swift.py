"""The common file in one pass: explicit VR little endian, in order, with nothing odd in it.

Images of a series say nearly the same, so what an element's bytes come to (its DICOM JSON, and the
fact in it) is remembered by these bytes; the object's JSON is then put together without an object
in between. Whatever would be an error, a warning, or only rare ends here with None, and the
thorough scan decides. So this may give up, but never differ from it (tests/dicom/test_swift.py).
"""

import struct
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import BinaryIO

from .charset import Charset
from .digest import Digest, thorough
from .elements import (
    LONG_VRS,
    PIXEL_TAGS,
    SHORT_VRS,
    UNDEFINED,
    Element,
    Encoding,
    Limits,
    Read,
    Walker,
    known_vr,
)
from .errors import BadDicom
from .facts import Facts, Reader, class_name
from .fragments import (
    APART,
    BLANK,
    REMEMBERED,
    UIDS,
    Kept,
    Memo,
    Unusual,
    bulk_json,
    charset_and_memo,
    made,
    sequence,
)
from .json_model import BINARY
from .layout import PixelLayout, frame_count, pixel_layout
from .scan import EXECUTABLE, EXPLICIT_LE, MEDIA_DIRECTORY, NATIVE, is_known_syntax, scan

HEAD = 64 * 1024
LARGEST_HEAD = 512 * 1024
"""Longer headers are read thoroughly: below this no limit of elements or of memory is near."""

_SHORT = {vr.encode(): vr for vr in SHORT_VRS}
_LONG = {vr.encode(): vr for vr in LONG_VRS}
_head = struct.Struct("<HH2sH").unpack_from
_length = struct.Struct("<I").unpack_from
_EXPLICIT = Encoding(explicit=True, little=True)
_CHARSET = b'"00080005":{"vr":"CS","Value":["ISO_IR 192"]}'


class TooShort(Exception):
    """The same, unless more of the file is at hand."""


def digested(
    pieces: Sequence[bytes | memoryview],
    *,
    size: int,
    whole: Callable[[], BinaryIO],
    default_charset: str | None,
) -> Digest:
    """Read a file of `size` bytes that begins with `pieces`; `whole` opens all of it if need be.

    Raises BadDicom with a stable code.
    """
    held = sum(map(len, pieces))
    for most in (HEAD, held):
        try:
            return swift(_first(pieces, most), size=size, default_charset=default_charset)
        except Unusual:
            break
        except TooShort:
            if held <= most:
                break
    return thorough(scan(whole(), size=size, default_charset=default_charset))


def _first(pieces: Sequence[bytes | memoryview], most: int) -> bytes:
    """The first `most` bytes."""
    if pieces and len(pieces[0]) >= most:
        return bytes(pieces[0][:most])
    return b"".join(pieces)[:most]


def swift(head: bytes, *, size: int, default_charset: str | None) -> Digest:
    """Read a file of `size` bytes that begins with `head` (all but a native image's pixels).

    Raises Unusual, and TooShort where a longer `head` may help.
    """
    if head[128:132] != b"DICM" or head.startswith(EXECUTABLE) or size > len(head) > LARGEST_HEAD:
        raise Unusual
    try:
        return _Pass(head, size, default_charset).result()
    except (struct.error, BadDicom) as wrong:
        raise (Unusual if len(head) == size else TooShort) from wrong


class _Pass:
    """One file on its way."""

    def __init__(self, head: bytes, size: int, default_charset: str | None) -> None:
        self.head, self.size = head, size
        self.json: list[bytes] = []
        self.known = dict(BLANK)
        self.laid: list[Element] = []
        self.pixels: Element | None = None
        self.creators: dict[int, str] = {}
        self.syntax, self.meta_uid, start = _meta(head)
        self.charset, self.memo, start = self._begin(start, default_charset)
        self._data_set(start)

    def _begin(self, pos: int, default: str | None) -> tuple[Charset, Memo, int]:
        """The character set, whose element comes before all text, and what stands after it."""
        while True:
            group, number, letters, length = _head(self.head, pos)
            tag, start, stop = group << 16 | number, pos + 8, pos + 8 + length
            if tag >= 0x00080005:
                break
            if tag != 0x00080000 or letters != b"UL":
                raise Unusual
            pos = stop
        raw = b""
        if tag == 0x00080005:
            if letters != b"CS" or stop > len(self.head):
                raise Unusual
            raw, pos = self.head[start:stop], stop
        self.json.append(_CHARSET)
        charset, memo = charset_and_memo(raw, default)
        if charset.declared and not charset.known:
            raise Unusual
        return charset, memo, pos

    def _data_set(self, pos: int) -> None:
        head, size = self.head, self.size
        memo, known, json = self.memo, self.known, self.json
        last = 0x00080005
        while pos < size:
            group, number, letters, length = _head(head, pos)
            tag = group << 16 | number
            if tag <= last:
                raise Unusual
            last = tag
            if letters in _SHORT:
                stop = pos + 8 + length
                kept = memo.get(head[pos:stop]) or self._short(pos, tag, stop)
            else:
                kept, stop = self._long(pos, tag, letters)
            if group & 1 and number <= 0xFF:
                self._reserve(tag, pos, stop)
            pos = stop
            json.append(kept.json)
            if kept.name:
                known[kept.name] = kept.fact
            if kept.element is not None:
                self.laid.append(kept.element)

    def _short(self, pos: int, tag: int, stop: int) -> Kept:
        """An element with two bytes of length that was not met before."""
        if stop > len(self.head):
            raise TooShort
        raw = self.head[pos:stop]
        kept = made(tag, _SHORT[raw[4:6]], raw[8:], self.charset)
        if len(raw) <= REMEMBERED:
            self.memo.keep(raw, kept)
        return kept

    def _reserve(self, tag: int, pos: int, stop: int) -> None:
        """Remember who reserved a private block, (gggg,00bb), PS3.5 7.8.1."""
        letters = self.head[pos + 4 : pos + 6]
        if letters == b"SQ":
            raise Unusual
        start = pos + (8 if letters in _SHORT else 12)
        if tag & 0xFF >= 0x10 and stop > start:
            name = self.head[start:stop].decode("latin-1").rstrip(" \0")
            self.creators[tag & 0xFFFF0000 | (tag & 0xFF) << 8] = name

    def _long(self, pos: int, tag: int, letters: bytes) -> tuple[Kept, int]:
        """An element with four bytes of length, and where it ends."""
        vr = _LONG.get(letters)
        if vr is None:
            raise Unusual
        length = _length(self.head, pos + 8)[0]
        if tag in PIXEL_TAGS:
            return self._pixels(pos, tag, vr, length)
        if vr == "SQ":
            return self._sequence(pos, tag, length)
        stop = pos + 12 + length
        if length == UNDEFINED or stop > self.size:
            raise Unusual
        if stop > len(self.head):
            raise TooShort
        if vr == "UN":
            vr = known_vr(tag, self.creators)
            if vr == "SQ" or " or " in vr:
                raise Unusual
            return made(tag, vr, self.head[pos + 12 : stop], self.charset), stop
        raw = self.head[pos:stop]
        kept = self.memo.get(raw)
        if kept is None:
            kept = made(tag, vr, raw[12:], self.charset)
            if len(raw) <= REMEMBERED:
                self.memo.keep(raw, kept)
        return kept, stop

    def _sequence(self, pos: int, tag: int, length: int) -> tuple[Kept, int]:
        stop = pos + 12 + length
        if length == UNDEFINED:
            stop = _end_of_items(self.head, pos + 12, 0)
        if stop > self.size:
            raise Unusual
        if stop > len(self.head):
            raise TooShort
        raw = self.head[pos:stop]
        kept = self.memo.get(raw)
        if kept is None:
            kept = self._items(pos, stop)
            if len(raw) <= REMEMBERED:
                self.memo.keep(raw, kept)
        return kept, stop

    def _items(self, pos: int, stop: int) -> Kept:
        walker = Walker(self._read, Limits())
        element, end = walker.one(pos, self.size, _EXPLICIT)
        if end != stop or walker.warnings:
            raise Unusual
        return sequence(element, self.charset)

    def _read(self, offset: int, length: int) -> bytes:
        found = self.head[offset : offset + length]
        if len(found) != length:
            raise BadDicom("truncated")
        return found

    def _pixels(self, pos: int, tag: int, vr: str, length: int) -> tuple[Kept, int]:
        """Left in the file; those of native images may end it beyond what is at hand."""
        if self.pixels or vr not in BINARY or vr == "UN":
            raise Unusual
        if length == UNDEFINED:
            if len(self.head) < self.size:
                raise TooShort
            self.pixels, stop = Walker(self._read, Limits()).one(pos, self.size, _EXPLICIT)
            if self.pixels.fragments is None:
                raise Unusual
        else:
            stop = pos + 12 + length
            if stop > self.size or len(self.head) < stop != self.size:
                raise Unusual if len(self.head) == self.size or stop > self.size else TooShort
            self.pixels = Element(tag, vr, pos + 12, length, None, None, None, little=True)
        return Kept(bulk_json(tag, self.pixels.vr)), stop

    def result(self) -> Digest:
        """All that was found, as the thorough scan would say it."""
        known = self.known
        uids = [known.pop(name, "") for name in UIDS.values()]
        if not all(uids) or self.meta_uid not in ("", uids[1]):
            raise Unusual
        pixel, frames = self._layout()
        timezone, side, issuer = (known.pop(name) for name in APART)
        known["issuer_of_patient_id"] = known["issuer_of_patient_id"] or issuer
        known["laterality"] = known["laterality"] or side
        if known["samples"] is None:
            known["samples"] = 1 if self.pixels else 0
        facts = Facts(frames=frames, sop_class_name=class_name(uids[0]), **known)
        json = b"{%s}" % b",".join(filter(None, self.json))
        sop_class_uid, sop_uid, study_uid, series_uid = uids
        return Digest(
            transfer_syntax=self.syntax,
            sop_class_uid=sop_class_uid,
            sop_uid=sop_uid,
            series_uid=series_uid,
            study_uid=study_uid,
            facts=facts,
            pixel=pixel,
            warnings=(),
            sound=True,
            timezone=timezone[:16],
            json=json,
        )

    def _layout(self) -> tuple[PixelLayout | None, int]:
        """The frame table, and Number of Frames as columns have it."""
        if self.pixels is None:
            return None, 0
        laid = tuple(self.laid)
        if self.pixels.fragments is None:
            return _native(laid, self.pixels, self.charset, self.syntax)
        return _laid_out(laid, self.pixels, self.charset, self.syntax, self._read)


@lru_cache(maxsize=256)
def _native(
    laid: tuple[Element, ...], pixels: Element, charset: Charset, syntax: str
) -> tuple[PixelLayout, int]:
    """Images of a series lie alike; nothing of the pixels themselves is read."""
    return _laid_out(laid, pixels, charset, syntax, None)


def _laid_out(
    laid: tuple[Element, ...], pixels: Element, charset: Charset, syntax: str, source: Read | None
) -> tuple[PixelLayout, int]:
    read = Reader(laid, charset)
    pixel = pixel_layout((*laid, pixels), source or _nothing, read, syntax)
    frames = frame_count(read) or 1
    if read.warnings or pixel is None or pixel.encapsulated == (syntax in NATIVE):
        raise Unusual
    return pixel, frames


def _nothing(offset: int, length: int) -> bytes:
    raise Unusual


def _meta(head: bytes) -> tuple[str, str, int]:
    """Transfer syntax and SOP instance of the file meta information, and where it ends."""
    pos, last = 132, 0
    found: dict[int, str] = {}
    while head[pos : pos + 2] == b"\x02\0":
        _, number, letters, length = _head(head, pos)
        start = pos + 8
        if letters in _LONG:
            start, length = pos + 12, _length(head, pos + 8)[0]
        elif letters not in _SHORT:
            raise Unusual
        if (number <= last and pos > 132) or letters in (b"SQ", b"UN") or length > 1024:
            raise Unusual
        last, pos = number, start + length
        found[number] = head[start:pos].decode("latin-1").strip(" \0")
    syntax = found.get(0x0010, "")
    usual = syntax == EXPLICIT_LE or (syntax not in NATIVE and is_known_syntax(syntax))
    if not usual or found.get(0x0002) == MEDIA_DIRECTORY:
        raise Unusual
    return syntax, found.get(0x0003, ""), pos


def _end_of_items(head: bytes, pos: int, depth: int) -> int:
    """Where a sequence of undefined length ends, its delimiter included (PS3.5 7.5)."""
    if depth > 8:
        raise Unusual
    while True:
        group, number, length = struct.unpack_from("<HHI", head, pos)
        pos += 8
        if group != 0xFFFE or number not in (0xE000, 0xE0DD):
            raise Unusual
        if number == 0xE0DD:
            return pos
        pos = _end_of_item(head, pos, depth) if length == UNDEFINED else pos + length


def _end_of_item(head: bytes, pos: int, depth: int) -> int:
    while True:
        group, _, letters, length = _head(head, pos)
        if group == 0xFFFE:
            return pos + 8
        if letters in _SHORT:
            pos += 8 + length
        elif letters in _LONG:
            length = _length(head, pos + 8)[0]
            pos += 12
            if length == UNDEFINED and letters != b"SQ":
                raise Unusual
            pos = _end_of_items(head, pos, depth + 1) if length == UNDEFINED else pos + length
        else:
            raise Unusual
