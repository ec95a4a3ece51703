"""Where the frames of an object lie in its file: native, or encapsulated (PS3.5 A.4, 8.2)."""

import struct
from dataclasses import dataclass
from itertools import pairwise

from .elements import PIXEL_TAGS, Element, Read
from .errors import BadDicom
from .facts import Reader
from .values import find, numbers

Range = tuple[int, int]
MPEG_PREFIX = "1.2.840.10008.1.2.4.10"
_STARTS = (b"\xff\xd8\xff", b"\xff\x4f\xff\x51", b"\0\0\0\x0cjP  ")


@dataclass(frozen=True)
class PixelLayout:
    """Byte ranges (offset, length) from the start of the file, as plain() gives it.

    A frame is one range, or several where its code stream was cut into fragments. `frames` is
    empty where the frames cannot be told apart. Frames of 1 bit may share a byte with their
    neighbours: frame i then starts at bit (i * rows * columns * samples) % 8 of its range.
    """

    offset: int
    length: int
    encapsulated: bool
    frames: tuple[tuple[Range, ...], ...]
    tag: int = 0x7FE00010


def pixel_layout(
    elements: tuple[Element, ...], read: Read, facts: Reader, syntax: str
) -> PixelLayout | None:
    """The layout of the pixel data, None where the object has none.

    Raises BadDicom pixel_data_too_short where the stated image is larger than its data.
    """
    pixels = next((e for e in elements if e.tag in PIXEL_TAGS), None)
    if pixels is None:
        return None
    count = frame_count(facts)
    if pixels.fragments is None:
        frames = _native(pixels, facts, count)
    elif syntax.startswith(MPEG_PREFIX):
        frames = (tuple(pixels.fragments[1:]),)
    else:
        frames = _encapsulated(pixels, elements, read, count or 0)
    if not frames:
        facts.warn("frames_unusable")
    encapsulated = pixels.fragments is not None
    return PixelLayout(pixels.offset, pixels.length, encapsulated, frames, pixels.tag)


def frame_count(facts: Reader) -> int | None:
    """Number of Frames (0028,0008): 1 where absent, None where it is no positive number."""
    if not facts.first(0x00280008):
        return 1
    count = facts.integer(0x00280008)
    return count if count and count > 0 else None


def _native(pixels: Element, facts: Reader, count: int | None) -> tuple[tuple[Range, ...], ...]:
    bits = frame_bits(pixels.tag, facts)
    if bits == 0 or count is None:
        return ()
    if (bits * count + 7) // 8 > pixels.length:
        raise BadDicom("pixel_data_too_short")
    if count > 500_000:
        raise BadDicom("too_many_elements")
    spans = ((i * bits // 8, ((i + 1) * bits + 7) // 8) for i in range(count))
    return tuple(((pixels.offset + start, stop - start),) for start, stop in spans)


def frame_bits(tag: int, facts: Reader) -> int:
    """The size of one native frame in bits, 0 where the image is not described."""
    allocated = {0x7FE00008: 32, 0x7FE00009: 64}.get(tag) or facts.number(0x00280100)
    cells = facts.number(0x00280010) * facts.number(0x00280011)
    if facts.text(0x00280004) == "YBR_FULL_422":
        return cells * 2 * allocated
    return cells * facts.number(0x00280002, 1) * allocated


def _encapsulated(
    pixels: Element, elements: tuple[Element, ...], read: Read, count: int
) -> tuple[tuple[Range, ...], ...]:
    table, parts = _split_table(pixels)
    if not parts and count:
        raise BadDicom("pixel_data_too_short")
    if count == 1:
        return (parts,)
    if len(parts) == count:
        return tuple((part,) for part in parts)
    if len(parts) < count:
        raise BadDicom("pixel_data_too_short")
    starts = _extended_offsets(elements) or _basic_offsets(table, read, pixels.little)
    return _grouped(parts, starts, count) or _by_start_marks(parts, read, count)


def _split_table(pixels: Element) -> tuple[Range, tuple[Range, ...]]:
    fragments = pixels.fragments or ()
    if not fragments:
        return (0, 0), ()
    parts = list(fragments[1:])
    while parts and parts[-1][1] == 0:
        parts.pop()
    return fragments[0], tuple(parts)


def _basic_offsets(table: Range, read: Read, little: bool) -> list[int]:
    raw = read(*table)
    return list(struct.unpack_from(f"{'<' if little else '>'}{len(raw) // 4}I", raw))


def _extended_offsets(elements: tuple[Element, ...]) -> list[int]:
    """Extended Offset Table (7FE0,0001)."""
    return [int(n) for n in numbers(find(elements, 0x7FE00001))]


def _grouped(
    parts: tuple[Range, ...], starts: list[int], count: int
) -> tuple[tuple[Range, ...], ...]:
    """Fragments by frame, where each offset is the start of a fragment's item."""
    if len(starts) != count:
        return ()
    first = parts[0][0] - 8
    place = {offset - 8 - first: i for i, (offset, _) in enumerate(parts)}
    cuts = [place.get(start, -1) for start in starts]
    if cuts[0] != 0 or any(a >= b for a, b in pairwise(cuts)):
        return ()
    return tuple(parts[a:b] for a, b in zip(cuts, [*cuts[1:], len(parts)], strict=True))


def _by_start_marks(
    parts: tuple[Range, ...], read: Read, count: int
) -> tuple[tuple[Range, ...], ...]:
    """Without a table a new frame is where a fragment starts with a code stream's first bytes."""
    cuts = [i for i, (offset, length) in enumerate(parts) if _starts(read(offset, min(12, length)))]
    if len(cuts) != count or cuts[:1] != [0]:
        return ()
    return tuple(parts[a:b] for a, b in zip(cuts, [*cuts[1:], len(parts)], strict=True))


def _starts(raw: bytes) -> bool:
    return raw.startswith(_STARTS)
