"""Transfer syntaxes: what is asked for leaves, checked by readers that are not ours."""

import io
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pydicom
import pytest
from django.test import Client

from sharing.archive.models import Instance
from sharing.dicom.transcode import (
    HTJ2K_RPCL,
    JPEG_2000_LOSSLESS,
    JPEG_BASELINE,
    LOSSLESS,
    WAVELETS,
)
from tests.archive.sending import send
from tests.cast import Region
from tests.dciodvfy import iod_errors, is_part10
from tests.faces.dicomweb.conftest import stored_study
from tests.faces.dicomweb.test_retrieve import content, get, parts, path_of

EXPLICIT = "1.2.840.10008.1.2.1"
J = "1.2.840.10008.1.2.4"
OCTETS = "application/octet-stream"
SOURCES = (
    "pydicom_CT_small.dcm",
    "pydicom_MR_small_bigendian.dcm",
    "pydicom_MR_small_RLE.dcm",
    "pydicom_MR_small_jp2klossless.dcm",
    "pydicom_emri_small.dcm",
    "pydicom_examples_rgb_color.dcm",
    "pydicom_examples_palette.dcm",
    "orthanc_Issue19.dcm",
)
DCMTK = {
    f"{J}.70": ("dcmdjpeg", "+cn"),  # never convert colours
    f"{J}.80": ("dcmdjpls",),
    "1.2.840.10008.1.2.5": ("dcmdrle",),
}


def as_file(syntax: str) -> str:
    return f"application/dicom; transfer-syntax={syntax}"


@pytest.mark.parametrize("name", SOURCES)
def test_an_object_leaves_in_any_lossless_syntax_with_its_own_pixels(
    region: Region, pacs: Client, real_data: Path, tmp_path: Path, name: str
) -> None:
    """By pydicom; and by DCMTK where it decodes the syntax."""
    source = real_data / "single" / name
    send(region, source)
    original = pydicom.dcmread(source)
    url = path_of(Instance.objects.get())
    for syntax in (EXPLICIT, *LOSSLESS):
        raw = content(get(pacs, url, as_file(syntax)))
        made = pydicom.dcmread(io.BytesIO(raw))
        assert made.file_meta.TransferSyntaxUID == syntax
        assert made.SOPInstanceUID == made.file_meta.MediaStorageSOPInstanceUID
        assert made.SOPInstanceUID == original.SOPInstanceUID
        assert made.get("LossyImageCompression") == original.get("LossyImageCompression")
        assert is_part10(raw)
        if syntax not in WAVELETS or syntax == JPEG_2000_LOSSLESS:  # dciodvfy knows no HTJ2K
            assert iod_errors(raw) <= iod_errors(source.read_bytes()), syntax
        if command := DCMTK.get(syntax):
            packed, plain = tmp_path / "packed.dcm", tmp_path / "plain.dcm"
            packed.write_bytes(raw)
            program, *options = command
            subprocess.run([_tool(program), *options, packed, plain], check=True)
            made = pydicom.dcmread(plain)
        assert np.array_equal(values(made), values(original)), syntax


def values(found: pydicom.Dataset) -> np.ndarray:
    """Stored values, without any change of colours."""
    return pydicom.pixels.pixel_array(found, raw=True)


def _tool(name: str) -> str:
    """DCMTK's program, or one of dicom3tools; tests/needs.sh installs them."""
    path = shutil.which(name)
    assert path, f"{name} is absent: sh tests/needs.sh"
    return path


@pytest.mark.parametrize(
    "name",
    ["pydicom_examples_rgb_color.dcm", "pydicom_examples_ybr_color.dcm", "highdicom_dx_image.dcm"],
)
def test_a_lossy_object_is_a_new_one_that_says_so(
    region: Region, pacs: Client, real_data: Path, tmp_path: Path, name: str
) -> None:
    source = real_data / "single" / name
    send(region, source)
    held = Instance.objects.get()
    original = pydicom.dcmread(source)
    response = get(pacs, path_of(held), as_file(JPEG_BASELINE))
    if original.BitsAllocated != 8:
        assert response.status_code == 406
        return
    raw = content(response)
    assert iod_errors(raw) <= iod_errors(source.read_bytes())
    made = pydicom.dcmread(io.BytesIO(raw))
    if held.transfer_syntax == JPEG_BASELINE:
        assert made.SOPInstanceUID == original.SOPInstanceUID
        return
    assert made.SOPInstanceUID != original.SOPInstanceUID
    assert made.SOPInstanceUID == made.file_meta.MediaStorageSOPInstanceUID
    assert made.SourceImageSequence[0].ReferencedSOPInstanceUID == original.SOPInstanceUID
    assert made.ImageType[0] == "DERIVED"
    assert (made.LossyImageCompression, made.LossyImageCompressionMethod) == ("01", "ISO_10918_1")
    assert float(made.LossyImageCompressionRatio) > 1
    if original.SamplesPerPixel == 3:
        assert made.PhotometricInterpretation == "YBR_FULL_422"
    shown = made.pixel_array.astype(int)
    assert np.abs(shown - original.pixel_array).mean() < 4
    again = pydicom.dcmread(io.BytesIO(content(get(pacs, path_of(held), as_file(JPEG_BASELINE)))))
    assert again.SOPInstanceUID == made.SOPInstanceUID


# accept header, the answer's media type and syntax; None: 406
PLAIN_FRAME = [
    ("*/*", OCTETS, EXPLICIT),
    ("application/octet-stream", OCTETS, EXPLICIT),
    (f'application/octet-stream; transfer-syntax="{EXPLICIT}"', OCTETS, EXPLICIT),
    ("application/octet-stream; transfer-syntax=*", OCTETS, EXPLICIT),
    (f"application/octet-stream; transfer-syntax={J}.80", OCTETS, f"{J}.80"),
    ("image/jls", "image/jls", f"{J}.80"),
    ("image/x-jls", "image/jls", f"{J}.80"),
    (f'image/jls; transfer-syntax="{J}.80"', "image/jls", f"{J}.80"),
    (f"image/jls; transfer-syntax={J}.81", None, ""),
    ("image/jp2", "image/jp2", f"{J}.90"),
    (f"image/jp2; transfer-syntax={J}.80", None, ""),
    ("image/jphc", "image/jphc", f"{J}.201"),
    (f"image/jphc; transfer-syntax={HTJ2K_RPCL}", "image/jphc", HTJ2K_RPCL),
    ("image/jpeg", "image/jpeg", f"{J}.70"),
    (f"image/jpeg; transfer-syntax={J}.50", None, ""),
    ("image/dicom-rle", "image/dicom-rle", "1.2.840.10008.1.2.5"),
    ("image/jpx", None, ""),
    ("image/webp, image/jls;q=0.2, image/jp2;q=0.7", "image/jp2", f"{J}.90"),
    ("image/jls;q=0, */*;q=0.1", OCTETS, EXPLICIT),
    ("application/octet-stream;q=0, */*", None, ""),
    ("application/octet-stream;q=0.1, application/*, image/jp2;q=0.5", "image/jp2", f"{J}.90"),
    ("application/octet-stream; transfer-syntax=1.2.840.10008.1.2", None, ""),
]  # fmt: skip


def test_frames_leave_as_the_client_accepts_them(
    region: Region, pacs: Client, real_data: Path
) -> None:
    source = real_data / "single/pydicom_CT_small.dcm"
    send(region, source)
    url = f"{path_of(Instance.objects.get())}/frames/1"
    pixels = pydicom.dcmread(source).PixelData
    seen = {}
    for accept, media, syntax in PLAIN_FRAME:
        for how in ("header", "query"):
            where = {"accept": accept} if how == "query" else {}
            response = pacs.get(url, where, headers={} if where else {"Accept": accept})
            if media is None:
                assert response.status_code == 406, accept
                continue
            if "*/*" in accept:
                ((kind, body),) = parts(response)
            else:
                kind, body = response["Content-Type"], content(response)
            assert kind == f"{media}; transfer-syntax={syntax}", accept
            assert seen.setdefault(kind, body) == body
            if syntax == EXPLICIT:
                assert body == pixels
    (several,) = {
        get(
            pacs, f"{url}", f'multipart/related; type="image/jphc"; transfer-syntax={t}'
        ).status_code
        for t in ("*", f"{J}.201", f'"{J}.202"')
    }
    assert several == 200
    inside = f'multipart/related; type="image/jls; transfer-syntax={J}.80"'
    ((kind, _),) = parts(get(pacs, url, inside))
    assert kind == f"image/jls; transfer-syntax={J}.80"


def test_implicit_and_big_endian_never_leave(region: Region, pacs: Client, real_data: Path) -> None:
    for name, own in (("implicit", "1.2.840.10008.1.2"), ("bigendian", "1.2.840.10008.1.2.2")):
        send(region, real_data / f"single/pydicom_MR_small_{name}.dcm")
        url = path_of(Instance.objects.latest("pk"))
        raw = content(get(pacs, url, as_file("*")))
        assert pydicom.dcmread(io.BytesIO(raw)).file_meta.TransferSyntaxUID == EXPLICIT
        assert get(pacs, url, as_file(own)).status_code == 406
        Instance.objects.all().delete()


def test_a_study_is_recompressed_one_after_another_and_what_has_no_pixels_stays_plain(
    region: Region, pacs: Client, real_data: Path
) -> None:
    study = stored_study(region, real_data / "studies/rt_breast_ct_struct_plan")
    accept = f'multipart/related; type="application/dicom"; transfer-syntax={J}.80'
    found = parts(get(pacs, f"/dicomweb/studies/{study.study_uid}", accept))
    kinds = sorted(re.findall(r"syntax=([\d.]+)", " ".join(kind for kind, _ in found)))
    assert kinds == [EXPLICIT, EXPLICIT, f"{J}.80"]
    for _, body in found:
        pydicom.dcmread(io.BytesIO(body))


def test_what_can_t_be_written_so_is_406(region: Region, pacs: Client, real_data: Path) -> None:
    for name, syntax in (
        ("pydicom_liver_1frame.dcm", f"{J}.80"),  # one bit a pixel
        ("pydicom_parametric_map_float.dcm", f"{J}.90"),
        ("pydicom_CT_small.dcm", f"{J}.51"),
        ("pydicom_CT_small.dcm", "1.2.3"),
    ):
        send(region, real_data / "single" / name)
        url = path_of(Instance.objects.latest("pk"))
        assert get(pacs, url, as_file(syntax)).status_code == 406, name
        assert get(pacs, url, as_file(EXPLICIT)).status_code == 200
        Instance.objects.all().delete()
