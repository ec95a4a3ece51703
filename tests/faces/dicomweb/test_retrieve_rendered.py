"""Rendered resources and thumbnails: as the query says, by a decoder only where one is needed."""

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from django.test import Client
from PIL import Image

from sharing.archive.models import Instance
from sharing.archive.services import rendering
from tests.archive.sending import send
from tests.cast import Region
from tests.faces.dicomweb.conftest import content_type, multipart, stored_study
from tests.faces.dicomweb.test_retrieve import content, get, parts, path_of

JPEGS = 'multipart/related; type="image/jpeg"'
PNG, PDF = "image/png", "application/pdf"
PDFS = f'multipart/related; type="{PDF}"'
CT = "single/pydicom_CT_small.dcm"


def pixels(raw: bytes) -> np.ndarray:
    """The grey or RGB values of a picture file."""
    with Image.open(BytesIO(raw)) as opened:
        return np.asarray(opened).astype(int)


@pytest.fixture
def ct(region: Region, real_data: Path) -> str:
    """A CT image of 128 x 128 at Riverside; its path."""
    send(region, real_data / CT)
    return path_of(Instance.objects.get())


def test_the_viewport_names_a_box_a_region_and_a_mirror(pacs: Client, ct: str) -> None:
    def picture(query: str) -> np.ndarray:
        return pixels(get(pacs, f"{ct}/rendered?{query}", PNG).content)

    whole = picture("window=1000,2000,linear")
    assert whole.shape == (128, 128)
    for query, expected in (
        ("viewport=128,128,0,0,128,128", whole),
        ("viewport=64,64,32,16,64,64", whole[16:80, 32:96]),
        ("viewport=128,128,,,-128,128", whole[:, ::-1]),
        ("viewport=128,128,0,0,128,-128", whole[::-1]),
        ("viewport=28,128,100,0,,", whole[:, 100:]),
        ("viewport=64,64,64,64,999,999", whole[64:, 64:]),
    ):
        shown = picture(f"window=1000,2000,linear&{query}")
        assert np.array_equal(shown, expected), query
    assert picture("viewport=64,300").shape == (64, 64)
    assert picture("viewport=300,256").shape == (256, 256)


def test_a_wrong_parameter_is_400(pacs: Client, ct: str) -> None:
    for query in (
        "viewport=9", "viewport=0,9", "viewport=9,-1", "viewport=9,9,x,0,1,1", "viewport=5000,9",
        "viewport=9,9,500,0,9,9", "viewport=9,9,0,0,0,9", "viewport=9,9,-1,0,9,9",
        "viewport=1,1,1,1,1,1,1", "window=1", "window=1,0", "window=1,0.5,linear",
        "window=1,2,cubic", "window=1,2,linear,3", "window=a,b,linear", "window=nan,1,linear",
        "quality=0", "quality=101", "quality=x", "quality=-5", "annotation=secret",
        "iccprofile=mine",
    ):  # fmt: skip
        response = get(pacs, f"{ct}/rendered?{query}", "image/jpeg")
        assert response.status_code == 400, query
        assert b"secret" not in response.content
    assert get(pacs, f"{ct}/frames/2/rendered").status_code == 404
    assert get(pacs, f"{ct}/frames/0/rendered").status_code == 400


def test_windows_quality_annotation_and_profile(pacs: Client, ct: str) -> None:
    def answer(query: str, accept: str = PNG) -> Any:
        return get(pacs, f"{ct}/rendered?{query}", accept)

    narrow = pixels(answer("window=1000,1,linear").content)
    assert set(np.unique(narrow)) <= {0, 255}
    exact = pixels(answer("window=1000,500,linear-exact").content)
    smooth = pixels(answer("window=1000,500,sigmoid").content)
    assert not np.array_equal(exact, smooth)
    bad, good = (len(answer(f"quality={q}", "image/jpeg").content) for q in (5, 100))
    assert bad * 4 < good
    # Names are burnt in only where that is asked for, each kind in its own corner.
    plain, patient, technique = (
        pixels(answer(f"window=1000,9000,linear{more}").content)
        for more in ("", "&annotation=patient", "&annotation=technique")
    )
    assert (plain != patient)[:64].any()
    assert not (plain != patient)[100:].any()
    assert (plain != technique)[64:].any()
    both = [
        answer(f"annotation={words}").content
        for words in ("patient,technique", "patient , technique")
    ]
    assert both[0] == both[1]
    warned = answer("iccprofile=srgb")
    assert warned.status_code == 200
    assert warned["Warning"].startswith("299 ")
    assert "Warning" not in answer("iccprofile=no")


def test_pictures_in_every_type_and_the_best_that_is_wanted(pacs: Client, ct: str) -> None:
    for accept, kind in (
        ("*/*", "image/jpeg"),
        ("image/*", "image/jpeg"),
        ("image/png;q=0.5, image/gif", "image/gif"),
        ("text/html, image/png", "image/png"),
        ("image/webp, */*;q=0.1", "image/jpeg"),
        ("image/jpeg;q=0, image/*", "image/png"),
        ("*/*;q=0.5, image/jpeg;q=0, image/png;q=0", "image/gif"),
        ("image/jpeg;q=0.1, image/*", "image/png"),
        ("image/*;q=0.9, image/jpeg;q=0.1, image/png;q=0.2", "image/gif"),
        ("image/jpeg;q=0.9, image/*;q=0.1", "image/jpeg"),
        ("image/*;q=0.1, */*", "image/jpeg"),
    ):
        response = get(pacs, f"{ct}/rendered", accept)
        assert response["Content-Type"] == kind, accept
        assert (
            np.abs(
                pixels(response.content) - pixels(get(pacs, f"{ct}/rendered", PNG).content)
            ).mean()
            < 4
        )
    assert get(pacs, f"{ct}/rendered?accept=image/gif", "image/png")["Content-Type"] == "image/gif"
    assert get(pacs, f"{ct}/rendered?accept=image/jp2", PNG)["Content-Type"] == "image/png"
    none = ("image/jp2", "video/mp4", "application/dicom", "image/png;q=0", "image/*;q=0, */*")
    for accept in none:
        assert get(pacs, f"{ct}/rendered", accept).status_code == 406, accept
    ((kind, body),) = parts(get(pacs, f"{ct}/rendered", JPEGS))
    assert (kind, body[:2]) == ("image/jpeg", b"\xff\xd8")
    small = get(pacs, f"{ct}/thumbnail?viewport=40,30", PNG)
    assert pixels(small.content).shape == (30, 30)
    assert get(pacs, f"{ct}/thumbnail?viewport=x").status_code == 400


def test_a_series_and_a_study_leave_as_a_picture_of_each_image(
    region: Region, pacs: Client, real_data: Path
) -> None:
    study = stored_study(region, real_data / "studies/ct_liver_seg")
    url = f"/dicomweb/studies/{study.study_uid}"
    found = parts(get(pacs, f"{url}/rendered?viewport=50,50", JPEGS))
    assert len(found) == Instance.objects.filter(frames__gt=0).count() >= 4
    assert all(pixels(body).shape[0] <= 50 for _, body in found)
    series = Instance.objects.filter(frames=1).select_related("series").first().series
    (first, *_) = parts(get(pacs, f"{url}/series/{series.series_uid}/rendered", JPEGS))
    assert first[0] == "image/jpeg"
    assert get(pacs, f"{url}/rendered", "image/jpeg").status_code == 406
    for place in (url, f"{url}/series/{series.series_uid}"):
        assert pixels(get(pacs, f"{place}/thumbnail?viewport=40,40", PNG).content).shape[0] == 40
    absent = get(pacs, f"{url}/series/1.2.3/thumbnail?viewport=40,40", PNG)
    assert absent.status_code == 404


def test_of_several_frames_a_list_a_film_or_the_one_that_stands_for_them(
    region: Region, pacs: Client, real_data: Path
) -> None:
    send(region, real_data / "single/pydicom_emri_small.dcm")
    url = path_of(Instance.objects.get())
    found = parts(get(pacs, f"{url}/frames/3,1/rendered", 'multipart/related; type="image/png"'))
    alone = [get(pacs, f"{url}/frames/{n}/rendered", PNG).content for n in (3, 1)]
    assert [body for _, body in found] == alone
    assert get(pacs, f"{url}/frames/3,1/rendered", PNG).status_code == 406
    film = get(pacs, f"{url}/rendered?viewport=32,32", "image/gif")
    with Image.open(BytesIO(film.content)) as opened:
        assert (opened.n_frames, opened.size) == (10, (32, 32))
    assert get(pacs, f"{url}/rendered", PNG).content == alone[1]
    assert get(pacs, f"{url}/frames/3,11/rendered", "*/*").status_code == 404


def test_a_thumbnail_of_several_frames_is_that_of_the_middle_one(
    region: Region, pacs: Client, real_data: Path
) -> None:
    send(region, real_data / "single/pydicom_emri_small.dcm")
    url = path_of(Instance.objects.get())
    small = get(pacs, f"{url}/frames/9,3,5/thumbnail", PNG)
    assert small.content == get(pacs, f"{url}/frames/3/thumbnail", PNG).content
    assert small.content != get(pacs, f"{url}/frames/9/thumbnail", PNG).content
    assert get(pacs, f"{url}/frames/9,3/thumbnail", "image/jpeg")["Content-Type"] == "image/jpeg"
    for wrong, status in (("1,11", 404), ("11,1", 404), ("1,0", 400), ("1,", 400)):
        assert get(pacs, f"{url}/frames/{wrong}/thumbnail", PNG).status_code == status, wrong


def test_a_document_leaves_as_the_pdf_it_holds(
    region: Region, pacs: Client, real_data: Path
) -> None:
    send(region, real_data / "single/orthanc_sample-pdf.dcm")
    url = path_of(Instance.objects.get())
    response = get(pacs, f"{url}/rendered", "application/pdf")
    assert response["Content-Type"] == "application/pdf"
    assert response["Content-Disposition"].startswith("attachment")
    assert response.content[:5] == b"%PDF-"
    assert get(pacs, f"{url}/rendered", "*/*").content == response.content
    assert parts(get(pacs, f"{url}/rendered", PDFS)) == [("application/pdf", response.content)]
    for refused in (PNG, "application/pdf;q=0, */*", "application/pdf;q=0"):
        assert get(pacs, f"{url}/rendered", refused).status_code == 406, refused
    assert get(pacs, f"{url}/frames/1/rendered", "*/*").status_code == 404


def document(real_data: Path, number: int) -> bytes:
    """A PDF in the study of `ct`, in a series of its own."""
    made = pydicom.dcmread(real_data / "single/orthanc_sample-pdf.dcm")
    made.StudyInstanceUID = pydicom.dcmread(real_data / CT, stop_before_pixels=True)[
        0x0020000D
    ].value
    made.PatientID, made.PatientName, made.SeriesInstanceUID = (
        "1CT1",
        "CompressedSamples^CT1",
        "2.25.7",
    )
    made.SOPInstanceUID = made.file_meta.MediaStorageSOPInstanceUID = f"2.25.{number}"
    made.SeriesNumber = 9
    made.EncapsulatedDocument = b"%PDF-" + bytes([48 + number]) * 3
    raw = BytesIO()
    made.save_as(raw)
    return raw.getvalue()


def pdf_parts(response: Any) -> list[str]:
    """The parts of an answer, in words."""
    return [body.decode() if kind == PDF else kind for kind, body in parts(response)]


def test_a_study_leaves_with_the_documents_that_are_in_it(
    pacs: Client, ct: str, real_data: Path
) -> None:
    study, both = ct.partition("/series/")[0], f'{JPEGS}, multipart/related; type="{PDF}"'

    def answer(accept: str, of: str = study) -> Any:
        return get(pacs, f"{of}/rendered", accept)

    assert answer(PDFS).status_code == answer(PDF).status_code == 406
    pacs.post("/dicomweb/studies", multipart(document(real_data, 1)), content_type=content_type())
    alone = answer(PDF)
    assert (alone["Content-Type"], alone.content) == (PDF, b"%PDF-111")
    assert pdf_parts(answer("*/*")) == pdf_parts(answer(both)) == ["image/jpeg", "%PDF-111"]
    assert answer("*/*")["Content-Type"].startswith('multipart/related; type="image/jpeg"')
    assert pdf_parts(answer(JPEGS)) == ["image/jpeg"]
    series = f"{study}/series/2.25.7"
    assert answer("*/*", series).content == answer("text/html, */*;q=0.8", series).content
    assert answer("*/*", series).content == alone.content
    for refused in (JPEGS, "image/jpeg", "application/pdf;q=0, image/*"):
        assert answer(refused, series).status_code == 406, refused
    pacs.post("/dicomweb/studies", multipart(document(real_data, 2)), content_type=content_type())
    two = ["%PDF-111", "%PDF-222"]
    assert pdf_parts(answer(PDFS)) == pdf_parts(answer("*/*", series)) == two
    assert answer(PDFS)["Content-Type"].startswith(f'multipart/related; type="{PDF}"')
    assert answer(PDF).status_code == 406  # several are no single part
    assert answer(PDF, f"{study}/series/2.25.8").status_code == 404
    assert answer("*/*")["ETag"] != answer(JPEGS)["ETag"]


def test_plain_pixels_need_no_decoder(
    pacs: Client, ct: str, region: Region, real_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """... and compressed ones never meet one in the server's own process."""
    asked = []

    def child(*given: Any) -> bytes:
        asked.append(given)
        return b"picture"

    monkeypatch.setattr(rendering, "render_in_child", child)
    assert get(pacs, f"{ct}/rendered").content != b"picture"
    assert not asked
    send(region, real_data / "single/pydicom_MR_small_RLE.dcm")
    url = path_of(Instance.objects.latest("pk"))
    assert content(get(pacs, f"{url}/rendered")) == b"picture"
    assert len(asked) == 1
