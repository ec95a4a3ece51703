"""One object, copied without what names the patient: cleaned, its pixels decoded, written anew."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from sharing.dicom.charset import Charset, charset_of
from sharing.dicom.decode import Image, image_of
from sharing.dicom.egress import Read, element_bytes, file_meta, head
from sharing.dicom.elements import UNDEFINED, Element
from sharing.dicom.errors import CannotRender, MayName
from sharing.dicom.frames import HERE, Codec, as_native_le, frame_bytes
from sharing.dicom.json_model import is_signed, resolved_vr
from sharing.dicom.scan import EXPLICIT_LE, Scanned
from sharing.dicom.values import find

from .admitted import PIXELS, check_admitted
from .aliases import Aliases
from .codes import MACRO, MEANING, SCHEME, VALUE, known_code
from .table import ACTS, Act
from .vouched import MOVED_GROUPS, TABLES, is_described, vouched
from .words import GONE

PROFILE = "DICOM PS3.15 2026c Annex E Basic Profile, modified dates"
_METHODS = (
    ("113100", "Basic Application Confidentiality Profile"),
    ("113107", "Retain Longitudinal Temporal Information Modified Dates Option"),
)
_GROUPS = frozenset({0x0008, 0x0018, 0x0020, 0x0028, 0x0040, 0x0054, 0x2050, 0x5200})
"""Images and how they were made. No other group is copied: none of the patient's, no private one,
no overlay, no curve, no order, no signature, no padding."""
_EMPTY = frozenset({0x00100030, 0x00100040})
"""Birth date and sex: of the patient's group these two must be there, without a value."""
_OTHERS_OF_THE_PATIENT = range(0x00201200, 0x00201210)
"""How many studies there are of the patient and of the study: of the archive, not of the image."""
_CHARSET = 0x00080005
_MAY_BE_EMPTY = frozenset({0x00540300, 0x00540410, 0x00540412, 0x00540414})
"""What of PET must be there, if only without an item (PS3.3 C.8.4.6, C.8.9.2)."""
_TIMES = frozenset({"DA", "DT", "TM"})


def nameless(
    scanned: Scanned, read: Read, aliases: Aliases, codec: Codec = HERE
) -> Iterator[bytes]:
    """The object as an Explicit VR Little Endian file that names nobody, in pieces.

    Raises MayName before the first piece where the object can't be copied so, and later where its
    pixels can't be decoded: keep what was given until all of it is there.
    """
    check_admitted(scanned)
    signed = is_signed(scanned.elements, inherited=False)
    kept = _cleaned(scanned.elements, scanned.charset, aliases, signed)
    clean = _with_statements(kept, aliases.name)
    made = replace(scanned, elements=clean, sop_instance_uid=aliases.uid(scanned.sop_instance_uid))
    yield file_meta(made, EXPLICIT_LE)
    for element in clean:
        if element.tag == PIXELS:
            yield from _pixels(scanned, read, codec)
        else:
            yield from element_bytes(element, read, signed)


def _cleaned(
    elements: tuple[Element, ...], charset: Charset, aliases: Aliases, signed: bool
) -> tuple[Element, ...]:
    """The elements of a data set or an item that may stay, with the values that may."""
    found = (
        _element(each, charset, aliases, signed)
        for each in elements
        if each.tag not in TABLES or is_described(each, elements)
    )
    return tuple(element for element in found if element is not None)


def _element(element: Element, charset: Charset, aliases: Aliases, signed: bool) -> Element | None:
    tag, group = element.tag, element.tag >> 16
    if tag == PIXELS:
        return element
    if tag in _EMPTY:
        return _text(tag, "DA" if tag == 0x00100030 else "CS", "")
    known = group in _GROUPS and tag not in _OTHERS_OF_THE_PATIENT
    if not known or tag & 0xFFFF == 0 or tag == _CHARSET:
        return None
    act, vr = ACTS.get(tag), resolved_vr(element, signed)
    if element.items is not None:
        return _sequence(element, act, charset, aliases, signed)
    if act is None or act is Act.ALIAS or (vr in _TIMES and group in MOVED_GROUPS):
        return _valued(element, vr, vouched(element, vr, charset, aliases))
    if act is Act.REMOVE:
        return None
    return _text(tag, vr, GONE if act is Act.DUMMY else "") if _speaks(vr) else None


def _speaks(vr: str) -> bool:
    return vr in ("AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UT", *_TIMES)


def _valued(element: Element, vr: str, value: bytes | None) -> Element | None:
    if value is None:
        return None
    return element._replace(vr=vr, value=value, length=len(value))


def _text(tag: int, vr: str, words: str) -> Element:
    raw = "" if vr in _TIMES else words
    raw += " " * (len(raw) % 2)
    return Element(tag, vr, 0, len(raw), raw.encode("ascii"), None, None, little=True)


def _sequence(
    element: Element, act: Act | None, charset: Charset, aliases: Aliases, signed: bool
) -> Element | None:
    """What is left of its items: without any, nothing but what was empty, or must be there."""
    if act in (Act.REMOVE, Act.DUMMY):
        return None
    items: tuple[tuple[Element, ...], ...] = ()
    if act is not Act.EMPTY:
        found = (_item(item, charset, aliases, signed) for item in element.items or ())
        items = tuple(item for item in found if item)
        if element.items and not items and element.tag not in _MAY_BE_EMPTY:
            return None
    return element._replace(items=items, little=True)


def _item(
    item: tuple[Element, ...], charset: Charset, aliases: Aliases, signed: bool
) -> tuple[Element, ...]:
    own = find(item, _CHARSET)
    here = charset_of(own.value if own else None, charset.guess, parent=charset)
    inner = is_signed(item, inherited=signed)
    if find(item, VALUE) is None and find(item, SCHEME) is None:
        return _cleaned(item, here, aliases, inner)
    code = known_code(item, here)
    if code is None:
        return ()
    rest = tuple(element for element in item if element.tag not in MACRO)
    return (*_coded(*code), *_cleaned(rest, here, aliases, inner))


def _coded(value: str, scheme: str, meaning: str) -> tuple[Element, ...]:
    return (
        _text(VALUE, "SH", value), _text(SCHEME, "SH", scheme), _text(MEANING, "LO", meaning),
    )  # fmt: skip


def _with_statements(elements: tuple[Element, ...], name: str) -> tuple[Element, ...]:
    """And whose it is now, and what was done: PS3.15 E.1.1 7, PS3.3 C.7.1.1 and C.12.1."""
    methods = tuple(_coded(value, "DCM", meaning) for value, meaning in _METHODS)
    said = (
        _text(0x00100010, "PN", name),
        _text(0x00100020, "LO", name),
        _text(0x00120062, "CS", "YES"),
        _text(0x00120063, "LO", PROFILE),
        Element(0x00120064, "SQ", 0, UNDEFINED, None, methods, None, little=True),
        _text(0x00280303, "CS", "MODIFIED"),
    )
    held = {element.tag: element for element in (*elements, *said)}
    return tuple(held[tag] for tag in sorted(held))


def _pixels(scanned: Scanned, read: Read, codec: Codec) -> Iterator[bytes]:
    """Exactly the pixels: no code stream's comments, no bits beside them, no bytes behind them."""
    try:
        image = image_of(scanned)
        frames = len(scanned.pixel.frames) if scanned.pixel else 0
        size = image.rows * image.columns * image.bits_allocated // 8
        total = size * frames
        if not total or total >= UNDEFINED - 1:
            raise MayName("pixels_may_name")
        yield head(PIXELS, "OW" if image.bits_allocated > 8 else "OB", total + total % 2)
        for index in range(frames):
            stored = frame_bytes(read, scanned.pixel, index)
            pixels = as_native_le(scanned, stored, index, codec)
            if len(pixels) < size:
                raise MayName("pixels_may_name")
            yield _own_bits(image, pixels[:size])
        yield bytes(total % 2)
    except CannotRender as wrong:
        raise MayName("pixels_may_name") from wrong


def _own_bits(image: Image, pixels: bytes) -> bytes:
    """Bits that are no part of a pixel's value once held overlays (PS3.3 C.9): they go."""
    bits, stored = image.bits_allocated, image.bits_stored
    if stored >= bits:
        return pixels
    lowest = image.high_bit - stored + 1
    if lowest < 0:
        raise MayName("pixels_may_name")
    if lowest == 0 and image.signed:  # the bits above repeat the sign
        wide = np.frombuffer(pixels, f"<i{bits // 8}")
        return ((wide << (bits - stored)) >> (bits - stored)).astype(wide.dtype).tobytes()
    mask = ((1 << stored) - 1) << lowest
    narrow = np.frombuffer(pixels, f"<u{bits // 8}")
    return (narrow & narrow.dtype.type(mask)).astype(narrow.dtype).tobytes()
