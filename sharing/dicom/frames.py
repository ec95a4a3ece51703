"""One frame of an object: its bytes as stored, or decoded to plain little endian pixels."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .decode import Image, Pixels, decode_frame, image_of
from .errors import CannotRender
from .layout import PixelLayout
from .scan import Scanned
from .transcode import transcoded

Read = Callable[[int, int], bytes]


def frame_ranges(layout: PixelLayout | None, index: int) -> tuple[tuple[int, int], ...]:
    """The byte ranges of frame `index` (from 0). Raises CannotRender."""
    if layout is None:
        raise CannotRender("no_pixels")
    if not layout.frames:
        raise CannotRender("frames_unusable")
    if not 0 <= index < len(layout.frames):
        raise CannotRender("no_such_frame")
    return layout.frames[index]


def frame_bytes(read: Read, layout: PixelLayout | None, index: int) -> bytes:
    """Frame `index` (from 0) as it is stored, its fragments joined.

    Frames of 1 bit start at a bit inside their first byte; as_native_le() aligns them.
    Raises CannotRender no_pixels, frames_unusable, no_such_frame.
    """
    return b"".join(read(offset, length) for offset, length in frame_ranges(layout, index))


def pixels_of(image: Image, frame: bytes, index: int) -> bytes:
    """The pixels of a compressed frame, as as_native_le() gives them. Raises CannotRender."""
    pixels, _ = decode_frame(image, frame, index)
    if image.bits_allocated == 1:
        return _packed(pixels)
    return np.ascontiguousarray(pixels, pixels.dtype.newbyteorder("<")).tobytes()


def photometric_of(image: Image, frame: bytes, index: int) -> str:
    """The colour space that decoding a frame ends in. Raises CannotRender."""
    return decode_frame(image, frame, index)[1]


@dataclass(frozen=True)
class Codec:
    """Who runs the decoders: this process, or a bounded child (child.py) for strangers' bytes."""

    pixels: Callable[[Image, bytes, int], bytes]
    photometric: Callable[[Image, bytes, int], str]
    encoded: Callable[[Image, bytes, int, str], bytes]


HERE = Codec(pixels_of, photometric_of, transcoded)


def as_native_le(scanned: Scanned, frame: bytes, index: int, codec: Codec = HERE) -> bytes:
    """Frame `index`, given as frame_bytes() returns it, as uncompressed little endian pixels.

    Bytes as Explicit VR Little Endian would hold them (PS3.5 8.1): Bits Allocated as stated,
    samples by pixel; colour code streams become RGB. Native frames keep their values, planes and
    colour space; 1-bit frames are shifted so that they start at a byte.
    Raises CannotRender where the frame cannot be decoded.
    """
    image = image_of(scanned)
    if image.is_native:
        return _native_le(image, frame, index)
    return codec.pixels(image, frame, index)


def _native_le(image: Image, frame: bytes, index: int) -> bytes:
    bits = image.bits_allocated
    if bits == 1:
        return _packed(decode_frame(image, frame, index)[0])
    if not image.big_endian or bits % 8 or len(frame) % (bits // 8):
        return frame
    return np.frombuffer(frame, f">u{bits // 8}").astype(f"<u{bits // 8}").tobytes()


def _packed(pixels: Pixels) -> bytes:
    """One bit a pixel, the first pixel in the lowest bit (PS3.5 8.1.1)."""
    return np.packbits(pixels.astype(np.uint8).reshape(-1), bitorder="little").tobytes()
