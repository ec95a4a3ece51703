"""What a code stream's own header says of its size, read without decoding anything."""

import struct
from typing import NamedTuple

_LENGTHLESS = frozenset({0x01, 0xD8, *range(0xD0, 0xD8)})
_LOSSLESS = frozenset({0xC3, 0xC7, 0xCB, 0xCF})
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


class StreamFacts(NamedTuple):
    """`marked`: a JPEG names its colour space, or a JPEG 2000 transforms its components."""

    kind: str
    rows: int
    columns: int
    components: int
    precision: int
    marked: bool


def jpeg_facts(frame: bytes) -> StreamFacts | None:
    """Facts of a JPEG or JPEG-LS stream (T.81 B.2.2, T.87 C.2.2), None where it is none."""
    if frame[:2] != b"\xff\xd8":
        return None
    pos, marked = 2, False
    while pos + 4 <= len(frame):
        if frame[pos] != 0xFF:
            return None
        marker = frame[pos + 1]
        if marker == 0xFF or marker in _LENGTHLESS:
            pos += 1 if marker == 0xFF else 2
            continue
        if marker in _FRAMES or marker == 0xF7:
            return _start_of_frame(frame, pos, marker, marked)
        marked = marked or frame[pos + 4 : pos + 9] in (b"JFIF\0", b"Adobe")
        pos += 2 + struct.unpack_from(">H", frame, pos + 2)[0]
    return None


def _start_of_frame(frame: bytes, pos: int, marker: int, marked: bool) -> StreamFacts | None:
    if pos + 10 > len(frame):
        return None
    precision, rows, columns, components = struct.unpack_from(">BHHB", frame, pos + 4)
    kind = "ls" if marker == 0xF7 else "lossless" if marker in _LOSSLESS else "dct"
    return StreamFacts(kind, rows, columns, components, precision, marked)


def jpeg2000_facts(frame: bytes) -> StreamFacts | None:
    """Facts of a JPEG 2000 or HTJ2K code stream (T.800 A.5.1, A.6.1), in a JP2 box or bare."""
    start = 0 if frame[:4] == b"\xff\x4f\xff\x51" else _code_stream_box(frame)
    if start < 0 or start + 43 > len(frame) or frame[start : start + 4] != b"\xff\x4f\xff\x51":
        return None
    right, bottom, left, top = struct.unpack_from(">IIII", frame, start + 8)
    tile_width, tile_height = struct.unpack_from(">II", frame, start + 24)
    components, depth = struct.unpack_from(">HB", frame, start + 40)
    if not tile_width or not tile_height:
        return None
    transformed = _has_component_transform(frame, start)
    rows, columns = bottom - top, right - left
    return StreamFacts("2000", rows, columns, components, (depth & 0x7F) + 1, transformed)


def _code_stream_box(frame: bytes) -> int:
    """Where the contiguous code stream of a JP2 file starts (T.800 I.5.4), -1 where nowhere."""
    pos = 0
    while pos + 16 <= len(frame):
        length, kind = struct.unpack_from(">I4s", frame, pos)
        head = 8
        if length == 1:
            length, head = struct.unpack_from(">Q", frame, pos + 8)[0], 16
        if kind == b"jp2c":
            return pos + head
        if length < head:
            return -1
        pos += length
    return -1


def _has_component_transform(frame: bytes, start: int) -> bool:
    """The multiple component transform byte of the COD marker segment."""
    pos = start + 2
    while pos + 9 <= len(frame) and frame[pos] == 0xFF and frame[pos + 1] not in (0x90, 0x93):
        if frame[pos + 1] == 0x52:
            return frame[pos + 8] == 1
        pos += 2 + struct.unpack_from(">H", frame, pos + 2)[0]
    return False
