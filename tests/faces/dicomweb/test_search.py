"""QIDO-RS: keys match as DICOM says, and nothing hidden can be inferred from an answer."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from sharing.archive.models import Study
from tests.cast import Region, make_patient, make_study
from tests.faces.dicomweb.conftest import stored_study, token_client
from tests.sessions import headers_of, sign_in


def uids(client: Client, query: str = "", url: str = "/dicomweb/studies") -> set[str]:
    response = client.get(f"{url}?{query}")
    assert response.status_code == 200, response.content
    return {item["0020000D"]["Value"][0] for item in response.json()}


@pytest.fixture
def three(region: Region) -> dict[str, Study]:
    """A CT of Pat's, an MR of Müller's, and a PET-CT of somebody known in characters."""
    muller = make_patient(region.riverside, "RV-2", name="Müller^Jörg")
    lin = make_patient(region.riverside, "XX-9", name="LIN^Xiaoyan=林^晓燕")
    return {
        "pat": region.study(study_date=date(2026, 1, 5), accession_number="A-1"),
        "muller": region.study(muller, study_date=date(2026, 3, 1), modalities="|MR|"),
        "lin": region.study(lin, study_date=None, modalities="|PT|CT|", description="Whole_body"),
    }


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "pat muller lin"),
        ("PatientID=RV-1", "pat"),
        ("PatientID=RV-*", "pat muller"),
        ("PatientID=RV-?", "pat muller"),
        ("PatientID=rv-1", ""),
        ("00100020=XX-9", "lin"),
        ("PatientName=muller", "muller"),
        ("PatientName=Muller^Jorg", "muller"),
        ("PatientName=MÜL*", "muller"),
        ("PatientName=*ler", "muller"),
        ("PatientName=mul", ""),
        ("PatientName=林*", "lin"),
        ("PatientName=晓燕", "lin"),
        ("PatientName=%25", ""),
        ("StudyDate=20260105", "pat"),
        ("StudyDate=20260101-20260201", "pat"),
        ("StudyDate=20260201-", "muller"),
        ("StudyDate=-20260201", "pat"),
        ("ModalitiesInStudy=CT", "pat lin"),
        ("ModalitiesInStudy=MR,PT", "muller lin"),
        ("ModalitiesInStudy=C", ""),
        ("AccessionNumber=A-1", "pat"),
        ("StudyDescription=Whole?body", "lin"),
        ("StudyDescription=W%25", ""),
        ("PatientName=muller&ModalitiesInStudy=CT", ""),
        ("PatientID=", "pat muller lin"),
        ("PatientID=*", "pat muller lin"),
        ("includefield=all&fuzzymatching=true", "pat muller lin"),
    ],
)
def test_a_key_matches(three: dict[str, Study], pacs: Client, query: str, expected: str) -> None:
    assert uids(pacs, query) == {three[name].study_uid for name in expected.split()}


def test_a_list_of_study_uids(three: dict[str, Study], pacs: Client) -> None:
    wanted = {three["pat"].study_uid, three["lin"].study_uid}
    assert uids(pacs, f"StudyInstanceUID={','.join(wanted)}") == wanted
    twice = "&".join(f"StudyInstanceUID={uid}" for uid in wanted)
    assert uids(pacs, twice) == wanted


def test_paging_meets_every_study_once(three: dict[str, Study], pacs: Client) -> None:
    pages = [uids(pacs, f"limit=1&offset={start}") for start in range(4)]
    assert [len(page) for page in pages] == [1, 1, 1, 0]
    assert set().union(*pages) == {study.study_uid for study in three.values()}


@pytest.mark.parametrize("query", ["StudyDate=2026", "StudyDate=-", "limit=x", "limit=-1"])
def test_a_value_of_the_wrong_form_is_said_so(
    three: dict[str, Study], pacs: Client, query: str
) -> None:
    response = pacs.get(f"/dicomweb/studies?{query}")
    assert response.status_code == 400
    assert query.encode() not in response.content


def test_what_cannot_be_searched_for_is_left_out_and_said(
    three: dict[str, Study], pacs: Client
) -> None:
    response = pacs.get("/dicomweb/studies?InstitutionName=secret")
    assert len(response.json()) == 3
    assert response["Warning"].startswith("299 ")


def test_a_study_is_described(three: dict[str, Study], pacs: Client) -> None:
    (found,) = pacs.get("/dicomweb/studies?PatientID=XX-9").json()
    study = three["lin"]
    names = {"Alphabetic": "LIN^Xiaoyan", "Ideographic": "林^晓燕"}
    assert found["00100010"] == {"vr": "PN", "Value": [names]}
    assert found["00080061"]["Value"] == ["PT", "CT"]
    assert found["00080020"] == {"vr": "DA"}
    url = f"http://testserver/dicomweb/o/riverside/studies/{study.study_uid}"
    assert found["00081190"]["Value"] == [url]


def test_series_and_instances_below_and_across_studies(
    region: Region, pacs: Client, real_data: Path
) -> None:
    study = stored_study(region, real_data / "studies/ct_liver_seg")
    stored_study(region, real_data / "studies/mr_epi_multiseries")
    base = f"/dicomweb/studies/{study.study_uid}"
    series = pacs.get(f"{base}/series").json()
    assert len(series) == 3
    assert len(pacs.get("/dicomweb/series").json()) == 3 + 4
    assert len(pacs.get("/dicomweb/series?Modality=SEG").json()) == 2
    assert len(pacs.get(f"{base}/instances").json()) == 5
    assert len(pacs.get("/dicomweb/instances?limit=4").json()) == 4
    one = next(s for s in series if s["00080060"]["Value"] == ["CT"])
    uid = one["0020000E"]["Value"][0]
    instances = pacs.get(f"{base}/series/{uid}/instances").json()
    assert len(instances) == one["00201209"]["Value"][0] == 3
    assert {i["00280010"]["Value"][0] for i in instances} == {512}
    assert pacs.get(f"{base}/series?SeriesInstanceUID={uid}").json() == [one]
    number = instances[0]["00200013"]["Value"][0]
    assert len(pacs.get(f"{base}/series/{uid}/instances?InstanceNumber={number}").json()) == 1


def everything(client: Client, study: Study) -> list[tuple[int, bytes, dict[str, str]]]:
    """All answers of searching, without what differs by time."""
    places = [
        "studies", "series", "instances", "studies?limit=1&offset=1", "studies?PatientName=*",
        "studies?StudyDate=20000101-", f"studies/{study.study_uid}/series",
        f"studies/{study.study_uid}/instances", f"studies?StudyInstanceUID={study.study_uid}",
        "studies?includefield=all&fuzzymatching=true&ModalitiesInStudy=CT", "studies?limit=1",
        "studies?PatientName=moreau*&limit=1", "series?Modality=CT", "studies?PatientID=*1",
        f"series?SeriesInstanceUID={study.study_uid}.1",
        "studies?PatientName=mo&fuzzymatching=true",
        "studies?StudyDate=20260101-&ModalitiesInStudy=CT&limit=1", "studies?AccessionNumber=",
        'studies?AccessionNumber=""&emptyvaluematching=true', "studies?Nonsense=1",
        f"studies/{study.study_uid}/series?Manufacturer=x",
        "o/riverside/studies", "o/lakeside/series",
        "studies?accept=multipart/related;type=application/dicom%2Bxml",
    ]  # fmt: skip
    answers: list[Any] = [client.get(f"/dicomweb/{place}") for place in places]
    kept = [headers_of(answer) for answer in answers]
    return [(a.status_code, a.content, k) for a, k in zip(answers, kept, strict=True)]


def test_hidden_studies_change_no_byte_of_an_answer(region: Region) -> None:
    """The world with and without what Ben may not see is one world to him."""
    shown = region.study()
    region.permit(studies=frozenset({shown.study_uid}))
    ben = sign_in(Client(), region.ben.user)
    lake = make_patient(region.lakeside, "LK-1")
    before = everything(ben, shown)
    assert shown.study_uid.encode() in before[0][1]
    for number in range(5):
        region.study(study_date=date(2026, 2, 1 + number))
        make_study(lake)
    make_study(lake, study_uid=shown.study_uid)
    assert everything(ben, shown) == before


def test_own_organization_first_when_two_hold_the_same_uid(region: Region) -> None:
    mine, theirs = region.study(), make_patient(region.lakeside, "LK-1")
    make_study(theirs, study_uid=mine.study_uid, description="Other custodian's")
    for client, code in (
        (token_client(region.riverside), "riverside"),
        (token_client(region.lakeside), "lakeside"),
    ):
        found = client.get(f"/dicomweb/studies/{mine.study_uid}/series").json()
        assert [f"/o/{code}/" in s["00081190"]["Value"][0] for s in found] == [True]
        other = "lakeside" if code == "riverside" else "riverside"
        assert client.get(f"/dicomweb/o/{other}/studies").json() == []
