"""Pictures out of the stored JSON: the same as out of the file, and as pydicom's own."""

import subprocess
import zlib
from dataclasses import replace
from functools import cache
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import orjson
import pydicom
import pytest
from pydicom.pixels import apply_color_lut, pixel_array
from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut, apply_windowing
from pydicom.uid import JPEGLossless, JPEGLosslessSV1

from sharing.dicom.decode import decode_frame
from sharing.dicom.described import MOST_JSON, described, json_of
from sharing.dicom.grey import Grey
from sharing.dicom.json_model import dicom_json
from sharing.dicom.render import Picture, _shown, picture_of, shown_pixels
from sharing.dicom.scan import Scanned, plain, scan

from .corpus import Row, chosen, content, is_sample, reader, rows


@cache
def _scanned(file: str) -> tuple[Scanned, bytes]:
    data = content({"file": file})
    return scan(data, size=len(data)), plain(BytesIO(data), size=len(data)).read()


def _is_native(row: Row) -> bool:
    return is_sample(row) and row["bits"] != "" and row["transfer_syntax"] in (
        "", "1.2.840.10008.1.2", "1.2.840.10008.1.2.1",
    )  # fmt: skip


@pytest.mark.parametrize("row", chosen(_is_native))
def test_the_stored_json_draws_what_the_file_draws(row: Row) -> None:
    scanned, data = _scanned(row["file"])
    if scanned.pixel is None or not scanned.pixel.frames:
        return
    column = zlib.compress(orjson.dumps(dicom_json(scanned, bulk_uri="bulk")))
    json = json_of(column)
    assert json is not None
    for index in {0, len(scanned.pixel.frames) - 1}:
        facts = described(json, scanned.transfer_syntax, index)
        if facts is None:
            continue
        whole = picture_of(scanned, reader(data), None, index)
        assert facts[0] == replace(whole.image, pixel_vr=facts[0].pixel_vr)
        assert facts[1] == whole.grey
        # ... and the one look-up is what decoding, shifting and windowing come to.
        pixels, photometric = decode_frame(whole.image, whole.frame, index)
        slow = _shown(pixels, photometric, whole, None).astype(int)
        quick = shown_pixels(Picture(*facts, whole.frame, index), None)
        assert np.abs(slow - quick).max() <= 1


def test_most_plain_files_need_no_parser() -> None:
    """The quick way is the usual one, or nothing above was compared."""
    if not rows():
        pytest.skip("real data is absent")
    ready = 0
    for param in chosen(_is_native):
        scanned, _ = _scanned(param.values[0]["file"])  # type: ignore[attr-defined]
        json = orjson.loads(orjson.dumps(dicom_json(scanned, bulk_uri="bulk")))
        ready += described(json, scanned.transfer_syntax, 0) is not None
    assert ready >= 25


def test_a_data_set_too_large_for_a_picture_is_left_to_the_child() -> None:
    assert json_of(zlib.compress(b'{"a":"%s"}' % (b" " * MOST_JSON))) is None


WITH_A_WINDOW = (
    "single/pydicom_MR_small_implicit.dcm",
    "single/pydicom_MR_small_bigendian.dcm",
    "single/pydicom_MR_small_RLE.dcm",
    "single/pydicom_MR_small_jp2klossless.dcm",
    "single/pydicom_MR_small_jpeg_ls_lossless.dcm",
    "single/pydicom_vlut_04.dcm",
    "single/wg04_RG3_JPLL.dcm",
    "single/pydicom_examples_overlay.dcm",
    "studies/mg_single_view",
    "studies/dx_chest_pa",
    "studies/ct_stereotaxis_40",
    "studies/mr_wrist_j1",
)


@pytest.mark.parametrize("name", WITH_A_WINDOW)
def test_grey_is_what_pydicom_makes_of_it(name: str) -> None:
    """Modality LUT or rescale, then VOI LUT or window, by pydicom, scaled to 8 bits."""
    file = next((r["file"] for r in rows() if r["file"].startswith(name)), None)
    if file is None:
        pytest.skip("real data is absent")
    scanned, data = _scanned(file)
    picture = picture_of(scanned, reader(data), None, 0)
    ours = shown_pixels(picture, None).astype(int)
    theirs = _by_pydicom(content({"file": file}), picture.grey)
    assert np.abs(ours - theirs).max() <= 1


def _by_pydicom(data: bytes, grey: Grey) -> np.ndarray:
    found = _readable(data)
    values = apply_modality_lut(found.pixel_array, found)
    if grey.window is not None:
        low, high = _range(found, values)
        shown = apply_windowing(values, found)
    else:
        low, high = 0.0, 2.0 ** found.VOILUTSequence[0].LUTDescriptor[2] - 1
        shown = apply_voi_lut(values, found)
    scaled = np.rint(np.clip((shown - low) / (high - low), 0, 1) * 255).astype(int)
    return 255 - scaled if found.PhotometricInterpretation == "MONOCHROME1" else scaled


def _readable(data: bytes) -> pydicom.Dataset:
    """JPEG Lossless is decoded by DCMTK: pydicom has no decoder for it here."""
    found = pydicom.dcmread(BytesIO(data))
    if found.file_meta.TransferSyntaxUID not in (JPEGLossless, JPEGLosslessSV1):
        return found
    with TemporaryDirectory() as folder:
        packed, plain_one = Path(folder, "packed.dcm"), Path(folder, "plain.dcm")
        packed.write_bytes(data)
        subprocess.run(["dcmdjpeg", packed, plain_one], check=True)
        return pydicom.dcmread(BytesIO(plain_one.read_bytes()))


def _range(found: pydicom.Dataset, values: np.ndarray) -> tuple[float, float]:
    """The output range that pydicom's windowing scales to."""
    if "ModalityLUTSequence" in found:
        return 0.0, 2.0 ** found.ModalityLUTSequence[0].LUTDescriptor[2] - 1
    bits, signed = found.BitsStored, found.PixelRepresentation
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    slope, intercept = found.get("RescaleSlope", 1), found.get("RescaleIntercept", 0)
    return low * float(slope) + float(intercept), high * float(slope) + float(intercept)


COLOURS = (
    "single/pydicom_examples_rgb_color.dcm",
    "single/pydicom_examples_palette.dcm",
    "single/pydicom_OBXXXX1A_rle_2frame.dcm",
    "single/orthanc_Issue19.dcm",
    "single/pydicom_SC_ybr_full_422_uncompressed.dcm",
    "single/pydicom_SC_rgb_small_odd.dcm",
    "single/pydicom_ExplVR_BigEnd.dcm",
    "single/wg04_VL3_J2KR.dcm",
    "single/pydicom_SC_rgb_dcmtk__eb_cy_s4.dcm",
    "single/pydicom_gdcm-US-ALOKA-16.dcm",
    "single/pydicom_SC_rgb_rle_32bit_2frame.dcm",
    "studies/us_cine_jpeg",
)


@pytest.mark.parametrize("name", COLOURS)
def test_colours_are_what_pydicom_makes_of_them(name: str) -> None:
    """YBR to RGB, palettes and planes; JPEG's own rounding and chroma filter aside."""
    file = next((r["file"] for r in rows() if r["file"].startswith(name)), None)
    if file is None:
        pytest.skip("real data is absent")
    scanned, data = _scanned(file)
    ours = shown_pixels(picture_of(scanned, reader(data), None, 0), None).astype(int)
    found = pydicom.dcmread(BytesIO(content({"file": file})), force=True)
    theirs = _colours(found)
    lossy = scanned.transfer_syntax.endswith((".4.50", ".4.51"))
    assert np.abs(ours - theirs).max() <= (8 if lossy else 1)


def _colours(found: pydicom.Dataset) -> np.ndarray:
    pixels = pixel_array(found, index=0)
    if found.PhotometricInterpretation == "PALETTE COLOR":
        pixels = apply_color_lut(pixels, found)
    if pixels.dtype.itemsize > 1:
        top = pixels.dtype.itemsize * 8
        return (pixels >> (top - 8)).astype(int)
    return pixels.astype(int)
