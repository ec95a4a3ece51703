"""What a picture needs to know of an object, out of its stored DICOM JSON: no file is parsed.

Only for objects whose pictures need no decoder and no tables of their own; the others are
rendered from their file, in a bounded child.
"""

import zlib
from typing import Any

import orjson

from .decode import Image
from .grey import Grey, Window
from .scan import EXPLICIT_LE, IMPLICIT_LE
from .values import decimal

MOST_JSON = 2 * 1024 * 1024
MOST_BYTES = 32 * 1024 * 1024
_PLAIN = frozenset({EXPLICIT_LE, IMPLICIT_LE})
_TABLES = ("00283000", "00283010")
_KINDS = {
    1: ("MONOCHROME1", "MONOCHROME2"),
    3: ("RGB", "YBR_FULL"),
}
Json = dict[str, Any]


def json_of(column: bytes | memoryview) -> Json | None:
    """The data set of a metadata column; None where it is too large to be worth it."""
    inflater = zlib.decompressobj()
    raw = inflater.decompress(bytes(column), MOST_JSON)
    if inflater.unconsumed_tail:
        return None
    found: Json = orjson.loads(raw)
    return found


def described(json: Json, syntax: str, index: int) -> tuple[Image, Grey] | None:
    """How the pixels of frame `index` (from 0) are written and shown.

    None where more is needed than this: compressed or large frames, palettes, lookup tables.
    """
    if syntax not in _PLAIN or any(json.get(tag, {}).get("Value") for tag in _TABLES):
        return None
    image = image_described(json, syntax)
    if image is None or not _is_ordinary(image) or not 0 < image.decoded_bytes <= MOST_BYTES:
        return None
    return image, _grey(json, image, index)


def image_described(json: Json, syntax: str) -> Image | None:
    """How the pixels are written, by the data set alone; None where it does not say."""
    pixels = json.get("7FE00010")
    shape = [_whole(json, tag) for tag in ("00280010", "00280011", "00280100")]
    if pixels is None or not all(shape):
        return None
    rows, columns, allocated = (number or 0 for number in shape)
    samples = _or(_whole(json, "00280002"), 1) or 1
    stored = _or(_whole(json, "00280101"), allocated)
    return Image(
        syntax, 0x7FE00010, pixels["vr"], rows, columns, samples, allocated, stored,
        _or(_whole(json, "00280102"), stored - 1), _whole(json, "00280103") == 1,
        "\\".join(word or "" for word in json.get("00280004", {}).get("Value", ())),
        _or(_whole(json, "00280006"), 0),
    )  # fmt: skip


def _is_ordinary(image: Image) -> bool:
    widths = (8, 16) if image.samples == 1 else (8,)
    return (
        image.photometric in _KINDS.get(image.samples, ())
        and image.bits_allocated in widths
        and 0 < image.bits_stored <= image.high_bit + 1 <= image.bits_allocated
    )


def _grey(json: Json, image: Image, index: int) -> Grey:
    levels = [*_functional_groups(json, index), json]
    signed = next((v for v in (_whole(level, "00280103") for level in levels) if v is not None), 0)
    rescaled = next((g for g in levels if _decimal(g, "00281053") is not None), {})
    padding = _whole(json, "00280120")
    if padding is not None and signed != _or(_whole(json, "00280103"), 0):
        padding = None
    return Grey(
        slope=_decimal(rescaled, "00281053") or 1.0,
        intercept=_decimal(rescaled, "00281052") or 0.0,
        window=next((w for w in map(_window, levels) if w), None),
        padding=padding,
        inverted=image.photometric == "MONOCHROME1",
    )


def _functional_groups(json: Json, index: int) -> list[Json]:
    """As grey.py: the frame's own groups before the shared ones (PS3.3 C.7.6.16)."""
    found: list[Json] = []
    for tag, at in (("52009230", index), ("52009229", 0)):
        groups = json.get(tag, {}).get("Value", ())
        if at < len(groups):
            for inner in ("00289145", "00289132"):
                found += groups[at].get(inner, {}).get("Value", ())[:1]
    return found


def _window(level: Json) -> Window | None:
    center, width = _decimal(level, "00281050"), _decimal(level, "00281051")
    if center is None or width is None or width <= 0:
        return None
    function = _first(level, "00281056")
    return center, width, function if isinstance(function, str) and function else "LINEAR"


def _first(level: Json, tag: str) -> Any:
    values = level.get(tag, {}).get("Value")
    return values[0] if values else None


def _decimal(level: Json, tag: str) -> float | None:
    value = _first(level, tag)
    if isinstance(value, str):
        return decimal(value)
    return float(value) if isinstance(value, int | float) else None


def _whole(level: Json, tag: str) -> int | None:
    value = _first(level, tag)
    return value if isinstance(value, int) and abs(value) < 2**31 else None


def _or(value: int | None, default: int) -> int:
    return default if value is None else value
