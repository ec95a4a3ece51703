"""One frame from any syntax that we read into any that we write (PS3.5 8.2, A.4).

Lossless ones give back the same values. JPEG baseline is for 8 bits, and its objects are new ones
(PS3.3 C.7.6.1.1.5): see recompress.py.
"""

import struct
from collections.abc import Callable

import imagecodecs
import numpy as np

from .decode import FLOAT_TAGS, RLE, Image, Pixels, decode_frame
from .errors import CannotRender

JPEG_BASELINE = "1.2.840.10008.1.2.4.50"
JPEG_SV1 = "1.2.840.10008.1.2.4.70"
JPEG_LS_LOSSLESS = "1.2.840.10008.1.2.4.80"
JPEG_2000_LOSSLESS = "1.2.840.10008.1.2.4.90"
HTJ2K_LOSSLESS, HTJ2K_RPCL = "1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.4.202"
HTJ2K_ANY = "1.2.840.10008.1.2.4.203"  # lossy or not: ours are lossless under this name too
WAVELETS = (JPEG_2000_LOSSLESS, HTJ2K_LOSSLESS, HTJ2K_RPCL, HTJ2K_ANY)
LOSSLESS = (
    JPEG_SV1,
    JPEG_LS_LOSSLESS,
    JPEG_2000_LOSSLESS,
    HTJ2K_LOSSLESS,
    HTJ2K_RPCL,
    HTJ2K_ANY,
    RLE,
)
TARGETS = (*LOSSLESS, JPEG_BASELINE)
BASELINE_QUALITY = 90
SIDE = 65535


def can_become(image: Image, syntax: str) -> bool:
    """Whether frames of this kind can be written in that syntax at all."""
    if syntax not in TARGETS or image.tag in FLOAT_TAGS or image.samples not in (1, 3):
        return False
    if syntax == RLE:
        return image.bits_allocated in (8, 16, 32)
    if syntax == JPEG_BASELINE:
        palette = image.photometric == "PALETTE COLOR"
        return image.bits_allocated == 8 and not image.signed and not palette
    return image.bits_allocated in (8, 16) and max(image.rows, image.columns) <= SIDE


def transcoded(image: Image, frame: bytes, index: int, syntax: str) -> bytes:
    """The frame as a code stream of `syntax`, of even length.

    Raises CannotRender unsupported_pixels, or as decode_frame does.
    """
    if not can_become(image, syntax):
        raise CannotRender("unsupported_pixels")
    pixels, photometric = decode_frame(image, frame, index)
    made = _ENCODERS[syntax](np.ascontiguousarray(pixels), image, photometric)
    return made + bytes(len(made) % 2)


def photometric_after(photometric: str, syntax: str, samples: int) -> str:
    """What Photometric Interpretation says of the new code streams (PS3.5 8.2).

    `photometric` is that of the decoded pixels. JPEG 2000 turns RGB into its own reversible
    components, which every decoder undoes (8.2.4); the other lossless ones change no colours.
    """
    if samples == 3 and photometric == "RGB" and syntax in WAVELETS:
        return "YBR_RCT"
    if syntax == JPEG_BASELINE and samples == 3:
        return "YBR_FULL_422"
    return "YBR_FULL" if photometric == "YBR_FULL_422" else photometric


def _rle(pixels: Pixels, image: Image, photometric: str) -> bytes:
    """PS3.5 annex G: a segment for each byte of a sample, its rows packed one by one."""
    width = pixels.dtype.itemsize
    planes = np.moveaxis(pixels.reshape(image.rows, image.columns, image.samples), -1, 0)
    segments = []
    for plane in planes:
        words = np.ascontiguousarray(plane, plane.dtype.newbyteorder(">"))
        by_byte = words.view("u1").reshape(image.rows, image.columns, width)
        for byte in range(width):
            rows = np.ascontiguousarray(by_byte[:, :, byte])
            packed = bytes(imagecodecs.packbits_encode(rows, axis=-1))
            segments.append(packed + bytes(len(packed) % 2))
    if len(segments) > 15:
        raise CannotRender("unsupported_pixels")
    offsets, at = [], 64
    for segment in segments:
        offsets.append(at)
        at += len(segment)
    head = struct.pack("<16I", len(segments), *offsets, *[0] * (15 - len(segments)))
    return head + b"".join(segments)


def _unsigned(pixels: Pixels) -> Pixels:
    """JPEG and JPEG-LS know no sign: the same bits, and Pixel Representation says the rest."""
    return pixels.view(f"u{pixels.dtype.itemsize}")


def _jpeg_ls(pixels: Pixels, image: Image, photometric: str) -> bytes:
    return bytes(imagecodecs.jpegls_encode(_unsigned(pixels)))


def _jpeg_lossless(pixels: Pixels, image: Image, photometric: str) -> bytes:
    space = "RGB" if image.samples == 3 else "GRAYSCALE"
    made = imagecodecs.jpeg8_encode(
        _unsigned(pixels),
        lossless=True,
        predictor=1,
        colorspace=space,
        outcolorspace=space,
        bitspersample=pixels.dtype.itemsize * 8,
    )
    return bytes(made)


def _jpeg_2000(pixels: Pixels, image: Image, photometric: str) -> bytes:
    made = imagecodecs.jpeg2k_encode(
        pixels, level=0, codecformat="j2k", reversible=True, mct=photometric == "RGB",
        resolutions=6,
    )  # fmt: skip
    return bytes(made)


def _htj2k(pixels: Pixels, image: Image, photometric: str) -> bytes:
    """Resolution by resolution, with tile-part lengths: a viewer can show the first of them."""
    made = imagecodecs.htj2k_encode(pixels, reversible=True, tlm=True, rgb=photometric == "RGB")
    return bytes(made)


def _baseline(pixels: Pixels, image: Image, photometric: str) -> bytes:
    if image.samples == 1:
        return bytes(imagecodecs.jpeg8_encode(pixels, level=BASELINE_QUALITY))
    space = "YCBCR" if photometric.startswith("YBR") else "RGB"
    made = imagecodecs.jpeg8_encode(
        pixels, level=BASELINE_QUALITY, colorspace=space, outcolorspace="YCBCR", subsampling="422"
    )
    return bytes(made)


_ENCODERS: dict[str, Callable[[Pixels, Image, str], bytes]] = {
    RLE: _rle,
    JPEG_SV1: _jpeg_lossless,
    JPEG_LS_LOSSLESS: _jpeg_ls,
    JPEG_2000_LOSSLESS: _jpeg_2000,
    HTJ2K_LOSSLESS: _htj2k,
    HTJ2K_RPCL: _htj2k,
    HTJ2K_ANY: _htj2k,
    JPEG_BASELINE: _baseline,
}
