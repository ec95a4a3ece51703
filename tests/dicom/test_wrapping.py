"""Papers and photos as DICOM objects, as other programs read them."""

from datetime import UTC, datetime
from io import BytesIO

import pydicom
import pytest
from PIL import Image

from sharing.dicom.errors import BadDicom
from sharing.dicom.wrapping import Whose, wrapped
from tests.dciodvfy import iod_errors, is_part10

AT = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
PDF = b"%PDF-1.7\n1 0 obj<<>>endobj\n%%EOF"
LIN = Whose(
    name="LIN^Xiaoyan=林^晓燕",
    identifier="RV-1",
    issuer="RV",
    birth_date="19710314",
    sex="F",
    institution="Riverside General Hospital",
    study_date="20261124",
    description="Discharge letter",
)


def photo(size: tuple[int, int] = (40, 20), kind: str = "JPEG", turned: int = 1) -> bytes:
    """Left half red, right half blue, with a camera's notes."""
    picture = Image.new("RGB", size, (250, 10, 10))
    picture.paste((10, 10, 250), (size[0] // 2, 0, *size))
    notes = Image.Exif()
    notes[0x0112], notes[0x010F] = turned, "SECRET CAMERA"
    out = BytesIO()
    picture.save(out, kind, exif=notes)
    return out.getvalue()


def read(raw: bytes) -> pydicom.Dataset:
    return pydicom.dcmread(BytesIO(raw))


@pytest.mark.parametrize("data", [PDF, PDF + b"\n", photo(), photo(kind="PNG")])
def test_what_is_made_is_sound_to_dciodvfy_and_dcmtk(data: bytes) -> None:
    raw = wrapped(data, title="Discharge letter", whose=LIN, at=AT)
    assert iod_errors(raw) == set()
    assert is_part10(raw)


def test_the_pdf_comes_out_bit_for_bit_and_is_the_patient_s() -> None:
    ds = read(wrapped(PDF, title="Discharge letter", whose=LIN, at=AT))
    assert ds.EncapsulatedDocument[: ds.EncapsulatedDocumentLength] == PDF
    assert (ds.PatientName.ideographic, ds.PatientID) == ("林^晓燕", "RV-1")
    assert (ds.Modality, ds.DocumentTitle) == ("DOC", "Discharge letter")


def test_of_a_photo_the_picture_is_kept_upright_and_nothing_else() -> None:
    raw = wrapped(photo(turned=6), title="Wound", whose=LIN, at=AT)
    assert b"SECRET CAMERA" not in raw
    ds = read(raw)
    assert (ds.Rows, ds.Columns) == (40, 20)
    top, bottom = ds.pixel_array[5, 10], ds.pixel_array[35, 10]
    assert abs(int(top[0]) - int(bottom[0])) > 50


def test_an_object_joins_the_study_that_it_is_told() -> None:
    ds = read(
        wrapped(PDF, title="Letter", whose=Whose(**(vars(LIN) | {"study_uid": "1.2.3"})), at=AT)
    )
    assert ds.StudyInstanceUID == "1.2.3"
    assert ds.SOPInstanceUID != read(wrapped(PDF, title="Letter", whose=LIN, at=AT)).SOPInstanceUID


@pytest.mark.parametrize("data", [b"", b"GIF89a", photo()[:200], b"\x89PNG\r\n\x1a\nxx"])
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(BadDicom) as refused:
        wrapped(data, title="A", whose=LIN, at=AT)
    assert refused.value.code == "not_a_document"


def test_a_picture_that_would_fill_the_memory_is_refused_before_it_is_read() -> None:
    out = BytesIO()
    Image.new("1", (9000, 9000)).save(out, "PNG")
    with pytest.raises(BadDicom) as refused:
        wrapped(out.getvalue(), title="A", whose=LIN, at=AT)
    assert refused.value.code == "image_too_large"
