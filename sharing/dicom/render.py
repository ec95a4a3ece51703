"""One frame as a JPEG picture: for the rendered resource, thumbnails and first paints."""

import math
from dataclasses import dataclass, replace
from io import BytesIO

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from .decode import Image, decode_frame, image_of
from .errors import CannotRender
from .frames import Read, frame_bytes, frame_ranges
from .grey import Grey, Lut, Window, grey_of
from .layout import PixelLayout
from .scan import Scanned

LARGEST = 4096
THUMBNAIL = 128
THUMBNAIL_BYTES = 6 * 1024
Bytes8 = NDArray[np.uint8]


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
    scanned: Scanned,
    read: Read,
    layout: PixelLayout | None,
    index: int,
    *,
    window: Window | None = None,
    size: tuple[int, int] | None = None,
    quality: int = 90,
) -> bytes:
    """JPEG of frame `index` (from 0); `layout` None means the scanned one.

    `window` is (center, width, "LINEAR" | "LINEAR_EXACT" | "SIGMOID"); `size` the box (w, h) that
    the picture is fitted into, its aspect kept. Raises CannotRender.
    """
    picture = picture_of(scanned, read, layout, index)
    return render(picture, window=window, size=size, quality=quality)


def render(
    picture: Picture,
    *,
    window: Window | None = None,
    size: tuple[int, int] | None = None,
    quality: int = 90,
) -> bytes:
    """JPEG of a gathered Picture. Raises CannotRender."""
    shown = shown_pixels(picture, window)
    if size:
        shown = _fitted(shown, size)
    return _jpeg(shown, quality)


def thumbnail(picture: Picture) -> bytes:
    """A JPEG of 128 x 128, the picture centred on black, of about 6 kB at most."""
    small = _fitted(shown_pixels(picture, None), (THUMBNAIL, THUMBNAIL))
    canvas = np.zeros((THUMBNAIL, THUMBNAIL, *small.shape[2:]), np.uint8)
    top, left = (THUMBNAIL - small.shape[0]) // 2, (THUMBNAIL - small.shape[1]) // 2
    canvas[top : top + small.shape[0], left : left + small.shape[1]] = small
    for quality in (85, 75, 60, 45):
        made = _jpeg(canvas, quality)
        if len(made) <= THUMBNAIL_BYTES:
            break
    return made


def shown_pixels(picture: Picture, window: Window | None) -> Bytes8:
    """8-bit pixels, (rows, columns) grey or (rows, columns, 3) RGB. Raises CannotRender."""
    pixels, photometric = decode_frame(picture.image, picture.frame, picture.index)
    with np.errstate(all="ignore"):  # absurd slopes and windows overflow; the result is clipped
        return _shown(pixels, photometric, picture, window)


def _shown(
    pixels: NDArray[np.generic], photometric: str, picture: Picture, window: Window | None
) -> Bytes8:
    grey = replace(picture.grey, window=window) if window else picture.grey
    if window:
        grey = replace(grey, voi=None)
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


def _by_table(pixels: NDArray[np.generic], grey: Grey, image: Image) -> Bytes8:
    bits = pixels.dtype.itemsize * 8
    unsigned = pixels.view(f"u{pixels.dtype.itemsize}")
    every = np.arange(2**bits, dtype=f"u{pixels.dtype.itemsize}").view(pixels.dtype)
    values = _modality(every.astype(np.float64), grey)
    low, high = 0.0, 1.0
    if grey.window is None and grey.voi is None:
        low, high = _spread(unsigned, every, values, grey, image)
    table = _to_bytes(_voi(values, grey, low, high), grey)
    return np.take(table, unsigned)


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
    seen = np.bincount(unsigned.reshape(-1), minlength=len(every)).astype(np.float64)
    if grey.padding is not None:
        seen[every == grey.padding] = 0
    order = np.argsort(values, kind="stable")
    running = np.cumsum(seen[order])
    if not running[-1]:
        return 0.0, 1.0
    marks = np.searchsorted(running, running[-1] * np.array([0.002, 0.998]))
    low, high = (float(values[order[min(m, len(order) - 1)]]) for m in marks)
    present = values[seen > 0]
    return (low, high) if high > low else (float(present.min()), float(present.max()))


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


def _fitted(pixels: Bytes8, size: tuple[int, int]) -> Bytes8:
    rows, columns = pixels.shape[:2]
    width, height = (max(1, min(side, LARGEST)) for side in size)
    scale = min(width / columns, height / rows)
    target = (max(1, round(columns * scale)), max(1, round(rows * scale)))
    if target == (columns, rows):
        return pixels
    made = Pillow.fromarray(pixels).resize(target, Pillow.Resampling.LANCZOS, reducing_gap=3.0)
    return np.asarray(made)


def _jpeg(pixels: Bytes8, quality: int) -> bytes:
    if max(pixels.shape[:2]) > 65000:
        raise CannotRender("over_budget")
    level = max(1, min(quality, 100))
    return bytes(imagecodecs.jpeg8_encode(np.ascontiguousarray(pixels), level=level))


def size_of_jpeg(jpeg: bytes) -> tuple[int, int]:
    """(width, height) of a JPEG, read from its header."""
    with Pillow.open(BytesIO(jpeg)) as opened:
        return opened.size
