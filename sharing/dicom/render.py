"""One frame as a picture: for the rendered resource, thumbnails and first paints."""

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from .decode import Image, decode_frame, image_of, stored_only
from .drawing import AS_IT_IS, JPEG, Bytes8, How, drawn, encoded, film, fitted, jpeg
from .errors import CannotRender
from .frames import Read, frame_bytes, frame_ranges
from .grey import Grey, Lut, Window, grey_of
from .layout import PixelLayout
from .scan import EXPLICIT_LE, IMPLICIT_LE, Scanned

THUMBNAIL = 128
THUMBNAIL_BYTES = 6 * 1024
BLOCK = 32 * 1024
Bits = tuple[int, int, int, bool]  # allocated, stored, high bit, signed: all that a word needs


@dataclass(frozen=True)
class Picture:
    """Everything one picture is made of; plain, so that it can go to a child process."""

    image: Image
    grey: Grey
    frame: bytes
    index: int


def picture_of(scanned: Scanned, read: Read, layout: PixelLayout | None, index: int) -> Picture:
    """Gather frame `index` (from 0) of a scanned object; reads its bytes, decodes nothing.

    Raises CannotRender no_pixels, no_such_frame, frames_unusable, over_budget, ...
    """
    image = image_of(scanned)
    layout = layout or scanned.pixel
    if sum(length for _, length in frame_ranges(layout, index)) > 2 * 512 * 1024 * 1024:
        raise CannotRender("over_budget")
    return Picture(image, grey_of(scanned, index), frame_bytes(read, layout, index), index)


def render_frame(
    scanned: Scanned, read: Read, layout: PixelLayout | None, index: int, how: How = AS_IT_IS
) -> bytes:
    """Picture of frame `index` (from 0); `layout` None means the scanned one.

    Raises CannotRender.
    """
    return render(picture_of(scanned, read, layout, index), how)


def render(picture: Picture, how: How = AS_IT_IS) -> bytes:
    """A picture file of a gathered Picture. Raises CannotRender."""
    return encoded(drawn(shown_pixels(picture, how.window), how), how)


def render_film(pictures: list[Picture], how: How, milliseconds: int) -> bytes:
    """Frames as one endless GIF, each shown for that time. Raises CannotRender."""
    frames = [drawn(shown_pixels(picture, how.window), how) for picture in pictures]
    return film(frames, milliseconds)


def thumbnail(picture: Picture, how: How | None = None) -> bytes:
    """A small picture: a JPEG of 128 x 128, centred on black, of about 6 kB at most.

    With `how` what it says instead, fitted into its own box.
    """
    if how is not None and (how.size or how.media != JPEG):
        return render(picture, how if how.size else replace(how, size=(THUMBNAIL, THUMBNAIL)))
    small = fitted(shown_pixels(picture, None), (THUMBNAIL, THUMBNAIL))
    canvas = np.zeros((THUMBNAIL, THUMBNAIL, *small.shape[2:]), np.uint8)
    top, left = (THUMBNAIL - small.shape[0]) // 2, (THUMBNAIL - small.shape[1]) // 2
    canvas[top : top + small.shape[0], left : left + small.shape[1]] = small
    for quality in (85, 75, 60, 45):
        made = jpeg(canvas, quality)
        if len(made) <= THUMBNAIL_BYTES:
            break
    return made


def shown_pixels(picture: Picture, window: Window | None) -> Bytes8:
    """8-bit pixels, (rows, columns) grey or (rows, columns, 3) RGB. Raises CannotRender."""
    with np.errstate(all="ignore"):  # absurd slopes and windows overflow; the result is clipped
        if is_plain_grey(picture.image):
            return _straight(picture, _windowed_by(picture.grey, window))
        pixels, photometric = decode_frame(picture.image, picture.frame, picture.index)
        return _shown(pixels, photometric, picture, window)


def is_plain_grey(image: Image) -> bool:
    """Whether the frame's bytes are grey values that index a table as they stand."""
    return (
        image.syntax in (EXPLICIT_LE, IMPLICIT_LE)
        and image.samples == 1
        and image.bits_allocated in (8, 16)
        and image.photometric != "PALETTE COLOR"
    )


def _straight(picture: Picture, grey: Grey) -> Bytes8:
    """One look-up from stored bytes to brightness: the table knows which bits count."""
    image = picture.image
    cells = image.rows * image.columns
    if len(picture.frame) < cells * image.bits_allocated // 8:
        raise CannotRender("undecodable")
    raw = np.frombuffer(picture.frame, f"<u{image.bits_allocated // 8}", cells)
    return _by_table(raw.reshape(image.rows, image.columns), grey, image, raw=True)


def _windowed_by(grey: Grey, window: Window | None) -> Grey:
    return replace(grey, window=window, voi=None) if window else grey


def _shown(
    pixels: NDArray[np.generic], photometric: str, picture: Picture, window: Window | None
) -> Bytes8:
    grey = _windowed_by(picture.grey, window)
    if photometric == "PALETTE COLOR":
        if grey.palette is None:
            raise CannotRender("unsupported_pixels")
        return _coloured(pixels, grey.palette)
    if picture.image.samples == 1:
        return _greyed(pixels, grey, picture.image)
    return _rgb(pixels, photometric, picture.image)


def _coloured(pixels: NDArray[np.generic], palette: tuple[Lut, Lut, Lut]) -> Bytes8:
    planes = []
    for lut in palette:
        table = np.rint(lut.entries * 255).astype(np.uint8)
        planes.append(table[np.clip(pixels.astype(np.int64) - lut.first, 0, len(table) - 1)])
    return np.stack(planes, axis=-1)


def _rgb(pixels: NDArray[np.generic], photometric: str, image: Image) -> Bytes8:
    if image.samples != 3:
        raise CannotRender("unsupported_pixels")
    if pixels.dtype.itemsize > 1:
        pixels = np.right_shift(pixels.astype(np.uint64), max(image.bits_stored - 8, 0))
    shown = pixels.astype(np.uint8)
    return _from_ybr(shown) if photometric.startswith("YBR_FULL") else shown


def _from_ybr(pixels: Bytes8) -> Bytes8:
    """YBR_FULL to RGB (PS3.3 C.7.6.3.1.2), row blocks at a time to keep memory small."""
    matrix = np.array([[1, 1, 1], [0, -0.344136, 1.772], [1.402, -0.714136, 0]], np.float32)
    out = np.empty_like(pixels)
    for row in range(0, len(pixels), 256):
        block = pixels[row : row + 256].astype(np.float32)
        block[..., 1:] -= 128
        out[row : row + 256] = np.clip(np.rint(block @ matrix), 0, 255)
    return out


def _greyed(pixels: NDArray[np.generic], grey: Grey, image: Image) -> Bytes8:
    if image.bits_allocated == 1:
        return (pixels.astype(np.uint8)) * np.uint8(255)
    if pixels.dtype.kind in "iu" and pixels.dtype.itemsize <= 2:
        return _by_table(pixels, grey, image)
    values = _modality(pixels.astype(np.float64), grey)
    good = values[np.isfinite(values)]
    low, high = (float(v) for v in np.percentile(good, (0.5, 99.5))) if good.size else (0.0, 1.0)
    if high <= low and good.size:
        low, high = float(good.min()), float(good.max())
    return _to_bytes(_voi(np.nan_to_num(values, posinf=high, neginf=low), grey, low, high), grey)


def _by_table(
    pixels: NDArray[np.generic], grey: Grey, image: Image, *, raw: bool = False
) -> Bytes8:
    """Brightness of every value of 8 or 16 bits once, then one look-up a pixel.

    `raw` pixels are stored words, in which bits outside Bits Stored may hold something else.
    """
    width = pixels.dtype.itemsize
    unsigned = pixels.view(f"u{width}")
    scale = (width, pixels.dtype.kind == "i", _bits_of(image) if raw else None)
    low, high = 0.0, 1.0
    if grey.window is None and grey.voi is None:
        low, high = _spread(unsigned, *_values(*scale, grey), grey, image)
    if grey.modality is None and grey.voi is None:
        how = (grey.slope, grey.intercept, grey.window, grey.inverted, low, high)
        return _taken(_known_table(*scale, *how), unsigned)
    return _taken(_table(_values(*scale, grey)[1], grey, low, high), unsigned)


def _taken(table: Bytes8, places: NDArray[np.integer[Any]]) -> Bytes8:
    """table[places], some rows at a time: numpy widens places to 8 bytes each before it looks."""
    out = np.empty(places.shape, np.uint8)
    step = max(1, BLOCK // places.shape[1])
    for row in range(0, len(places), step):
        some = slice(row, row + step)
        np.take(table, places[some], out=out[some], mode="clip")
    return out


def _bits_of(image: Image) -> Bits:
    return image.bits_allocated, image.bits_stored, image.high_bit, image.signed


@lru_cache(maxsize=64)
def _known_table(
    width: int,
    signed: bool,
    bits: Bits | None,
    slope: float,
    intercept: float,
    window: Window | None,
    inverted: bool,
    low: float,
    high: float,
) -> Bytes8:
    """The table of images without tables of their own: a series shares one."""
    grey = Grey(slope=slope, intercept=intercept, window=window, inverted=inverted)
    with np.errstate(all="ignore"):
        return _table(_values(width, signed, bits, grey)[1], grey, low, high)


def _values(
    width: int, signed: bool, bits: Bits | None, grey: Grey
) -> tuple[NDArray[np.generic], NDArray[np.float64]]:
    """Stored value and modality value of every word of `width` bytes, by the word unsigned."""
    every: NDArray[np.generic] = np.arange(2 ** (width * 8), dtype=f"u{width}")
    if bits is not None:
        every = stored_only(every, Image("", 0, "", 1, 1, 1, *bits, "", 0))
    elif signed:
        every = every.view(f"i{width}")
    return every, _modality(every.astype(np.float64), grey)


def _table(values: NDArray[np.float64], grey: Grey, low: float, high: float) -> Bytes8:
    return _to_bytes(_voi(values, grey, low, high), grey)


def _spread(
    unsigned: NDArray[np.generic],
    every: NDArray[np.generic],
    values: NDArray[np.float64],
    grey: Grey,
    image: Image,
) -> tuple[float, float]:
    """The values between which brightness runs where the object states no window."""
    if image.bits_stored == 8 and not image.signed and grey.modality is None:
        ends = (values[0], values[255])
        return float(min(ends)), float(max(ends))
    seen = np.bincount(unsigned.reshape(-1), minlength=len(every))
    if grey.padding is not None:
        seen[every == grey.padding] = 0
    (there,) = np.nonzero(seen)
    if not len(there):
        return 0.0, 1.0
    order = there[np.argsort(values[there], kind="stable")]
    running = np.cumsum(seen[order])
    marks = np.searchsorted(running, running[-1] * np.array([0.002, 0.998]))
    low, high = (float(values[order[min(m, len(order) - 1)]]) for m in marks)
    ends = (float(values[order[0]]), float(values[order[-1]]))
    return (low, high) if high > low else ends


def _modality(values: NDArray[np.float64], grey: Grey) -> NDArray[np.float64]:
    if grey.modality:
        return _looked_up(values, grey.modality)
    return values * grey.slope + grey.intercept


def _looked_up(values: NDArray[np.float64], lut: Lut) -> NDArray[np.float64]:
    places = np.clip(values - lut.first, 0, len(lut.entries) - 1)
    return lut.entries[np.nan_to_num(places).astype(np.int64)]


def _voi(values: NDArray[np.float64], grey: Grey, low: float, high: float) -> NDArray[np.float64]:
    """Brightness 0..1 (PS3.3 C.11.2.1.2, C.11.2.1.3)."""
    if grey.window:
        return _windowed(values, *grey.window)
    if grey.voi:
        return _looked_up(values, grey.voi)
    return np.clip((values - low) / (high - low or 1.0), 0, 1)


def _windowed(
    values: NDArray[np.float64], center: float, width: float, function: str
) -> NDArray[np.float64]:
    if not math.isfinite(center) or not math.isfinite(width) or width <= 0:
        raise CannotRender("unsupported_pixels")
    if function == "SIGMOID":
        return 1 / (1 + np.exp(np.clip(-4 * (values - center) / width, -60, 60)))
    if function == "LINEAR_EXACT":
        return np.clip((values - center) / width + 0.5, 0, 1)
    if width <= 1:
        return (values > center - 0.5).astype(np.float64)
    return np.clip((values - (center - 0.5)) / (width - 1) + 0.5, 0, 1)


def _to_bytes(brightness: NDArray[np.float64], grey: Grey) -> Bytes8:
    shown = np.rint(np.nan_to_num(brightness) * 255).astype(np.uint8)
    return np.uint8(255) - shown if grey.inverted else shown


def size_of_jpeg(jpeg: bytes) -> tuple[int, int]:
    """(width, height) of a JPEG, read from its header."""
    with Pillow.open(BytesIO(jpeg)) as opened:
        return opened.size
