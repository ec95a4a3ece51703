"""One frame is found in its table without the others; every table gives back its frames."""

import zlib

import pytest

from sharing.archive import frames
from sharing.archive.frames import TOGETHER, packed, ranges_of, unpacked
from sharing.dicom.layout import PixelLayout

Frames = tuple[tuple[tuple[int, int], ...], ...]


def even(count: int) -> Frames:
    """Native frames, one behind the other."""
    return tuple(((500 + 100 * index, 100),) for index in range(count))


def uneven(count: int) -> Frames:
    """Encapsulated frames of one to three fragments."""
    return tuple(
        tuple((1000 * index + 200 * part + 8, 50 + index % 7) for part in range(1 + index % 3))
        for index in range(count)
    )


@pytest.mark.parametrize("view", [bytes, memoryview])
@pytest.mark.parametrize(
    "held", [even(1), even(300), uneven(1), uneven(TOGETHER), uneven(TOGETHER + 1), uneven(5000)]
)
def test_each_frame_is_where_the_whole_table_says(held: Frames, view: type) -> None:
    layout = PixelLayout(490, 9000, encapsulated=True, frames=held, tag=0x7FE00010)
    table = view(packed(layout))
    assert unpacked(table) == layout
    for index in {0, 1, TOGETHER - 1, TOGETHER, len(held) // 2, len(held) - 1}:
        assert ranges_of(table, index) == (held[index] if index < len(held) else None)
    assert ranges_of(table, len(held)) is None
    assert ranges_of(table, -1) is None


def test_a_late_frame_costs_what_an_early_one_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes that are unpacked for one frame of five thousand."""
    table = packed(PixelLayout(0, 9, encapsulated=True, frames=uneven(5000), tag=0x7FE00010))
    unpacked_bytes: list[int] = []
    inflate = zlib.decompress

    def counted(raw: bytes) -> bytes:
        found = inflate(raw)
        unpacked_bytes.append(len(found))
        return found

    monkeypatch.setattr(frames.zlib, "decompress", counted)
    for index in (0, 500, 4999):
        ranges_of(table, index)
    assert len(unpacked_bytes) == 3
    assert max(unpacked_bytes) <= 8 * (1 + TOGETHER * 7)
