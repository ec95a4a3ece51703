"""Decode one frame to an array, after its stated size was checked against a budget.

imagecodecs does the work. A code stream whose own header states another size than the data set
is refused before the decoder allocates anything.
"""

import zlib
from dataclasses import dataclass
from itertools import pairwise

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from .errors import CannotRender
from .scan import DEFLATED_FRAMES, EXPLICIT_BE, NATIVE, Scanned
from .stream import jpeg2000_facts, jpeg_facts
from .values import find, text, whole

FLOAT_TAGS = (0x7FE00008, 0x7FE00009)
BUDGET = 512 * 1024 * 1024
RLE = "1.2.840.10008.1.2.5"
JPEG_LOSSLESS = frozenset({"1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70"})
JPEG_DCT = frozenset(f"1.2.840.10008.1.2.4.{n}" for n in (50, 51, 52, 53, 54, 55, 56))
JPEG_LS = frozenset({"1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81"})
JPEG_2000 = frozenset(f"1.2.840.10008.1.2.4.{n}" for n in (90, 91, 92, 93))
HTJ2K = frozenset(f"1.2.840.10008.1.2.4.{n}" for n in (201, 202, 203))

Pixels = NDArray[np.generic]


@dataclass(frozen=True)
class Image:
    """How the pixels of one object are written (PS3.3 C.7.6.3); plain and picklable."""

    syntax: str
    tag: int
    pixel_vr: str
    rows: int
    columns: int
    samples: int
    bits_allocated: int
    bits_stored: int
    high_bit: int
    signed: bool
    photometric: str
    planar: int

    @property
    def is_native(self) -> bool:
        return self.syntax in NATIVE

    @property
    def big_endian(self) -> bool:
        return self.syntax == EXPLICIT_BE

    @property
    def decoded_bytes(self) -> int:
        """Bytes of one decoded frame, by what the data set states."""
        return self.rows * self.columns * self.samples * max(self.bits_allocated, 8) // 8


def image_of(scanned: Scanned) -> Image:
    """The Image of a scanned object. Raises CannotRender no_pixels, over_budget, ..."""
    if scanned.pixel is None:
        raise CannotRender("no_pixels")
    tag = scanned.pixel.tag
    pixels = find(scanned.elements, tag)
    allocated = {0x7FE00008: 32, 0x7FE00009: 64}.get(tag) or scanned.facts.bits_allocated

    def number(wanted: int, default: int) -> int:
        return whole(find(scanned.elements, wanted), default)

    stored = number(0x00280101, allocated)
    image = Image(
        scanned.transfer_syntax, tag, pixels.vr if pixels else "OW", scanned.facts.rows,
        scanned.facts.columns, scanned.facts.samples or 1, allocated, stored,
        number(0x00280102, stored - 1), number(0x00280103, 0) == 1,
        text(find(scanned.elements, 0x00280004), scanned.charset), number(0x00280006, 0),
    )  # fmt: skip
    _check(image)
    return image


def _check(image: Image) -> None:
    if image.rows == 0 or image.columns == 0 or image.samples not in (1, 3, 4):
        raise CannotRender("unsupported_pixels")
    if image.bits_allocated not in (1, 8, 16, 32, 64):
        raise CannotRender("unsupported_pixels")
    if not 0 < image.bits_stored <= image.bits_allocated:
        raise CannotRender("unsupported_pixels")
    if not image.bits_stored - 1 <= image.high_bit < image.bits_allocated:
        raise CannotRender("unsupported_pixels")
    if image.decoded_bytes > BUDGET:
        raise CannotRender("over_budget")


def decode_frame(image: Image, frame: bytes, index: int) -> tuple[Pixels, str]:
    """Pixels (rows, columns) or (rows, columns, samples), and their photometric interpretation.

    Values are sign-extended to the stored type. Raises CannotRender undecodable or
    unsupported_pixels; decoders' own errors never pass.
    """
    _check(image)
    try:
        pixels, photometric = _decoded(image, frame, index)
    except CannotRender:
        raise
    except Exception as wrong:  # codecs raise all kinds of errors for hostile streams
        raise CannotRender("undecodable") from wrong
    shape = (image.rows, image.columns) + ((image.samples,) if image.samples > 1 else ())
    if pixels.shape != shape:
        raise CannotRender("undecodable")
    return pixels, photometric


def _decoded(image: Image, frame: bytes, index: int) -> tuple[Pixels, str]:
    if image.is_native:
        return _native(image, frame, index), image.photometric
    if image.syntax == DEFLATED_FRAMES:
        return _native(image, _inflated(image, frame), 0), image.photometric
    if image.syntax == RLE:
        return _rle(image, frame), image.photometric
    if image.syntax in JPEG_DCT | JPEG_LOSSLESS | JPEG_LS:
        return _jpeg(image, frame)
    if image.syntax in JPEG_2000 | HTJ2K:
        return _jpeg2000(image, frame)
    raise CannotRender("unsupported_pixels")


def _native(image: Image, frame: bytes, index: int) -> Pixels:
    if image.bits_allocated == 1:
        return _bits(image, frame, index)
    integer = "i" if image.signed else "u"
    kind = "f" if image.tag in FLOAT_TAGS else integer
    width = image.bits_allocated // 8
    if width == 1 and image.big_endian and image.pixel_vr == "OW" and len(frame) % 2 == 0:
        frame = np.frombuffer(frame, "u2").byteswap().tobytes()
    flat = np.frombuffer(frame, f"{'>' if image.big_endian else '<'}{kind}{width}")
    flat = flat.astype(flat.dtype.newbyteorder("="))
    if image.photometric == "YBR_FULL_422" and image.samples == 3:
        return _from_422(flat, image)
    pixels = _shaped(flat[: image.rows * image.columns * image.samples], image)
    return pixels if kind == "f" else stored_only(pixels, image)


def _bits(image: Image, frame: bytes, index: int) -> Pixels:
    cells = image.rows * image.columns * image.samples
    start = index * cells % 8 if image.is_native else 0
    flat = np.unpackbits(np.frombuffer(frame, "u1"), bitorder="little")[start : start + cells]
    return _shaped(flat, image)


def _shaped(flat: Pixels, image: Image) -> Pixels:
    if image.samples == 1:
        return flat.reshape(image.rows, image.columns)
    if image.planar == 1:
        planes = flat.reshape(image.samples, image.rows, image.columns)
        return np.ascontiguousarray(np.moveaxis(planes, 0, -1))
    return flat.reshape(image.rows, image.columns, image.samples)


def _from_422(flat: Pixels, image: Image) -> Pixels:
    """Y1 Y2 CB CR for every two pixels (PS3.3 C.7.6.3.1.2)."""
    pairs = flat[: image.rows * image.columns * 2].reshape(-1, 4)
    chroma = np.repeat(pairs[:, 2:], 2, axis=0)
    full = np.concatenate([pairs[:, :2].reshape(-1, 1), chroma], axis=1)
    return full.reshape(image.rows, image.columns, 3)


def stored_only(pixels: Pixels, image: Image, bits: int | None = None) -> Pixels:
    """Drop bits outside Bits Stored (old overlays live there) and extend the sign."""
    width = image.bits_allocated
    bits = bits or image.bits_stored
    up = width - 1 - image.high_bit if bits == image.bits_stored else width - bits
    kind = f"{'i' if image.signed else 'u'}{width // 8}"
    stored = pixels.astype(kind, copy=False)
    if bits == width:
        return stored
    return (stored << up) >> (width - bits)


def _inflated(image: Image, frame: bytes) -> bytes:
    size = (image.rows * image.columns * image.samples * image.bits_allocated + 7) // 8
    data = zlib.decompressobj(-15).decompress(frame, size + 2)
    if len(data) < size:
        raise CannotRender("undecodable")
    return data[:size]


def _rle(image: Image, frame: bytes) -> Pixels:
    """PS3.5 annex G: one segment per byte of a sample, the most significant first."""
    cells, width = image.rows * image.columns, image.bits_allocated // 8
    if width == 0:
        raise CannotRender("unsupported_pixels")
    heads = np.frombuffer(frame[:64], "<u4")
    count = image.samples * width
    if len(heads) < 16 or heads[0] != count:
        raise CannotRender("undecodable")
    offsets = [int(offset) for offset in heads[1 : count + 1]] + [len(frame)]
    if offsets[0] < 64 or offsets != sorted(offsets):
        raise CannotRender("undecodable")
    planes = np.empty((image.samples, width, cells), "u1")
    for i, (start, stop) in enumerate(pairwise(offsets)):
        plane = _unpacked(frame[start:stop], cells)
        planes[i // width, width - 1 - i % width] = plane
    values = np.ascontiguousarray(np.moveaxis(planes, 1, -1)).view(f"<u{width}")[..., 0]
    pixels = np.moveaxis(values.reshape(image.samples, image.rows, image.columns), 0, -1)
    pixels = pixels[..., 0] if image.samples == 1 else np.ascontiguousarray(pixels)
    return stored_only(pixels, image)


def _unpacked(segment: bytes, cells: int) -> Pixels:
    data = imagecodecs.packbits_decode(segment, out=cells + 2)
    if len(data) < cells:
        raise CannotRender("undecodable")
    return np.frombuffer(data, "u1")[:cells]


def _jpeg(image: Image, frame: bytes) -> tuple[Pixels, str]:
    facts = jpeg_facts(frame)
    if facts is None or (facts.rows, facts.columns) != (image.rows, image.columns):
        raise CannotRender("undecodable")
    if facts.components != image.samples or facts.precision > image.bits_allocated:
        raise CannotRender("undecodable")
    photometric = image.photometric
    if facts.kind == "ls":
        pixels = imagecodecs.jpegls_decode(frame)
    elif facts.kind == "lossless":
        pixels = imagecodecs.jpegsof3_decode(frame)
    elif image.samples == 3:
        untouched = photometric == "RGB" and not facts.marked
        space = "RGB" if untouched else None
        pixels = imagecodecs.jpeg8_decode(frame, colorspace=space, outcolorspace="RGB")
        photometric = "RGB"
    else:
        pixels = imagecodecs.jpeg8_decode(frame)
    return stored_only(np.ascontiguousarray(pixels), image, facts.precision), photometric


def _jpeg2000(image: Image, frame: bytes) -> tuple[Pixels, str]:
    facts = jpeg2000_facts(frame)
    if facts is None or (facts.rows, facts.columns) != (image.rows, image.columns):
        raise CannotRender("undecodable")
    if facts.components != image.samples or facts.precision > image.bits_allocated:
        raise CannotRender("undecodable")
    pixels = imagecodecs.jpeg2k_decode(frame)
    # The codec undoes its own component transform; what is left is as labelled otherwise.
    was_transformed = image.photometric in ("YBR_RCT", "YBR_ICT") or facts.marked
    photometric = "RGB" if image.samples == 3 and was_transformed else image.photometric
    return stored_only(np.ascontiguousarray(pixels), image, facts.precision), photometric
