"""Whole objects in another compressed syntax, as Part 10 files.

Lossless: the same object, the same SOP Instance UID. JPEG baseline: a derived object with a UID of
its own, that says so and names its source (PS3.3 C.7.6.1.1.5, PS3.3 C.12.4.1).
"""

import hashlib
from collections.abc import Iterator
from dataclasses import replace

from .charset import Charset
from .decode import Image, image_of
from .egress import (
    IMPLEMENTATION_UID,
    SEQUENCE_END,
    element_bytes,
    file_meta,
    head,
    item_head,
    short_element,
)
from .elements import PIXEL_TAGS, UNDEFINED, Element
from .errors import CannotRender
from .frames import HERE, Codec, Read, frame_bytes
from .json_model import is_signed
from .scan import NATIVE, Scanned
from .transcode import JPEG_BASELINE, can_become, photometric_after
from .values import find, texts

_ASCII = Charset(("ascii",), declared=True, known=True)
_OFFSET_TABLES = (0x7FE00001, 0x7FE00002)
Written = dict[int, bytes]


def as_syntax(scanned: Scanned, read: Read, syntax: str, codec: Codec = HERE) -> Iterator[bytes]:
    """The object with its frames encoded anew, in chunks; `read` counts as plain() does.

    Raises CannotRender before the first chunk where it can't be written so, and later where a
    frame can't be decoded.
    """
    image = image_of(scanned)
    layout = scanned.pixel
    if not can_become(image, syntax) or layout is None or not layout.frames:
        raise CannotRender("unsupported_pixels")
    first = codec.encoded(image, frame_bytes(read, layout, 0), 0, syntax)
    changed = _changed(scanned, read, image, syntax, len(first), codec)
    if syntax == JPEG_BASELINE:
        scanned = replace(scanned, sop_instance_uid=derived_uid(scanned, syntax))
    return _file(scanned, read, syntax, first, changed, codec)


def derived_uid(scanned: Scanned, syntax: str) -> str:
    """The UID of what is made of an object in a lossy syntax: the same each time it is made."""
    text = f"{IMPLEMENTATION_UID}|{scanned.sop_instance_uid}|{syntax}"
    return f"2.25.{int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], 'big')}"


def _file(
    scanned: Scanned, read: Read, syntax: str, first: bytes, changed: Written, codec: Codec
) -> Iterator[bytes]:
    yield file_meta(scanned, syntax)
    signed = is_signed(scanned.elements, inherited=False)
    kept = {e.tag: e for e in scanned.elements if e.tag not in (*PIXEL_TAGS, *_OFFSET_TABLES)}
    ends = {tag for tag in kept if tag > PIXEL_TAGS[-1]}
    for tag in sorted((kept.keys() | changed.keys()) - ends):
        yield from _one(kept, changed, tag, read, signed)
    yield from _pixels(scanned, read, syntax, first, codec)
    for tag in sorted(ends):
        yield from _one(kept, changed, tag, read, signed)


def _one(
    kept: dict[int, Element], changed: Written, tag: int, read: Read, signed: bool
) -> Iterator[bytes]:
    if tag in changed:
        yield changed[tag]
    else:
        yield from element_bytes(kept[tag], read, signed)


def _pixels(
    scanned: Scanned, read: Read, syntax: str, first: bytes, codec: Codec
) -> Iterator[bytes]:
    """One fragment a frame, behind an empty offset table (PS3.5 A.4)."""
    image, layout = image_of(scanned), scanned.pixel
    yield head(0x7FE00010, "OB", UNDEFINED) + item_head(0)
    for index in range(len(layout.frames) if layout else 0):
        stream = first
        if index:
            stream = codec.encoded(image, frame_bytes(read, layout, index), index, syntax)
        yield item_head(len(stream)) + stream
    yield SEQUENCE_END


def _changed(
    scanned: Scanned, read: Read, image: Image, syntax: str, size: int, codec: Codec
) -> Written:
    """The elements that say other than before, by tag, written out."""
    photometric = image.photometric
    if image.syntax not in NATIVE and photometric.startswith("YBR"):
        photometric = codec.photometric(image, frame_bytes(read, scanned.pixel, 0), 0)
    photometric = photometric_after(photometric, syntax, image.samples)
    made = {0x00280004: short_element(0x00280004, "CS", photometric)}
    if image.samples > 1:
        made[0x00280006] = short_element(0x00280006, "US", b"\0\0")
    if syntax == JPEG_BASELINE:
        made |= _derived(scanned, image, size)
    return made


def _derived(scanned: Scanned, image: Image, size: int) -> Written:
    elements = scanned.elements
    kind = ["DERIVED", *(texts(find(elements, 0x00080008), _ASCII) or ["", "SECONDARY"])[1:]]
    ratios = [*texts(find(elements, 0x00282112), _ASCII), f"{image.decoded_bytes / size:.2f}"]
    methods = [*texts(find(elements, 0x00282114), _ASCII), "ISO_10918_1"]
    source = short_element(0x00081150, "UI", scanned.sop_class_uid)
    source += short_element(0x00081155, "UI", scanned.sop_instance_uid)
    source = item_head(len(source)) + source
    return {
        0x00080008: short_element(0x00080008, "CS", "\\".join(kind)),
        0x00080018: short_element(0x00080018, "UI", derived_uid(scanned, JPEG_BASELINE)),
        0x00082111: short_element(0x00082111, "ST", "JPEG baseline, quality 90"),
        0x00082112: head(0x00082112, "SQ", len(source)) + source,
        0x00282110: short_element(0x00282110, "CS", "01"),
        0x00282112: short_element(0x00282112, "DS", "\\".join(ratios)),
        0x00282114: short_element(0x00282114, "CS", "\\".join(methods)),
    }
