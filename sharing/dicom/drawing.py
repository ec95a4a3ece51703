"""From shown pixels to a picture file: the region, the size, written words, and the encoding."""

from dataclasses import dataclass
from functools import partial
from io import BytesIO

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from .errors import CannotRender
from .grey import Window

LARGEST = 4096
JPEG, PNG, GIF = "image/jpeg", "image/png", "image/gif"
Bytes8 = NDArray[np.uint8]
Region = tuple[float, float, float, float]


@dataclass(frozen=True)
class How:
    """How a picture is to look (PS3.18 8.3.5.1); plain, so that it can go to a child process.

    `size` is the box (width, height) in pixels that the picture is fitted into, its aspect kept.
    `region` is (left, top, width, height) of the source in pixels; a negative width or height
    mirrors it. `notes` are lines for the upper left and for the lower left corner.
    """

    window: Window | None = None
    size: tuple[int, int] | None = None
    region: Region | None = None
    media: str = JPEG
    quality: int = 90
    notes: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    mark: str = ""
    """Who looks: written all over the picture, so that no part of it is without."""
    exact: bool = False
    """Whether `size` is the picture's own, also where that changes its aspect."""


AS_IT_IS = How()


def drawn(shown: Bytes8, how: How) -> Bytes8:
    """Pixels (rows, columns) or (rows, columns, 3) as asked for. Raises CannotRender."""
    if how.region:
        shown = _cut(shown, how.region)
    if how.size:
        shown = resized(shown, how.size) if how.exact else fitted(shown, how.size)
    if any(how.notes):
        shown = _noted(shown, how.notes)
    return marked(shown, how.mark) if how.mark else shown


def marked(pixels: Bytes8, text: str) -> Bytes8:
    """The text again and again over the whole picture, each second row shifted by half of it.

    Half light with a dark rim: it reads on black and on white, and what lies below stays visible.
    """
    picture = Pillow.fromarray(np.ascontiguousarray(pixels)).convert("RGB")
    size = max(9, min(picture.size) // 28)
    font = ImageFont.load_default(size)
    layer = Pillow.new("L", picture.size, 0)
    draw = ImageDraw.Draw(layer)
    across = int(draw.textlength(text, font=font)) + 3 * size
    for row, top in enumerate(range(size // 2, picture.height, 5 * size)):
        for left in range(-(row % 2) * across // 2, picture.width, across):
            draw.text((left, top), text, font=font, fill=255)
    return _laid_over(picture, layer, grey=pixels.ndim == 2)


def _laid_over(picture: Pillow.Image, layer: Pillow.Image, *, grey: bool) -> Bytes8:
    """Each letter a light one on its own dark shadow."""
    shadow = Pillow.new("L", layer.size, 0)
    shadow.paste(layer, (1, 1))
    half = partial(Pillow.Image.point, lut=[value * 4 // 10 for value in range(256)])
    for colour, mask in (((0, 0, 0), half(shadow)), ((255, 255, 255), half(layer))):
        picture.paste(colour, (0, 0), mask)
    return np.asarray(picture.convert("L") if grey else picture)


def marked_file(made: bytes, text: str, media: str = JPEG) -> bytes:
    """A picture file that we made ourselves, once more with the mark."""
    picture = Pillow.open(BytesIO(made))
    plain = picture if picture.mode in ("L", "RGB") else picture.convert("RGB")
    return encoded(marked(np.asarray(plain), text), How(media=media, quality=85))


def encoded(shown: Bytes8, how: How) -> bytes:
    """The picture file. Raises CannotRender over_budget."""
    if max(shown.shape[:2]) > 65000:
        raise CannotRender("over_budget")
    if how.media == PNG:
        return bytes(imagecodecs.png_encode(np.ascontiguousarray(shown), level=3))
    if how.media == GIF:
        return film([shown], 0)
    return jpeg(shown, how.quality)


def jpeg(shown: Bytes8, quality: int) -> bytes:
    """Baseline JPEG; colours as 4:4:4, so that thin lines keep theirs."""
    level = max(1, min(quality, 100))
    return bytes(imagecodecs.jpeg8_encode(np.ascontiguousarray(shown), level=level))


def film(frames: list[Bytes8], milliseconds: int) -> bytes:
    """GIF of one picture, or an endless one of many, each shown for that time."""
    made = [Pillow.fromarray(frame) for frame in frames]
    first, *others = [m if m.mode == "L" else m.quantize(256) for m in made]
    out = BytesIO()
    if others:
        first.save(
            out, "GIF", save_all=True, append_images=others, duration=milliseconds, loop=0,
            disposal=1,
        )  # fmt: skip
    else:
        first.save(out, "GIF")
    return out.getvalue()


def fitted(pixels: Bytes8, size: tuple[int, int]) -> Bytes8:
    """The largest picture of the same shape that the box (width, height) holds."""
    rows, columns = pixels.shape[:2]
    width, height = (max(1, min(side, LARGEST)) for side in size)
    scale = min(width / columns, height / rows)
    target = (max(1, round(columns * scale)), max(1, round(rows * scale)))
    return resized(pixels, target)


def resized(pixels: Bytes8, target: tuple[int, int]) -> Bytes8:
    """The picture in exactly that width and height."""
    if target == pixels.shape[1::-1]:
        return pixels
    made = Pillow.fromarray(pixels).resize(target, Pillow.Resampling.LANCZOS, reducing_gap=3.0)
    return np.asarray(made)


def _cut(pixels: Bytes8, region: Region) -> Bytes8:
    """The part of the region that lies inside the picture, mirrored where a side is negative."""
    left, top, width, height = region
    rows, columns = pixels.shape[:2]
    right, bottom = left + abs(width), top + abs(height)
    x = slice(max(0, int(left)), min(columns, round(right)))
    y = slice(max(0, int(top)), min(rows, round(bottom)))
    if x.start >= x.stop or y.start >= y.stop:
        raise CannotRender("no_such_region")
    return pixels[y, x][:: -1 if height < 0 else 1, :: -1 if width < 0 else 1]


def _noted(pixels: Bytes8, notes: tuple[tuple[str, ...], tuple[str, ...]]) -> Bytes8:
    """White words with a black rim, readable on any ground."""
    picture = Pillow.fromarray(np.ascontiguousarray(pixels))
    draw = ImageDraw.Draw(picture)
    size = max(9, min(picture.size) // 36)
    font = ImageFont.load_default(size)
    white, black = (255, 0) if picture.mode == "L" else ("white", "black")
    above, below = ("\n".join(lines) for lines in notes)
    write = partial(
        draw.multiline_text,
        font=font,
        fill=white,
        stroke_fill=black,
        stroke_width=max(1, size // 10),
    )
    write((size // 2, size // 2), above)
    write((size // 2, picture.height - size // 2), below, anchor="ld")
    return np.asarray(picture)
