"""Metadata and bulk data become the file that they were, and nothing else becomes one."""

import io
import math
import struct
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pydicom
import pytest
from PIL import Image

from sharing.dicom.assemble import assemble, read_json
from sharing.dicom.bulk import Bulk
from sharing.dicom.elements import Limits
from sharing.dicom.errors import BadDicom
from sharing.dicom.json_model import dicom_json
from sharing.dicom.scan import scan
from sharing.dicom.xml_model import from_xml, to_xml
from tests.dciodvfy import iod_errors, is_part10
from tests.dicom.apart import apart, part

BASE = {
    "00080016": {"vr": "UI", "Value": ["1.2.840.10008.5.1.4.1.1.7"]},
    "00080018": {"vr": "UI", "Value": ["2.25.1"]},
    "0020000D": {"vr": "UI", "Value": ["2.25.2"]},
    "0020000E": {"vr": "UI", "Value": ["2.25.3"]},
}
PIXELS = {"7FE00010": {"vr": "OW", "BulkDataURI": "p"}}


def made(data_set: dict[str, Any], *parts: Bulk) -> pydicom.Dataset:
    raw = b"".join(assemble(data_set, lambda uri: list(parts)))
    scan(raw, size=len(raw))
    return pydicom.dcmread(io.BytesIO(raw))


def refusal(data_set: Any, *parts: Bulk) -> str:
    with pytest.raises(BadDicom) as refused:
        list(assemble(data_set, lambda uri: list(parts)))
    return refused.value.code


# Group lengths go, names lose empty components in XML: no more differs.
def normal(model: Any) -> Any:
    text = orjson.dumps(model).decode()
    while '^"' in text:
        text = text.replace('^"', '"')
    return orjson.loads(text)


def test_every_file_of_the_real_data_comes_apart_and_together_again(real_data: Path) -> None:
    seen = 0
    for path in sorted((real_data / "single").iterdir()):
        raw = path.read_bytes()
        try:
            model, bulk = apart(raw)
        except BadDicom:
            continue
        for sent in (orjson.loads(orjson.dumps(model)), from_xml(to_xml(model))):
            file = b"".join(assemble(sent, bulk))
            again = scan(file, size=len(file))
            assert normal(dicom_json(again, bulk_uri="u")) == normal(model), path.name
            assert again.warnings == (), path.name
        seen += 1
    assert seen > 60


@pytest.mark.parametrize(
    "name",
    [
        "pydicom_CT_small.dcm",
        "pydicom_MR_small_implicit.dcm",
        "pydicom_OBXXXX1A_rle_2frame.dcm",
        "pydicom_emri_small.dcm",
        "pydicom_rtplan.dcm",
        "pydicom_test-SR.dcm",
        "orthanc_sample-pdf.dcm",
        "pydicom_MR_small_jpeg_ls_lossless.dcm",
    ],
)
def test_others_find_no_fault_that_the_original_had_not(real_data: Path, name: str) -> None:
    raw = (real_data / "single" / name).read_bytes()
    model, bulk = apart(raw)
    file = b"".join(assemble(model, bulk))
    assert is_part10(file)
    assert iod_errors(file) <= iod_errors(raw)
    before, after = (pydicom.dcmread(io.BytesIO(data)) for data in (raw, file))
    if "PixelData" in before:
        assert np.array_equal(before.pixel_array, after.pixel_array)


def test_values_of_every_type_are_written_as_they_are_said() -> None:
    said = BASE | {
        "00080005": {"vr": "CS", "Value": ["ISO_IR 100"]},
        "00080008": {"vr": "CS", "Value": ["A", None, "B"]},
        "00100010": {"vr": "PN", "Value": [{"Alphabetic": "Ä^B", "Phonetic": "C"}]},
        "00101030": {"vr": "DS", "Value": [1 / 3, "1.50", 7]},
        "00200013": {"vr": "IS", "Value": [5.0]},
        "00280009": {"vr": "AT", "Value": ["00181063"]},
        "00089459": {"vr": "FL", "Value": ["Infinity"]},
        "00420011": {"vr": "OB", "InlineBinary": "AQID"},
        "00091001": {"vr": "SV", "Value": ["-9223372036854775808"]},
        "00090010": {"vr": "LO", "Value": ["ACME"]},
        "00400275": {"vr": "SQ", "Value": [{"00400007": {"vr": "LO", "Value": ["é"]}}, {}]},
        "00081140": {"vr": "SQ"},
    }
    found = made(said)
    assert found.SpecificCharacterSet == "ISO_IR 192"
    assert list(found.ImageType) == ["A", "", "B"]
    assert found.PatientName == "Ä^B==C"
    assert [str(v) for v in found.PatientWeight] == ["0.33333333333333", "1.50", "7"]
    assert found.InstanceNumber == 5
    assert found.FrameIncrementPointer == 0x00181063
    assert found[0x00089459].value == float("inf")
    assert found.EncapsulatedDocument == b"\1\2\3\0"
    assert found[0x00091001].value == -(2**63)
    assert found.RequestAttributesSequence[0].ScheduledProcedureStepDescription == "é"
    assert (len(found.RequestAttributesSequence), len(found.ReferencedImageSequence)) == (2, 0)


@pytest.mark.parametrize(
    ("values", "kept"),
    [
        (["NaN", "Infinity", "-Infinity", 1.5], [math.nan, math.inf, -math.inf, 1.5]),
        (["nan", "INF", "-inf"], [math.nan, math.inf, -math.inf]),  # of DCMTK and XML Schema
        ([1.5, None], [1.5, math.nan]),
        ([None], []),
    ],
)
@pytest.mark.parametrize("vr", ["FL", "FD"])
def test_what_is_not_finite_is_read_in_the_words_of_others(
    vr: str, values: list[Any], kept: list[float]
) -> None:
    found = made(BASE | {"00189073": {"vr": vr, "Value": values}})
    held = found["AcquisitionDuration"]
    assert [str(value) for value in (held.value if held.VM > 1 else [held.value] * held.VM)] == [
        str(value) for value in kept
    ]


@pytest.mark.parametrize(
    ("element", "code"),
    [
        ({"00100010": {"vr": "PN", "Value": [5]}}, "bad_value"),
        ({"00100010": {"vr": "PN", "Value": [{"Alphabetic": 5}]}}, "bad_value"),
        ({"00100020": {"vr": "LO", "Value": "text"}}, "bad_metadata"),
        ({"00100020": {"vr": "LO", "Value": [{}]}}, "bad_value"),
        ({"00100020": {"vr": "LO", "Value": ["\ud800"]}}, "bad_value"),
        ({"00100020": {"vr": "??", "Value": ["a"]}}, "bad_metadata"),
        ({"00100020": {"vr": ["LO"], "Value": ["a"]}}, "bad_metadata"),
        ({"00100020": {"vr": {"LO": 1}}}, "bad_metadata"),
        ({"00100020": "text"}, "bad_metadata"),
        ({"0010": {"vr": "LO"}}, "bad_metadata"),
        ({"0010002g": {"vr": "LO"}}, "bad_metadata"),
        ({"0010002\uff10": {"vr": "LO"}}, "bad_metadata"),
        ({"FFFEE000": {"vr": "OB"}}, "bad_metadata"),
        ({"00280010": {"vr": "US", "Value": [65536]}}, "bad_value"),
        ({"00280010": {"vr": "US", "Value": [1.5]}}, "bad_value"),
        ({"00280010": {"vr": "US", "Value": ["NaN"]}}, "bad_value"),
        ({"00280010": {"vr": "US", "Value": ["1_0"]}}, "bad_value"),
        ({"00280010": {"vr": "US", "Value": [True]}}, "bad_value"),
        ({"00280010": {"vr": "US", "Value": [1, None]}}, "bad_value"),
        ({"00200013": {"vr": "IS", "Value": [2**31]}}, "bad_value"),
        ({"00101030": {"vr": "DS", "Value": [float("inf")]}}, "bad_value"),
        ({"00420011": {"vr": "OB", "InlineBinary": "!"}}, "bad_value"),
        ({"00420011": {"vr": "OB", "Value": [1]}}, "bad_value"),
        ({"00420011": {"vr": "OB", "BulkDataURI": "u", "InlineBinary": "AA=="}}, "bad_metadata"),
        ({"00420011": {"vr": "OB", "BulkDataURI": "nowhere"}}, "bulk_data_missing"),
        ({"00420011": {"vr": "OB", "BulkDataURI": 5}}, "bulk_data_missing"),
        ({"00400275": {"vr": "SQ", "Value": [5]}}, "bad_metadata"),
        ({"00400275": {"vr": "SQ", "BulkDataURI": "u"}}, "bad_metadata"),
        ({"00080018": {"vr": "UI"}}, "missing_sop_uid"),
        ({"00080016": {"vr": "UI", "Value": ["é"]}}, "missing_sop_class"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(element: dict[str, Any], code: str) -> None:
    assert refusal(BASE | element) == code


def test_nesting_and_numbers_are_bounded() -> None:
    deep: dict[str, Any] = dict(BASE)
    for _ in range(70):
        deep = BASE | {"00400275": {"vr": "SQ", "Value": [deep]}}
    assert refusal(deep) == "too_deep"
    with pytest.raises(BadDicom, match="too_many_elements"):
        list(assemble(BASE, lambda uri: [], Limits(elements=3)))
    assert len(read_json(b"[{},{}]", Limits(elements=3))) == 2
    for raw, code in (
        (b"[{},{},{}]", "too_many_elements"),
        (b"[" * 2000, "too_many_elements"),
        (b"[1]", "bad_metadata"),
        (b"", "bad_metadata"),
        (b"\xff", "bad_metadata"),
    ):
        with pytest.raises(BadDicom, match=code):
            read_json(raw, Limits(elements=3))


def picture(kind: str, mode: str = "L", **how: Any) -> bytes:
    """A picture of 6 rows and 8 columns in a consumer's format."""
    out = io.BytesIO()
    shape = (6, 8) if mode == "L" else (6, 8, 3)
    Image.fromarray(np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)).save(out, kind, **how)
    return out.getvalue()


@pytest.mark.parametrize(
    ("raw", "media", "syntax", "photometric"),
    [
        (picture("JPEG"), "image/jpeg", "1.2.840.10008.1.2.4.50", "MONOCHROME2"),
        (picture("JPEG", "RGB"), "image/jpeg", "1.2.840.10008.1.2.4.50", "YBR_FULL_422"),
        (picture("JPEG2000"), "image/jp2", "1.2.840.10008.1.2.4.90", "MONOCHROME2"),
        (picture("JPEG2000", no_jp2=True), "image/jp2", "1.2.840.10008.1.2.4.90", "MONOCHROME2"),
        (
            picture("JPEG2000", "RGB", irreversible=True, mct=1),
            "image/jp2",
            "1.2.840.10008.1.2.4.91",
            "YBR_ICT",
        ),
    ],
)
def test_attributes_that_the_picture_shows_may_be_left_out(
    raw: bytes, media: str, syntax: str, photometric: str
) -> None:
    found = made(BASE | PIXELS, part(raw, media))
    assert found.file_meta.TransferSyntaxUID == syntax
    assert (found.Rows, found.Columns, found.BitsAllocated) == (6, 8, 8)
    assert found.PhotometricInterpretation == photometric
    assert ("LossyImageCompression" in found) == (syntax[-2:] in ("50", "91"))
    pixels = found.pixel_array
    assert pixels.shape[:2] == (6, 8)
    if syntax.endswith("90"):
        assert np.array_equal(pixels, np.arange(48, dtype=np.uint8).reshape(6, 8))


def test_what_the_sender_says_of_the_picture_goes_before_what_it_shows() -> None:
    said = {
        "00280004": {"vr": "CS", "Value": ["MONOCHROME1"]},
        "00282110": {"vr": "CS", "Value": ["00"]},
    }
    found = made(BASE | PIXELS | said, part(picture("JPEG"), "image/jpeg"))
    assert (found.PhotometricInterpretation, found.LossyImageCompression) == ("MONOCHROME1", "00")
    assert "LossyImageCompressionRatio" not in found


def test_frames_are_fragments_with_an_offset_table() -> None:
    one, two = picture("JPEG"), picture("JPEG", quality=5)
    count = {"00280008": {"vr": "IS", "Value": [2]}}
    found = made(BASE | PIXELS | count, part(one, "image/jpeg"), part(two, "image/jpeg"))
    assert found.pixel_array.shape == (2, 6, 8)
    table = found.PixelData[:16]
    assert table == struct.pack("<HHIII", 0xFFFE, 0xE000, 8, 0, len(one) + len(one) % 2 + 8)
    assert refusal(BASE | PIXELS | count, part(one, "image/jpeg")) == "bulk_data_missing"
    endless = {"00280008": {"vr": "IS", "Value": ["9" * 5000]}}
    assert refusal(BASE | PIXELS | endless, part(one, "image/jpeg")) == "bulk_data_missing"


@pytest.mark.parametrize(
    ("raw", "media", "syntax"),
    [
        (b"x", "text/plain", ""),
        (b"x", "image/jpeg", "1.2.840.10008.1.2.4.90"),
        (b"x", "image/jpeg", ""),
        (b"\xff\xd8\xff\xf7\0\x0b\x08\0\1\0\1\1\0\0\0", "image/jpeg", ""),
        (b"", "image/jpeg", "1.2.840.10008.1.2.4.50"),
        (b"xx", "application/octet-stream", "1.2.840.10008.1.2.2"),
        (b"\0\0\0\x0cjP  \r\n\x87\n\0\0\0\0", "image/jp2", "1.2.840.10008.1.2.4.90"),
    ],
)
def test_pixels_of_another_kind_are_refused(raw: bytes, media: str, syntax: str) -> None:
    assert refusal(BASE | PIXELS, part(raw, media, syntax)) == "bulk_media_type"


def test_plain_and_compressed_parts_do_not_mix() -> None:
    jpeg, plain = part(picture("JPEG"), "image/jpeg"), part(b"xx")
    assert refusal(BASE | PIXELS, plain, jpeg) == "bulk_media_type"
    assert refusal(BASE | PIXELS, jpeg, plain) == "bulk_media_type"


def test_an_icon_is_plain_or_compressed_as_the_image_is() -> None:
    """... and never a code stream that is said to be pixels (PS3.5 A.4)."""
    icon = {"00880200": {"vr": "SQ", "Value": [PIXELS]}}
    jpeg, lossless = part(picture("JPEG"), "image/jpeg"), part(picture("JPEG2000"), "image/jp2")
    assert refusal(BASE | icon, jpeg) == "bulk_media_type"
    assert made(BASE | icon, part(b"xx")).IconImageSequence[0].PixelData == b"xx"
    both = made(BASE | PIXELS | icon, jpeg)
    assert both.IconImageSequence[0].PixelData == both.PixelData
    other = {"00880200": {"vr": "SQ", "Value": [{"7FE00010": {"vr": "OB", "BulkDataURI": "i"}}]}}
    parts = {"p": [jpeg], "i": [lossless]}
    with pytest.raises(BadDicom) as refused:
        list(assemble(BASE | PIXELS | other, lambda uri: parts[uri]))
    assert refused.value.code == "bulk_media_type"


def test_a_png_or_gif_becomes_plain_pixels() -> None:
    """PS3.18 table 10.5.2-1: there is no transfer syntax for them."""
    grey = np.arange(48, dtype=np.uint8).reshape(6, 8)
    said = {
        "00280010": {"vr": "US", "Value": [9]},
        "00280004": {"vr": "CS", "Value": ["MONOCHROME1"]},
    }
    found = made(BASE | PIXELS | said, part(picture("PNG"), "image/png"))
    assert found.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.1"
    assert (found.Rows, found.PhotometricInterpretation) == (6, "MONOCHROME1")
    assert np.array_equal(found.pixel_array, grey)
    colour = made(BASE | PIXELS, part(picture("PNG", "RGB"), "image/png"))
    assert np.array_equal(colour.pixel_array, np.arange(144, dtype=np.uint8).reshape(6, 8, 3))

    out = io.BytesIO()
    deep = np.arange(48, dtype=np.uint16).reshape(6, 8) * 1000
    Image.fromarray(deep).save(out, "PNG")
    assert np.array_equal(made(BASE | PIXELS, part(out.getvalue(), "image/png")).pixel_array, deep)

    out = io.BytesIO()
    first, second = (Image.fromarray(grey + n).convert("P") for n in (0, 9))
    first.save(out, "GIF", save_all=True, append_images=[second])
    film = made(BASE | PIXELS, part(out.getvalue(), "image/gif"))
    assert (film.NumberOfFrames, film.SamplesPerPixel) == (2, 3)
    assert np.array_equal(film.pixel_array[..., 0], np.stack([grey, grey + 9]))


def test_a_png_that_would_lose_bits_or_is_none_is_refused() -> None:
    sixteen = (
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x10\2\0\0\0\xc9\xe4\x0c\x84"
        b"\0\0\0\x0fIDATx\x9cc`@\x05\0\0\x10\0\1"
    )
    for raw in (sixteen, b"", b"\x89PNG\r\n\x1a\n", picture("PNG")[:45], picture("JPEG")):
        assert refusal(BASE | PIXELS, part(raw, "image/png")) == "bulk_media_type"
    mixed = part(picture("PNG"), "image/png"), part(picture("PNG", "RGB"), "image/png")
    assert refusal(BASE | PIXELS, *mixed) == "bulk_media_type"
