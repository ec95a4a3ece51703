"""DICOM files on their way out: harmless preamble, true meta information, plain encoding."""

import struct
from collections.abc import Callable, Iterator

import numpy as np

from .decode import image_of
from .elements import LONG_VRS, PIXEL_TAGS, UNDEFINED, Element
from .errors import CannotRender
from .frames import HERE, Codec, as_native_le, frame_bytes
from .json_model import is_signed, resolved_vr
from .scan import EXPLICIT_LE, Scanned

Read = Callable[[int, int], bytes]
CHUNK = 1024 * 1024
SAFE_START = bytes(128) + b"DICM"
IMPLEMENTATION_UID = "2.25.180212463906451180393012093047846371219"
IMPLEMENTATION_NAME = "SHARING_1"
_WIDTHS = {
    "AT": 2, "US": 2, "SS": 2, "OW": 2, "UL": 4, "SL": 4, "FL": 4, "OF": 4, "OL": 4,
    "FD": 8, "OD": 8, "OV": 8, "SV": 8, "UV": 8,
}  # fmt: skip
ITEM_END = struct.pack("<HHI", 0xFFFE, 0xE00D, 0)
SEQUENCE_END = struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
_OFFSET_TABLES = (0x7FE00001, 0x7FE00002)


def safe_preamble(first_132_bytes: bytes) -> bytes:
    """The first 132 bytes of a Part 10 file with the preamble zeroed (PS3.10 7.5).

    Raises ValueError where they are not the start of a Part 10 file.
    """
    if len(first_132_bytes) != 132 or first_132_bytes[128:] != b"DICM":
        raise ValueError("not the start of a Part 10 file")
    return SAFE_START


def part10(scanned: Scanned, read: Read, *, size: int) -> Iterator[bytes]:
    """The stored file in chunks, fit to leave: preamble zeroed, all else byte for byte.

    `read` and `size` are of the file as it is stored. Meta information is written anew only where
    the file had none, or where it named another object than its data set.
    """
    if scanned.preamble is not None and not _meta_is_wrong(scanned):
        yield SAFE_START
        start = 132
    else:
        yield file_meta(scanned, scanned.transfer_syntax)
        start = scanned.data_offset
    yield from _chunks(read, start, size - start)


def _meta_is_wrong(scanned: Scanned) -> bool:
    wrong = {"meta_mismatch", "transfer_syntax_missing"}
    return bool(wrong.intersection(scanned.warnings))


def file_meta(scanned: Scanned, syntax: str) -> bytes:
    """Preamble and file meta information (PS3.10 7.1) for the object in another syntax."""
    return meta_information(scanned.sop_class_uid, scanned.sop_instance_uid, syntax)


def meta_information(sop_class: str, sop_uid: str, syntax: str) -> bytes:
    """Preamble and file meta information of an object by its UIDs, which are ASCII."""
    rows = (
        _short(0x00020002, "UI", _uid(sop_class))
        + _short(0x00020003, "UI", _uid(sop_uid))
        + _short(0x00020010, "UI", _uid(syntax))
        + _short(0x00020012, "UI", _uid(IMPLEMENTATION_UID))
        + _short(0x00020013, "SH", even(IMPLEMENTATION_NAME.encode(), b" "))
    )
    rows = head(0x00020001, "OB", 2) + b"\0\1" + rows
    return SAFE_START + _short(0x00020000, "UL", struct.pack("<I", len(rows))) + rows


def as_explicit_le(scanned: Scanned, read: Read, codec: Codec = HERE) -> Iterator[bytes]:
    """The object as an Explicit VR Little Endian file, in chunks.

    `read` counts as plain() does. Compressed pixel data is decoded frame by frame; lossy ones
    stay marked as such. Raises CannotRender where a frame cannot be decoded.
    """
    yield file_meta(scanned, EXPLICIT_LE)
    signed = is_signed(scanned.elements, inherited=False)
    decoded = scanned.pixel is not None and scanned.pixel.encapsulated
    colour = decoded and _becomes_rgb(scanned, read, codec)
    for element in scanned.elements:
        if decoded and element.tag in _OFFSET_TABLES:
            continue
        if decoded and element.tag in PIXEL_TAGS:
            yield from _decoded_pixels(scanned, read, codec)
        elif decoded and element.tag == 0x00280006:
            yield _short(element.tag, "US", b"\0\0")
        elif colour and element.tag == 0x00280004:
            yield _short(element.tag, "CS", b"RGB ")
        else:
            yield from element_bytes(element, read, signed)


def _becomes_rgb(scanned: Scanned, read: Read, codec: Codec) -> bool:
    """Whether decoding turns the colours into RGB; the first frame tells."""
    if not scanned.facts.photometric.startswith("YBR"):
        return False
    frame = frame_bytes(read, scanned.pixel, 0)
    return codec.photometric(image_of(scanned), frame, 0) == "RGB"


def _decoded_pixels(scanned: Scanned, read: Read, codec: Codec) -> Iterator[bytes]:
    image, layout = image_of(scanned), scanned.pixel
    frames = layout.frames if layout else ()
    cells = image.rows * image.columns * image.samples
    if image.bits_allocated == 1 and cells % 8 and len(frames) > 1:
        raise CannotRender("unsupported_pixels")
    total = (cells * image.bits_allocated + 7) // 8 * len(frames)
    if not frames or total >= UNDEFINED - 1:
        raise CannotRender("over_budget" if frames else "frames_unusable")
    vr = "OW" if image.bits_allocated > 8 else "OB"
    yield head(0x7FE00010, vr, total + total % 2)
    for index in range(len(frames)):
        yield as_native_le(scanned, frame_bytes(read, layout, index), index, codec)
    yield bytes(total % 2)


def element_bytes(element: Element, read: Read, signed: bool) -> Iterator[bytes]:
    """One element in Explicit VR Little Endian, in pieces; nothing for a group length, and for
    compressed icons, which only the object's own transfer syntax can hold (PS3.5 A.4).
    """
    if element.tag & 0xFFFF == 0:
        return  # group lengths: retired, and wrong after re-encoding
    if any(child.fragments is not None for item in element.items or () for child in item):
        return
    if element.items is not None:
        yield from _sequence(element, read, signed)
        return
    odd = element.length % 2
    vr = fitting(resolved_vr(element, signed), element.length + odd)
    yield head(element.tag, vr, element.length + odd)
    for part in _parts(element, read):
        yield part if element.little else _swapped(part, _WIDTHS.get(vr, 1))
    if odd:
        yield b"\0" if vr in LONG_VRS or vr == "UI" else b" "


def _sequence(element: Element, read: Read, signed: bool) -> Iterator[bytes]:
    yield head(element.tag, "SQ", UNDEFINED)
    for item in element.items or ():
        yield item_head(UNDEFINED)
        inner = is_signed(item, inherited=signed)
        for child in item:
            yield from element_bytes(child, read, inner)
        yield ITEM_END
    yield SEQUENCE_END


def _parts(element: Element, read: Read) -> Iterator[bytes]:
    if element.value is not None:
        yield element.value
    else:
        yield from _chunks(read, element.offset, element.length)


def _chunks(read: Read, offset: int, length: int) -> Iterator[bytes]:
    for start in range(0, length, CHUNK):
        yield read(offset + start, min(CHUNK, length - start))


def _swapped(part: bytes, width: int) -> bytes:
    if width == 1 or len(part) % width:
        return part
    return np.frombuffer(part, f"u{width}").byteswap().tobytes()


def short_element(tag: int, vr: str, value: bytes | str) -> bytes:
    """A whole element whose length has 16 bits; text is padded to an even length."""
    if isinstance(value, str):
        return _short(tag, vr, even(value.encode("ascii"), b"\0" if vr == "UI" else b" "))
    return _short(tag, vr, value)


def _short(tag: int, vr: str, value: bytes) -> bytes:
    return head(tag, vr, len(value)) + value


def head(tag: int, vr: str, length: int) -> bytes:
    """The head of an element; its length has 32 bits or 16, by its VR (PS3.5 7.1.2)."""
    start = struct.pack("<HH2s", tag >> 16, tag & 0xFFFF, vr.encode())
    return start + struct.pack(*(("<HI", 0, length) if vr in LONG_VRS else ("<H", length)))


def fitting(vr: str, length: int) -> str:
    """UN where a value is too long for the 16 bits that its VR has (PS3.5 6.2.2)."""
    return "UN" if length > 65534 and vr not in LONG_VRS else vr


def item_head(length: int) -> bytes:
    """The head of an item of a sequence or a fragment of pixel data (PS3.5 7.5, A.4)."""
    return struct.pack("<HHI", 0xFFFE, 0xE000, length)


def _uid(uid: str) -> bytes:
    return even(uid.encode("ascii"), b"\0")


def even(value: bytes, pad: bytes) -> bytes:
    """A value of even length (PS3.5 7.1)."""
    return value + pad if len(value) % 2 else value
