"""Pictures in formats that DICOM has no transfer syntax for become plain pixels (PS3.18 10.5.2).

GIF and PNG: palettes become true colour, transparency is dropped, frames of an animation are drawn
in full. Nothing is lost otherwise; a picture of which something would be is refused.
"""

import io
import struct
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageSequence, UnidentifiedImageError

from .decode import BUDGET
from .errors import CannotRender

MEDIA = ("image/png", "image/gif")
_HEAD = struct.Struct("<IHHBB")
_DEEP_GREY = ("I;16", "I;16B", "I")


class Still(NamedTuple):
    """Frames of `rows` x `columns` x `samples` (grey or RGB) of 8 or 16 bits, little endian."""

    frames: int
    rows: int
    columns: int
    samples: int
    bits: int
    pixels: bytes


Draw = Callable[[bytes], Still]


def drawn(raw: bytes) -> bytes:
    """A GIF or PNG file as a Still's bytes. Raises CannotRender: undecodable, over_budget."""
    try:
        with Image.open(io.BytesIO(raw), formats=("PNG", "GIF")) as picture:
            return _drawn(picture, raw)
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as wrong:
        raise CannotRender("undecodable") from wrong
    except Image.DecompressionBombError as wrong:
        raise CannotRender("over_budget") from wrong


def _drawn(picture: Image.Image, raw: bytes) -> bytes:
    count = getattr(picture, "n_frames", 1) if picture.format == "GIF" else 1
    deep = picture.mode in _DEEP_GREY
    if picture.format == "PNG" and raw[24] == 16 and not deep:
        raise CannotRender("unsupported_pixels")  # 16 bits of colour would become 8
    mode = "L" if picture.mode in ("1", "L", "LA") and count == 1 else "RGB"
    samples = 1 if deep or mode == "L" else 3
    if picture.width * picture.height * count * samples * (2 if deep else 1) > BUDGET // 2:
        raise CannotRender("over_budget")
    frames = ImageSequence.Iterator(picture) if count > 1 else (picture,)
    pixels = b"".join(
        np.asarray(frame, dtype="<u2").tobytes() if deep else frame.convert(mode).tobytes()
        for frame in frames
    )
    bits = 16 if deep else 8
    return _HEAD.pack(count, picture.height, picture.width, samples, bits) + pixels


def unpacked(answer: bytes) -> Still:
    """What drawn() gave. Raises CannotRender where the lengths don't agree."""
    if len(answer) < _HEAD.size:
        raise CannotRender("undecodable")
    frames, rows, columns, samples, bits = _HEAD.unpack_from(answer)
    still = Still(frames, rows, columns, samples, bits, answer[_HEAD.size :])
    if still.frames * still.rows * still.columns * still.samples * still.bits // 8 != len(
        still.pixels
    ):
        raise CannotRender("undecodable")
    return still
