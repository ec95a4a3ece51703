"""STOW-RS: what a sender is told, and that nothing is said before it is true."""

import io
from pathlib import Path
from typing import Any

import pytest
from django.test import Client, RequestFactory
from pydicom.encaps import encapsulate
from pydicom.uid import RLELossless

from sharing.archive.models import Delivery, Instance, Study
from sharing.dicomweb.body import body
from sharing.dicomweb.parts import Parts
from sharing.tenants.models import Organization
from tests.archive.broken import BROKEN, answers_as_expected
from tests.archive.sending import dicom_files
from tests.cast import Region
from tests.dicom.corpus import dataset, part10
from tests.faces.dicomweb.conftest import BOUNDARY, Stow, content_type, multipart, token_client
from tests.sessions import sign_in

SMALL = "single/pydicom_CT_small.dcm"


def sequence(response: Any, tag: str) -> list[dict[str, Any]]:
    return response.json().get(tag, {}).get("Value", [])


def reasons(response: Any) -> list[int]:
    failed = sequence(response, "00081198") + sequence(response, "0008119A")
    return [item["00081197"]["Value"][0] for item in failed]


def test_a_study_is_stored_and_named_in_the_answer(stow: Stow, real_data: Path) -> None:
    files = list(dicom_files(real_data / "studies/mr_epi_multiseries"))
    response = stow(*files)
    assert response.status_code == 200
    assert response["Content-Type"] == "application/dicom+json"
    assert len(sequence(response, "00081199")) == len(files) == Instance.objects.count()
    uid = Study.objects.get().study_uid
    url = f"http://testserver/dicomweb/o/riverside/studies/{uid}"
    assert response.json()["00081190"]["Value"] == [url]


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_by_stow_gets_the_expected_answer(
    region: Region, stow: Stow, real_data: Path, name: str
) -> None:
    if name == "m_duplicate_sop_b.dcm":
        stow(real_data / "broken/m_duplicate_sop_a.dcm")
    response = stow(real_data / "broken" / name)
    stored = response.status_code in (200, 202)
    assert stored == (len(sequence(response, "00081199")) == 1)
    if stored:
        assert answers_as_expected(real_data, name, 1)
    else:
        assert response.status_code == 409
        assert reasons(response)
        # A ZIP is no DICOM object: this door never opens one.
        assert name.endswith(".zip") or answers_as_expected(real_data, name, 0)


def test_what_leaves_corrected_is_accepted_with_a_warning(stow: Stow, real_data: Path) -> None:
    """Its file meta information names another object: the data set is believed (B000)."""
    response = stow(real_data / SMALL, real_data / "broken/m_meta_uid_mismatch.dcm")
    assert response.status_code == 202
    warnings = [item.get("00081196") for item in sequence(response, "00081199")]
    assert warnings == [None, {"vr": "US", "Value": [0xB000]}]
    assert not reasons(response)


def test_some_good_and_some_bad_is_202_with_both_named(stow: Stow, real_data: Path) -> None:
    response = stow(real_data / SMALL, real_data / "broken/m_html.dcm")
    assert response.status_code == 202
    assert len(sequence(response, "00081199")) == 1
    assert reasons(response) == [0xC000]


def _refused() -> dict[str, bytes]:
    """Files that are refused, and say which object they are."""
    whole = part10(dataset())
    only_a_table = dataset(PixelData=encapsulate([b"12"])[:12])
    only_a_table["PixelData"].is_undefined_length = True
    return {
        "empty pixels": part10(dataset(PixelData=b"")),
        "no fragment": part10(only_a_table, RLELossless),
        "cut off": whole[:-4],
        "no study": part10(dataset(StudyInstanceUID="")),
        "a study that is none": whole.replace(b"1.2.5\0", b"1.2.x\0"),
        "another's syntax": whole.replace(b"1.2.840.10008.1.2.1\0", b"1.3.6.1.4.1.9999.1\0\0"),
    }


@pytest.mark.parametrize("what", _refused())
def test_what_is_refused_is_named_where_it_says_which_object_it_is(pacs: Client, what: str) -> None:
    """Failed SOP Sequence, not Other Failures, which names nothing (PS3.18 table I.1-1)."""
    body = multipart(_refused()[what])
    response = pacs.post("/dicomweb/studies", body, content_type=content_type())
    assert response.status_code == 409
    (failed,) = sequence(response, "00081198")
    assert failed["00081155"]["Value"] == ["1.2.3"]
    assert failed["00081150"]["Value"] == ["1.2.840.10008.5.1.4.1.1.7"]
    assert not sequence(response, "0008119A")
    assert not Instance.objects.exists()


def test_what_says_no_object_is_another_failure(pacs: Client) -> None:
    whole = part10(dataset()).replace(b"1.2.3\0", b"\0" * 6)
    response = pacs.post("/dicomweb/studies", multipart(whole), content_type=content_type())
    assert (response.status_code, reasons(response)) == (409, [0xA900])
    assert not sequence(response, "00081198")


def test_the_same_again_is_success_and_other_bytes_are_a_conflict(
    stow: Stow, real_data: Path
) -> None:
    first, second = (real_data / f"broken/m_duplicate_sop_{letter}.dcm" for letter in "ab")
    assert [stow(first).status_code, stow(first).status_code] == [200, 200]
    response = stow(second)
    assert response.status_code == 409
    assert reasons(response) == [0x0111]
    assert Instance.objects.count() == 1


def test_another_study_than_the_url_names_is_refused(stow: Stow, real_data: Path) -> None:
    response = stow(real_data / SMALL, url="/dicomweb/studies/1.2.3")
    assert (response.status_code, reasons(response)) == (409, [0x0110])


def test_a_body_cut_short_keeps_nothing(pacs: Client, real_data: Path) -> None:
    whole = multipart((real_data / SMALL).read_bytes(), (real_data / SMALL).read_bytes())
    response = pacs.post("/dicomweb/studies", whole[:-60], content_type=content_type())
    assert response.status_code == 400
    assert not Instance.objects.exists()
    assert not Delivery.objects.exists()


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("application/json", 415),
        ('multipart/related; type="image/jpeg"; boundary=x', 415),
        ("multipart/form-data; boundary=x", 415),
        ('multipart/related; type="application/dicom"', 400),
        ('multipart/related; type="application/dicom"; boundary="x ', 415),
        (f'multipart/related; type="application/dicom"; boundary={71 * "x"}', 400),
        ('multipart/related; type="application/dicom"; boundary="x"', 400),  # no part
    ],
)
def test_other_content_types_are_told_so(pacs: Client, kind: str, status: int) -> None:
    response = pacs.post("/dicomweb/studies", b"--x--", content_type=kind)
    assert response.status_code == status


def test_a_single_object_needs_no_multipart(pacs: Client, real_data: Path) -> None:
    body = (real_data / SMALL).read_bytes()
    response = pacs.post("/dicomweb/studies", body, content_type="application/dicom")
    assert response.status_code == 200


def test_a_boundary_may_be_bare_or_quoted(pacs: Client, real_data: Path) -> None:
    one = (real_data / SMALL).read_bytes()
    for number, (bare, written) in enumerate([("abc'()+_", '"abc\'()+_"'), ("x.y=z", '"x.y=z"')]):
        response = pacs.post(
            "/dicomweb/studies",
            b"\r\n" + multipart(one, boundary=bare),
            content_type=content_type(written),
        )
        assert response.status_code == 200, number


def test_a_chunked_body_is_read_to_its_end(real_data: Path) -> None:
    raw = multipart(b"one", b"two" * 100_000)
    request = RequestFactory().generic("POST", "/dicomweb/studies", b"")
    request.environ.update({"wsgi.input": io.BytesIO(raw), "wsgi.input_terminated": True})
    request.environ.pop("CONTENT_LENGTH", None)
    parts = Parts(body(request, most=10**7), BOUNDARY.encode(), most=10)
    assert [b"".join(part.pieces) for part in parts] == [b"one", b"two" * 100_000]


def test_a_stranger_must_sign_in(real_data: Path, db: None) -> None:
    response = Client().post("/dicomweb/studies", b"", content_type=content_type())
    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Bearer")


def test_a_token_without_the_scope_may_not_store(
    region: Region, stow: Stow, real_data: Path
) -> None:
    reader = token_client(region.riverside, "dicomweb.read")
    assert stow(real_data / SMALL, client=reader).status_code == 403


def test_a_cookie_alone_stores_nothing(region: Region, stow: Stow, real_data: Path) -> None:
    """A page of somebody else's can send a cookie, but not the token beside it."""
    mei = sign_in(Client(enforce_csrf_checks=True), region.mei.user)
    assert stow(real_data / SMALL, client=mei).status_code == 403
    assert stow(real_data / SMALL, client=sign_in(Client(), region.mei.user)).status_code == 200


def test_a_physician_may_not_store(region: Region, stow: Stow, real_data: Path) -> None:
    ben = sign_in(Client(), region.ben.user)
    assert stow(real_data / SMALL, client=ben).status_code == 403


def test_nobody_stores_at_another_custodian(stow: Stow, real_data: Path) -> None:
    assert stow(real_data / SMALL, url="/dicomweb/o/lakeside/studies").status_code == 403
    assert stow(real_data / SMALL, url="/dicomweb/o/riverside/studies").status_code == 200


def test_what_a_suspended_hospital_sends_is_kept_and_appears_when_it_resumes(
    region: Region, stow: Stow, pacs: Client, real_data: Path
) -> None:
    """Nothing is lost, and until then nobody sees it, the sender included."""
    Organization.objects.filter(pk=region.riverside.pk).update(state="suspended")
    files = list(dicom_files(real_data / "studies/mr_epi_multiseries"))
    assert stow(*files).status_code == 200
    assert Instance.objects.count() == len(files)
    found = pacs.get("/dicomweb/o/riverside/studies")
    assert (found.status_code, found.content) in {(200, b"[]"), (204, b"")}
    Organization.objects.filter(pk=region.riverside.pk).update(state="active")
    assert len(pacs.get("/dicomweb/o/riverside/studies").json()) == 1
    Organization.objects.filter(pk=region.riverside.pk).update(state="offboarding")
    assert stow(*files).status_code == 403
