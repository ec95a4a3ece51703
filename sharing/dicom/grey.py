"""From stored values to display values: modality LUT, window or VOI LUT (PS3.3 C.11), palette.

Integers up to 16 bits go through one table of all possible values, which is exact and needs one
byte per pixel; larger integers and floats are computed.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .charset import Charset
from .elements import Element
from .json_model import resolved_vr
from .scan import Scanned
from .values import decimal, find, numbers, texts, whole

_ASCII = Charset(("ascii",), declared=True, known=True)
Window = tuple[float, float, str]
Level = tuple[Element, ...]


@dataclass(frozen=True)
class Lut:
    """A table: the value of its first entry, and its entries scaled to 0..1 (or raw)."""

    first: int
    entries: NDArray[np.float64]


@dataclass(frozen=True)
class Grey:
    """What one frame says about how its values become brightness; plain and picklable."""

    slope: float = 1.0
    intercept: float = 0.0
    modality: Lut | None = None
    window: Window | None = None
    voi: Lut | None = None
    padding: int | None = None
    inverted: bool = False
    palette: tuple[Lut, Lut, Lut] | None = None


def grey_of(scanned: Scanned, index: int) -> Grey:
    """The Grey of frame `index`, its functional groups (C.7.6.16) before the top level."""
    levels = [*_functional_groups(scanned.elements, index), scanned.elements]
    signed = bool(_number(levels, 0x00280103, 0))
    rescaled = next((g for g in levels if _decimal(g, 0x00281053) is not None), ())
    modality = _lut(_sequence(scanned.elements, 0x00283000), signed, raw=True)
    voi = _lut(_sequence(scanned.elements, 0x00283010), signed and modality is None, raw=False)
    return Grey(
        slope=_decimal(rescaled, 0x00281053) or 1.0,
        intercept=_decimal(rescaled, 0x00281052) or 0.0,
        modality=modality,
        window=next((w for w in map(_window, levels) if w), None),
        voi=voi,
        padding=_padding(scanned, signed),
        inverted=scanned.facts.photometric == "MONOCHROME1",
        palette=_palette(scanned) if scanned.facts.photometric == "PALETTE COLOR" else None,
    )


def _functional_groups(elements: Level, index: int) -> list[Level]:
    """The items of the frame's own and of the shared functional groups that matter here."""
    found: list[Level] = []
    for tag, at in ((0x52009230, index), (0x52009229, 0)):
        groups = find(elements, tag)
        if groups and groups.items and at < len(groups.items):
            for inner in (0x00289145, 0x00289132):
                found += _sequence(groups.items[at], inner)[:1]
    return found


def _sequence(elements: Level, tag: int) -> tuple[Level, ...]:
    element = find(elements, tag)
    return element.items if element and element.items else ()


def _decimal(elements: Level, tag: int) -> float | None:
    words = texts(find(elements, tag), _ASCII)
    return decimal(words[0]) if words else None


def _number(levels: list[Level], tag: int, default: int) -> int:
    return next((whole(find(level, tag), default) for level in levels if find(level, tag)), default)


def _padding(scanned: Scanned, signed: bool) -> int | None:
    """Pixel Padding Value (0028,0120), which the dictionary calls "US or SS"."""
    element = find(scanned.elements, 0x00280120)
    if element is None or not element.value:
        return None
    return whole(element._replace(vr=resolved_vr(element, signed)), 0)


def _window(elements: Level) -> Window | None:
    """The first window of a level: centre, width, function."""
    center, width = _decimal(elements, 0x00281050), _decimal(elements, 0x00281051)
    if center is None or width is None or width <= 0:
        return None
    function = texts(find(elements, 0x00281056), _ASCII)
    return center, width, function[0] if function and function[0] else "LINEAR"


def _lut(items: tuple[Level, ...], signed: bool, *, raw: bool) -> Lut | None:
    """LUT Descriptor (0028,3002) and LUT Data (0028,3006) of the first item."""
    if not items:
        return None
    described, data = find(items[0], 0x00283002), find(items[0], 0x00283006)
    if described is None or data is None or not data.value:
        return None
    return _table(described, data, signed, raw=raw)


def _table(described: Element, data: Element, signed: bool, *, raw: bool) -> Lut | None:
    three = numbers(described._replace(vr="US"))
    if len(three) != 3:
        return None
    count, first, bits = (int(n) for n in three)
    count = count or 65536
    if signed and first >= 32768:
        first -= 65536
    value = data.value or b""
    kind = "u1" if len(value) < 2 * count else ("<u2" if data.little else ">u2")
    entries = np.frombuffer(value[: len(value) // 2 * 2], kind)[:count].astype(np.float64)
    if not len(entries):
        return None
    top = 2.0**bits - 1 if 0 < bits <= 16 else 65535.0
    # Some writers state 16 bits for entries that use fewer: scale by what the entries reach.
    return Lut(first, entries if raw else np.clip(entries / top, 0, 1))


def _palette(scanned: Scanned) -> tuple[Lut, Lut, Lut] | None:
    """Red, green and blue of Palette Color (C.7.6.3.1.5), also segmented (C.7.9.2)."""
    found: list[Lut] = []
    for described_tag, plain_tag, cut_tag in zip(
        (0x00281101, 0x00281102, 0x00281103),
        (0x00281201, 0x00281202, 0x00281203),
        (0x00281221, 0x00281222, 0x00281223),
        strict=True,
    ):
        described = find(scanned.elements, described_tag)
        data = find(scanned.elements, plain_tag)
        cut = find(scanned.elements, cut_tag)
        if described and cut and cut.value and not (data and data.value):
            data = _unsegmented(cut, described)
        lut = _colour(described, data) if described and data and data.value else None
        if lut is None:
            return None
        found.append(lut)
    return found[0], found[1], found[2]


def _colour(described: Element, data: Element) -> Lut | None:
    """Entries of a colour table as 0..1; 16-bit tables are told by their length, as 8-bit ones."""
    three = numbers(described._replace(vr="US"))
    lut = _table(described, data, signed=described.vr == "SS", raw=True)
    if lut is None or len(three) != 3:
        return None
    wide = len(data.value or b"") >= 2 * (int(three[0]) or 65536)
    top = 65535.0 if wide and lut.entries.max() > 255 else 255.0
    return Lut(lut.first, lut.entries / top)


def _unsegmented(cut: Element, described: Element) -> Element | None:
    """Discrete, linear and indirect segments unrolled (C.7.9.2), never past 65536 entries."""
    words = [int(n) for n in numbers(cut._replace(vr="US"))]
    out: list[int] = []
    _unroll(words, 0, None, out, 0)
    raw = np.array(out[:65536], "<u2").tobytes()
    return described._replace(vr="OW", value=raw, length=len(raw), little=True) if raw else None


def _unroll(words: list[int], pos: int, segments: int | None, out: list[int], depth: int) -> None:
    done = 0
    while pos + 2 <= len(words) and len(out) < 65536 and (segments is None or done < segments):
        code, length = words[pos], words[pos + 1]
        done += 1
        if code == 0:
            out += words[pos + 2 : pos + 2 + length]
            pos += 2 + length
        elif code == 1 and pos + 3 <= len(words):
            start = out[-1] if out else 0
            out += [round(n) for n in np.linspace(start, words[pos + 2], length + 1)[1:]]
            pos += 3
        elif code == 2 and pos + 4 <= len(words) and depth == 0:
            offset = (words[pos + 2] | words[pos + 3] << 16) // 2
            _unroll(words, offset, length, out, depth + 1)
            pos += 4
        else:
            return
