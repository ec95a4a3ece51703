"""Walk a DICOM data set element by element, with bounds checked before anything is read.

The walker knows explicit and implicit VR, both byte orders, undefined lengths and fragments
(PS3.5 7.1-7.5, A.4). It never loads pixel data, and no declared length is believed before it was
compared with the bytes that are really there.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from pydicom.datadict import dictionary_VR, private_dictionary_VR

from .errors import BadDicom

UNDEFINED = 0xFFFFFFFF
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
PIXEL_TAGS = (0x7FE00008, 0x7FE00009, 0x7FE00010)
BINARY_VRS = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})
LONG_VRS = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"})
SHORT_VRS = frozenset(
    {"AE", "AS", "AT", "CS", "DA", "DS", "DT", "FD", "FL", "IS", "LO", "LT", "PN", "SH", "SL"}
    | {"SS", "ST", "TM", "UI", "UL", "US"}
)

Read = Callable[[int, int], bytes]


@dataclass(frozen=True)
class Limits:
    """What one file may cost. An item costs four elements, since it takes that much memory."""

    depth: int = 64
    elements: int = 400_000
    fragments: int = 500_000
    inline: int = 256 * 1024
    loaded: int = 96 * 1024 * 1024
    inflated: int = 256 * 1024 * 1024


class Encoding(NamedTuple):
    """How elements are written: explicit or implicit VR, little or big endian."""

    explicit: bool
    little: bool


class Element(NamedTuple):
    """One element: `value` is None where it is bulk (read it at `offset`), or where `items` are."""

    tag: int
    vr: str
    offset: int
    length: int
    value: bytes | None
    items: tuple[tuple["Element", ...], ...] | None
    fragments: tuple[tuple[int, int], ...] | None
    little: bool


class _Head(NamedTuple):
    tag: int
    vr: str
    length: int
    start: int


class Walker:
    """Reads elements of one file through `read(offset, length)`.

    Raises BadDicom: truncated, malformed, too_deep, too_large, too_many_elements.
    """

    def __init__(self, read: Read, limits: Limits) -> None:
        self.read = read
        self.limits = limits
        self.warnings: list[str] = []
        self._cost = self._fragments = self._loaded = 0

    def data_set(
        self, pos: int, end: int, how: Encoding, *, depth: int = 0, open_item: bool = False
    ) -> tuple[tuple[Element, ...], int]:
        """Elements from `pos` to `end` (or the item's end mark), and where reading stopped."""
        found: dict[int, Element] = {}
        creators: dict[int, str] = {}
        while pos < end:
            if depth == 0 and self._is_padding(pos, end):
                self._warn("trailing_bytes")
                break
            head = self._head(pos, end, how, creators)
            if head.tag == ITEM_END and open_item:
                return _in_order(found), head.start
            if head.tag >> 16 == 0xFFFE:
                raise BadDicom("malformed")
            element, pos = self._element(head, end, how, depth)
            if element.tag in found:
                self._warn("duplicate_element")
            found[element.tag] = element
            _note_creator(element, creators)
        if open_item:
            raise BadDicom("truncated")
        return _in_order(found), pos

    def one(self, pos: int, end: int, how: Encoding) -> tuple[Element, int]:
        """The single element at `pos`, and where the next one starts."""
        return self._element(self._head(pos, end, how, {}), end, how, 0)

    def _is_padding(self, pos: int, end: int) -> bool:
        """Fewer bytes than an element head, or nothing but zeros: writers pad file ends so."""
        if end - pos < 8:
            return True
        return end - pos <= 4096 and not any(self.read(pos, end - pos))

    def _head(self, pos: int, end: int, how: Encoding, creators: dict[int, str]) -> _Head:
        if end - pos < 8:
            raise BadDicom("truncated")
        raw = self.read(pos, min(12, end - pos))
        order = "<" if how.little else ">"
        group, number = struct.unpack_from(order + "HH", raw)
        tag = group << 16 | number
        vr, length, start = self._vr_and_length(raw, pos, order, how, group)
        if group == 0xFFFE:
            return _Head(tag, "", length, start)
        if not vr or vr == "UN":
            vr = known_vr(tag, creators)
        return _Head(tag, vr, length, start)

    def _vr_and_length(
        self, raw: bytes, pos: int, order: str, how: Encoding, group: int
    ) -> tuple[str, int, int]:
        letters = raw[4:6]
        # Some writers fall back to implicit VR in the middle of an explicit data set.
        if not how.explicit or group == 0xFFFE or not _is_letters(letters):
            return "", struct.unpack_from(order + "I", raw, 4)[0], pos + 8
        vr = letters.decode("ascii")
        if vr in SHORT_VRS or (vr not in LONG_VRS and raw[6:8] != b"\0\0"):
            return vr, struct.unpack_from(order + "H", raw, 6)[0], pos + 8
        if len(raw) < 12:
            raise BadDicom("truncated")
        return vr, struct.unpack_from(order + "I", raw, 8)[0], pos + 12

    def _element(self, head: _Head, end: int, how: Encoding, depth: int) -> tuple[Element, int]:
        self._count(1)
        if head.length == UNDEFINED:
            return self._undefined(head, end, how, depth)
        stop = head.start + head.length
        if stop > end:
            raise BadDicom("truncated")
        if head.vr == "SQ":
            return self._sequence(head, stop, how, depth), stop
        return self._plain(head, how), stop

    def _plain(self, head: _Head, how: Encoding, vr: str | None = None) -> Element:
        vr = vr or head.vr
        bulky = vr in BINARY_VRS or " or OW" in vr or vr == "OB or OW"
        skip = head.tag in PIXEL_TAGS or (bulky and head.length > self.limits.inline)
        value = None if skip else self._load(head.start, head.length)
        return Element(head.tag, vr, head.start, head.length, value, None, None, how.little)

    def _load(self, offset: int, length: int) -> bytes:
        self._loaded += length
        if self._loaded > self.limits.loaded:
            raise BadDicom("too_large")
        return self.read(offset, length)

    def _undefined(self, head: _Head, end: int, how: Encoding, depth: int) -> tuple[Element, int]:
        if head.vr in ("OB", "OW", "OB or OW", "OF", "OD"):
            return self._encapsulated(head, end, how)
        # PS3.5 6.2.2 note 2: UN of undefined length holds an implicit little endian sequence.
        inner = how
        if self.read(head.start - 8, 2) == b"UN" and how.explicit:
            inner = Encoding(explicit=False, little=True)
        items, stop = self._items(head.start, end, inner, depth, closed=False)
        length = stop - head.start
        element = Element(head.tag, "SQ", head.start, length, None, items, None, inner.little)
        return element, stop

    def _sequence(self, head: _Head, stop: int, how: Encoding, depth: int) -> Element:
        was_un = how.explicit and self.read(head.start - 8, 2) == b"UN"
        inner = Encoding(explicit=False, little=True) if was_un else how
        try:
            items, _ = self._items(head.start, stop, inner, depth, closed=True)
        except BadDicom as wrong:
            # A vendor's own damaged sequence must not cost the patient the image: keep its bytes.
            if wrong.code not in ("malformed", "truncated") or not head.tag >> 16 & 1:
                raise
            self._warn("private_sequence_damaged")
            return self._plain(head, how, vr="UN")
        return Element(head.tag, "SQ", head.start, head.length, None, items, None, inner.little)

    def _items(
        self, pos: int, end: int, how: Encoding, depth: int, *, closed: bool
    ) -> tuple[tuple[tuple[Element, ...], ...], int]:
        if depth >= self.limits.depth:
            raise BadDicom("too_deep")
        items: list[tuple[Element, ...]] = []
        while pos < end:
            head = self._head(pos, end, how, {})
            if head.tag == SEQUENCE_END:
                return tuple(items), head.start
            if head.tag != ITEM:
                raise BadDicom("malformed")
            self._count(4)
            open_item = head.length == UNDEFINED
            stop = end if open_item else head.start + head.length
            if stop > end:
                raise BadDicom("truncated")
            item, pos = self.data_set(head.start, stop, how, depth=depth + 1, open_item=open_item)
            items.append(item)
        if not closed:
            raise BadDicom("truncated")
        return tuple(items), pos

    def _encapsulated(self, head: _Head, end: int, how: Encoding) -> tuple[Element, int]:
        """PS3.5 A.4: items of bytes, the first one the basic offset table."""
        pos = head.start
        fragments: list[tuple[int, int]] = []
        while pos < end:
            item = self._head(pos, end, how, {})
            if item.tag == SEQUENCE_END:
                made = Element(
                    head.tag, "OB", head.start, pos - head.start, None, None, tuple(fragments),
                    how.little,
                )  # fmt: skip
                return made, item.start
            if item.tag != ITEM or item.length == UNDEFINED:
                raise BadDicom("malformed")
            self._fragments += 1
            if self._fragments > self.limits.fragments:
                raise BadDicom("too_many_elements")
            pos = item.start + item.length
            fragments.append((item.start, item.length))
        raise BadDicom("truncated")

    def _count(self, cost: int) -> None:
        self._cost += cost
        if self._cost > self.limits.elements:
            raise BadDicom("too_many_elements")

    def _warn(self, code: str) -> None:
        if code not in self.warnings:
            self.warnings.append(code)


def _in_order(found: dict[int, Element]) -> tuple[Element, ...]:
    return tuple(found[tag] for tag in sorted(found))


def _is_letters(two: bytes) -> bool:
    return len(two) == 2 and all(65 <= byte <= 90 for byte in two)


def _note_creator(element: Element, creators: dict[int, str]) -> None:
    """Remember who reserved a private block, (gggg,00bb), PS3.5 7.8.1."""
    group, number = element.tag >> 16, element.tag & 0xFFFF
    if group & 1 and 0x10 <= number <= 0xFF and element.value:
        name = element.value.decode("latin-1").rstrip(" \0")
        creators[group << 16 | number << 8] = name


def known_vr(tag: int, creators: dict[int, str]) -> str:
    """The dictionary's VR of a tag, private ones by their creator; UN where nobody knows."""
    group, number = tag >> 16, tag & 0xFFFF
    if number == 0:
        return "UL"
    try:
        if not group & 1:
            return dictionary_VR(tag)
        if 0x10 <= number <= 0xFF:
            return "LO"
        creator = creators.get(tag & 0xFFFFFF00)
        return private_dictionary_VR(tag, creator) if creator else "UN"
    except KeyError:
        return "UN"
