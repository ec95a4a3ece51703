"""Frame tables in a column: even ones as four numbers, others as ranges, some frames together.

Of a table of ten thousand frames one frame's place is found without unpacking the others'.

A table is packed with the object's own offsets, so that it stays true when the object is moved to
another place of another pack.
"""

import struct
import zlib
from collections.abc import Sequence
from itertools import accumulate

from sharing.dicom.layout import PixelLayout

Range = tuple[int, int]
_HEAD = struct.Struct("<BBIQQ")  # kind, encapsulated, tag, offset and length of the pixel data
_EVEN = struct.Struct("<QQI")  # first frame's offset, every frame's length, how many
_KIND_EVEN, _KIND_RANGES = 1, 3
_COUNT = struct.Struct("<I")
TOGETHER = 64
"""Frames whose ranges are compressed together; where each such group ends stands before them."""


def packed(layout: PixelLayout | None) -> bytes | None:
    """The frame table of an object as bytes, None where it has no pixels."""
    if layout is None:
        return None
    even = _even(layout.frames)
    kind = _KIND_EVEN if even else _KIND_RANGES
    head = _HEAD.pack(kind, layout.encapsulated, layout.tag, layout.offset, layout.length)
    return head + (_EVEN.pack(*even) if even else _grouped(layout.frames))


def unpacked(table: bytes | memoryview | None) -> PixelLayout | None:
    """The layout that `packed` made the bytes of."""
    if table is None:
        return None
    table = bytes(table)
    kind, encapsulated, tag, offset, length = _HEAD.unpack_from(table)
    if kind == _KIND_EVEN:
        first, size, count = _EVEN.unpack_from(table, _HEAD.size)
        frames: tuple[tuple[Range, ...], ...]
        frames = tuple(((first + i * size, size),) for i in range(count))
    else:
        (count,) = _COUNT.unpack_from(table, _HEAD.size)
        frames = tuple(
            frame for start in range(0, count, TOGETHER) for frame in _group(table, start)
        )
    return PixelLayout(offset, length, bool(encapsulated), frames, tag)


def ranges_of(table: bytes | memoryview | None, index: int) -> tuple[Range, ...] | None:
    """Where frame `index` (from 0) lies in its object; None where there is no such frame."""
    if table is None or index < 0:
        return None
    if table[0] == _KIND_EVEN:
        first, size, count = _EVEN.unpack_from(table, _HEAD.size)
        return ((first + index * size, size),) if index < count else None
    (count,) = _COUNT.unpack_from(table, _HEAD.size)
    return _group(table, index)[index % TOGETHER] if index < count else None


def _even(frames: Sequence[tuple[Range, ...]]) -> tuple[int, int, int] | None:
    """Native frames of whole bytes, and single frames: one step fits all."""
    if not frames or len(frames[0]) != 1:
        return None
    first, size = frames[0][0]
    steps = enumerate(frames)
    same = all(frame == ((first + i * size, size),) for i, frame in steps)
    return (first, size, len(frames)) if same else None


def _grouped(frames: Sequence[tuple[Range, ...]]) -> bytes:
    """How many frames, where each group ends, and the groups."""
    starts = range(0, len(frames), TOGETHER)
    groups = [zlib.compress(_ranges(frames[start : start + TOGETHER]), 1) for start in starts]
    ends = accumulate(len(group) for group in groups)
    return struct.pack(f"<{1 + len(groups)}I", len(frames), *ends) + b"".join(groups)


def _group(table: bytes | memoryview, index: int) -> tuple[tuple[Range, ...], ...]:
    """The ranges of the frames that are kept together with this one."""
    (count,) = _COUNT.unpack_from(table, _HEAD.size)
    ends, number = _HEAD.size + _COUNT.size, index // TOGETHER
    begin = ends + 4 * -(-count // TOGETHER)
    (end,) = _COUNT.unpack_from(table, ends + 4 * number)
    (start,) = _COUNT.unpack_from(table, ends + 4 * (number - 1)) if number else (0,)
    return _frames(zlib.decompress(table[begin + start : begin + end]))


def _ranges(frames: Sequence[tuple[Range, ...]]) -> bytes:
    numbers = [len(frames)]
    for frame in frames:
        numbers.append(len(frame))
        numbers.extend(number for part in frame for number in part)
    return struct.pack(f"<{len(numbers)}Q", *numbers)


def _frames(raw: bytes) -> tuple[tuple[Range, ...], ...]:
    numbers = struct.unpack(f"<{len(raw) // 8}Q", raw)
    made: list[tuple[Range, ...]] = []
    place = 1
    for _ in range(numbers[0]):
        parts = numbers[place]
        flat = numbers[place + 1 : place + 1 + 2 * parts]
        made.append(tuple(zip(flat[::2], flat[1::2], strict=True)))
        place += 1 + 2 * parts
    return tuple(made)
