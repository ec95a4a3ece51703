"""QIDO-RS by the letter of PS3.18 8.3.4 and 10.6: keys, switches, forms and warnings."""

import gzip
import json
import zlib
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pytest
from defusedxml import ElementTree
from django.test import Client

from sharing.archive.indexing import index_series, index_studies
from sharing.archive.models import Series, Study
from sharing.dicomweb.accept import takes_gzip
from tests.cast import Region, make_patient
from tests.faces.dicomweb.conftest import stored_study
from tests.faces.dicomweb.test_search import uids

BEGUN = "PerformedProcedureStepStart"
OF_STUDY = """00080020 00080030 00080050 00080056 00080061 00080090 00081190 00100010 00100020
    00100030 00100040 0020000D 00200010 00201206 00201208"""
OF_SERIES = "00080060 0008103E 00081190 0020000E 00200011 00201209"
OF_IMAGE = "00080016 00080018 00081190 00083002 00200013 00280010 00280011 00280100"
REQUESTED: dict[str, Any] = {
    "00080201": {"vr": "SH", "Value": ["+0100"]},
    "00400244": {"vr": "DA", "Value": ["20260105"]},
    "00400245": {"vr": "TM", "Value": ["1015"]},
    "00400275": {
        "vr": "SQ",
        "Value": [
            {
                "00400009": {"vr": "SH", "Value": ["STEP-1"]},
                "00401001": {"vr": "SH", "Value": ["PROC-1"]},
            },
            {
                "00400009": {"vr": "SH", "Value": ["STEP-3"]},
                "00401001": {"vr": "SH", "Value": ["PROC-3"]},
            },
        ],
    },
}


@pytest.fixture
def four(region: Region) -> dict[str, Study]:
    """Pat in the morning, Müller at noon, somebody known in characters, somebody unknown."""
    make = make_patient
    muller = make(
        region.riverside, "RV-2", name="Müller^Jörg", sex="M", birth_date=date(1940, 2, 9)
    )
    zeng = make(region.riverside, "XX-9", name="=曾^晓燕=", birth_date=None)
    nobody = make(region.riverside, "", name="Doe^J")
    made = {
        "pat": region.study(study_date=date(2026, 1, 5), study_time="0930",
                            accession_number="A-1", referring_physician="Ström^Åsa"),
        "muller": region.study(muller, study_date=date(2026, 1, 6), study_time="120000.5",
                               modalities="|MR|", study_id="7", accession_number="a-1"),
        "zeng": region.study(zeng, study_date=date(2026, 1, 7), study_time="",
                             modalities="|PT|CT|", description="Head, and neck"),
        "nobody": region.study(nobody, study_date=None, modalities="|US|", description=""),
    }  # fmt: skip
    index_studies(made.values())
    for series in Series.objects.filter(study=made["pat"]):
        index_series([(series.pk, zlib.compress(orjson.dumps(REQUESTED)))])
    return made


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        # time, and date and time as one (PS3.4 C.2.2.2.5)
        ("StudyTime=09", "pat"),
        ("StudyTime=0930", "pat"),
        ("StudyTime=1200", "muller"),
        ("StudyTime=-1000", "pat"),
        ("StudyTime=093000-120000", "pat muller"),
        ("StudyTime=120001-", ""),
        ("StudyDate=20260105-20260106&StudyTime=1000-1300", "muller"),
        ("StudyDate=20260105-20260106&StudyTime=0900-1100", "pat"),
        ("StudyDate=20260105-&StudyTime=1000-", "muller zeng"),
        ("StudyDate=-20260106&StudyTime=-0930", "pat"),
        ("StudyDate=20260106&StudyTime=1000-1300", "muller"),
        ("StudyDate=20260105-20260106,20260107&StudyTime=1000-1300", "muller"),
        ("StudyDate=20260105-&StudyTime=-1000", "pat"),
        ("StudyDate=-20260106&StudyTime=1000-", "muller"),
        # names
        ("PatientName=zeng*", "zeng"),
        ("PatientName=Ceng^Xiaoyan", "zeng"),
        ("PatientName=曾^晓燕", "zeng"),
        ("PatientName==曾*", "zeng"),
        ("PatientName=M%C3%BCl*", "muller"),
        ("PatientName=m?ller*", "muller"),
        ("PatientName=jorg muller", ""),
        ("PatientName=jorg mull&fuzzymatching=true", "muller"),
        ("PatientName=*jor*&fuzzymatching=true", "muller"),
        ("PatientName=*jor*&fuzzymatching=false", "muller"),
        ("ReferringPhysicianName=strom*", "pat"),
        ("ReferringPhysicianName=Ström^Åsa", "pat"),
        ("ReferringPhysicianName=str", ""),
        ("ReferringPhysicianName=asa str&fuzzymatching=true", "pat"),
        # case and wildcards of the rest
        ("AccessionNumber=A-*", "pat"),
        ("AccessionNumber=?-1", "pat muller"),
        ("AccessionNumber=[aA]-1", ""),
        ("StudyDescription=Head, and*", "zeng"),
        ("StudyID=7", "muller"),
        ("PatientSex=M", "muller"),
        ("PatientBirthDate=19400209", "muller"),
        ("PatientBirthDate=-19500101", "muller"),
        ("PatientBirthDate=19400209,19000101", "muller"),
        (r"PatientBirthDate=19400209\19000101&multiplevaluematching=true", "muller"),
        ("0010,0020=RV-1", "pat muller zeng nobody"),
        ("00080061=PT", "zeng"),
        ("0020000d=1.2.3", ""),
        ("IssuerOfPatientID=unidentified", ""),
        ("PatientID=*Doe*", ""),
        # empty and several values
        ('PatientID=""&emptyvaluematching=true', "nobody"),
        ('StudyDate=""&emptyvaluematching=true', "nobody"),
        ('StudyTime=""&emptyvaluematching=true', "zeng nobody"),
        ('PatientBirthDate=""&emptyvaluematching=true', "zeng"),
        ('ReferringPhysicianName=""&emptyvaluematching=true', "muller zeng nobody"),
        ('AccessionNumber=""&emptyvaluematching=true', "zeng nobody"),
        ('AccessionNumber=""', ""),
        (r"AccessionNumber=A-1\a-1&multiplevaluematching=true", "pat muller"),
        (r"AccessionNumber=A-1\a-1", ""),
        (r"PatientName=moreau^pat\zeng*&multiplevaluematching=true", "pat zeng"),
        ("StudyDate=20260105,20260107&multiplevaluematching=true", "pat zeng"),
        ("AccessionNumber=A-1&AccessionNumber=a-1&multiplevaluematching=true", "pat muller"),
        ("ModalitiesInStudy=MR&ModalitiesInStudy=US", "muller nobody"),
        ("ModalitiesInStudy=*T", "pat zeng"),
        ("&limit=10", "pat muller zeng nobody"),
    ],
)
def test_a_key_means_what_the_standard_says(
    four: dict[str, Study], pacs: Client, query: str, expected: str
) -> None:
    assert uids(pacs, query) == {four[name].study_uid for name in expected.split()}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", 4),
        ("Modality=CT", 1),
        ("Modality=CT,MR", 2),
        ("SeriesNumber=1", 4),
        (f"{BEGUN}Date=20260105", 1),
        (f"{BEGUN}Date=20260104-20260105&{BEGUN}Time=1000-1020", 1),
        (f"{BEGUN}Date=20260105-&{BEGUN}Time=1030-", 0),
        ("RequestAttributesSequence.ScheduledProcedureStepID=STEP-1", 1),
        ("00400275.00400009=STEP-*", 1),
        ("00400275.RequestedProcedureID=PROC-2", 0),
        ("RequestAttributesSequence.RequestedProcedureID=PROC-1&PatientName=moreau*", 1),
        # of one request, not of two (PS3.4 C.2.2.2.6)
        ("00400275.00400009=STEP-3&00400275.00401001=PROC-3", 1),
        ("00400275.00400009=STEP-1&00400275.00401001=PROC-3", 0),
        ("00400275.00400009=*&00400275.00401001=PROC-3", 1),
        ('00400275.00400009=STEP-1&00400275.00401001=""&emptyvaluematching=true', 0),
        ('SeriesInstanceUID=""&emptyvaluematching=true', 0),
        ("SeriesNumber=2147483647", 0),
        ("PatientID=RV-*", 2),
    ],
)  # fmt: skip
def test_series_across_studies(
    four: dict[str, Study], pacs: Client, query: str, found: int
) -> None:
    assert len(pacs.get(f"/dicomweb/series?{query}").json()) == found


@pytest.mark.parametrize(
    "query",
    [
        "StudyDate=2026010", "StudyDate=20261301", "StudyDate=-", "StudyTime=25", "StudyTime=9:30",
        "StudyInstanceUID=abc", "StudyInstanceUID=1.2.*", "limit=-1", "offset=x", "limit=",
        "fuzzymatching=yes", "emptyvaluematching=1", "AccessionNumber=a&AccessionNumber=b",
        "PatientBirthDate=1940", "StudyTime=1%D9%A2",
        "StudyDate=,", "StudyTime=,", "ModalitiesInStudy=%20,", "StudyInstanceUID=,",
    ],
)  # fmt: skip
def test_a_bad_value_is_refused_and_not_repeated(
    four: dict[str, Study], pacs: Client, query: str
) -> None:
    response = pacs.get(f"/dicomweb/studies?{query}")
    assert response.status_code == 400
    assert query.encode() not in response.content


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("studies?limit=2", "additional results"),
        ("studies?limit=4", ""),
        ("studies?offset=3&limit=1", ""),
        ("studies?Modality=CT", "ignored"),
        ("studies?Nonsense=1", "ignored"),
        ("studies?InstitutionName=x&limit=1", "ignored"),
        ("series?SOPInstanceUID=1.2", "ignored"),
        ("studies?includefield=PatientID,Nonsense", "ignored"),
        ("studies?includefield=PatientID,all&charset=utf-8", ""),
    ],
)
def test_what_remains_and_what_was_ignored_is_said(
    four: dict[str, Study], pacs: Client, url: str, words: str
) -> None:
    warning = pacs.get(f"/dicomweb/{url}").headers.get("Warning", "")
    assert warning.startswith('299 portal "') if words else not warning
    assert words in warning
    if url.endswith("x&limit=1"):
        assert warning.count("299 ") == 2


def test_the_attributes_of_each_level_are_there(
    four: dict[str, Study], pacs: Client, region: Region, real_data: Path
) -> None:
    """PS3.18 tables 10.6.3-3 to 10.6.3-5; those of the levels above where they aren't named."""
    study = stored_study(region, real_data / "studies/ct_liver_seg")
    base = f"/dicomweb/studies/{study.study_uid}"
    of_study, of_series, of_image = (set(w.split()) for w in (OF_STUDY, OF_SERIES, OF_IMAGE))

    def first(url: str) -> dict[str, Any]:
        found = pacs.get(url).json()
        assert all(list(one) == sorted(one) for one in found)
        return next(one for one in found if one.get("00080060", {}).get("Value") != ["SEG"])

    series = first(f"{base}/series")
    place = f"{base}/series/{series['0020000E']['Value'][0]}/instances"
    assert of_study <= set(first("/dicomweb/studies"))
    assert of_series <= set(series)
    assert "00100010" not in series
    assert of_series | of_study <= set(first(f"/dicomweb/series?StudyID={study.study_id}"))
    image = first(place)
    assert of_image <= set(image)
    assert "00080060" not in image
    assert of_series | of_image <= set(first(f"{base}/instances"))
    everything = first(f"/dicomweb/instances?SOPInstanceUID={image['00080018']['Value'][0]}")
    assert of_study | of_series | of_image <= set(everything)
    assert everything["00081190"] == image["00081190"]
    url = image["00081190"]["Value"][0]
    assert pacs.get(url.removeprefix("http://testserver")).status_code == 200


def test_a_series_tells_what_it_was_requested_as(four: dict[str, Study], pacs: Client) -> None:
    (series,) = pacs.get(f"/dicomweb/studies/{four['pat'].study_uid}/series").json()
    assert {tag: series[tag] for tag in REQUESTED} == REQUESTED


def test_more_attributes_are_included_from_what_is_stored(
    pacs: Client, region: Region, real_data: Path
) -> None:
    study = stored_study(region, real_data / "studies/ct_liver_seg")
    base = f"/dicomweb/studies/{study.study_uid}"

    def tags(url: str) -> set[str]:
        return {tag for one in pacs.get(url).json() for tag in one}

    usual = tags(f"{base}/instances")
    assert "00080070" not in usual
    for field in (
        *("Manufacturer", "00080070", "Rows,Manufacturer", "Rows, Manufacturer"),
        "x&includefield=Manufacturer",
    ):
        assert tags(f"{base}/instances?includefield={field}") == usual | {"00080070"}
    everything = tags(f"{base}/instances?includefield=all")
    assert {"00080070", "00280030", "7FE00010"} <= everything
    text = pacs.get(f"{base}/instances?includefield=all&Modality=CT").content
    assert b'"BulkDataURI":"http://testserver/dicomweb/o/riverside/studies/' in text
    assert "00080070" in tags(f"{base}/series?includefield=all")
    assert "00280030" not in tags(f"{base}/series?includefield=all")
    assert "00080070" not in tags("/dicomweb/studies?includefield=all")


def test_attributes_without_a_column_are_matched_below_a_named_study(
    pacs: Client, region: Region, real_data: Path
) -> None:
    study = stored_study(region, real_data / "studies/ct_liver_seg")
    base = f"/dicomweb/studies/{study.study_uid}"
    slices = pacs.get(f"{base}/instances?Modality=CT&includefield=SliceLocation,ImageType").json()
    assert len(slices) == 3
    maker = pacs.get(f"{base}/instances?includefield=Manufacturer").json()
    made_by = [one["00080070"].get("Value", [""])[0] for one in maker]
    one = made_by[0]
    found = pacs.get(f"{base}/instances", {"Manufacturer": one})
    assert len(found.json()) == made_by.count(one)
    assert "Warning" not in found.headers
    assert all(item["00080070"]["Value"] == [one] for item in found.json())
    assert pacs.get(f"{base}/instances", {"Manufacturer": "no such"}).json() == []
    assert len(pacs.get(f"{base}/instances", {"Manufacturer": "*", "limit": 2}).json()) == 2


ACCEPTED: list[tuple[str, str, str]] = [
    ("", "", "json"),
    ("*/*", "", "json"),
    ("application/json", "", "json"),
    ("application/dicom+json;q=0.5, text/html", "", "json"),
    ('multipart/related; type="application/dicom+xml"', "", "xml"),
    ("multipart/related; type=application/dicom+xml, application/dicom+json;q=0.9", "", "xml"),
    ("multipart/related; type=application/dicom+xml;q=0.1, application/dicom+json", "", "json"),
    ("text/html", "application/dicom%2Bjson", "json"),
    ("text/html", "", "406"),
    ("application/dicom+xml", "", "406"),
    ("application/dicom+json;q=0", "", "406"),
    ("image/jpeg, multipart/related; type=application/dicom", "", "406"),
    ("multipart/related", "", "xml"),
    ("multipart/related; type=application/dicom+json", "", "406"),
    ("application/dicom+json;q=0, */*", "", "xml"),
    # the parameter with a bare plus, and the header where the parameter names nothing of ours
    ("", "application/dicom+json", "json"),
    ("*/*", "multipart/related;type=application/dicom+xml;q=0.5,text/html", "xml"),
    ("application/dicom+json", "image/png", "json"),
    ("", "image/png", "406"),
    ("text/html", "image/png", "406"),
]


@pytest.mark.parametrize(("header", "parameter", "form"), ACCEPTED)
def test_the_answer_comes_in_a_form_that_is_accepted(
    four: dict[str, Study], pacs: Client, header: str, parameter: str, form: str
) -> None:
    query = f"?accept={parameter}" if parameter else ""
    given = {"Accept": header} if header else {}
    response = pacs.get(f"/dicomweb/studies{query}", headers=given)
    if form == "406":
        assert response.status_code == 406
    elif form == "json":
        assert response["Content-Type"] == "application/dicom+json"
        assert len(response.json()) == 4
    else:
        _is_xml(response, pacs)


def _is_xml(response: Any, pacs: Client) -> None:
    assert response["Content-Type"].startswith('multipart/related; type="application/dicom+xml"')
    boundary = response["Content-Type"].rpartition("boundary=")[2].encode()
    _, *parts, end = response.content.split(b"--" + boundary)
    assert end == b"--\r\n"
    assert len(parts) == len(pacs.get("/dicomweb/studies").json()) == 4
    for part in parts:
        head, _, body = part.partition(b"\r\n\r\n")
        assert b"Content-Type: application/dicom+xml" in head
        assert ElementTree.fromstring(body).tag.endswith("NativeDicomModel")


def test_gzip_is_taken_as_the_header_says_of_it_or_of_all() -> None:
    """Searches and metadata ask the same function."""
    yes = ("gzip", "br, gzip;q=0.5", "X-GZIP ; q = 1", "*", "br;q=0, *;q=0.1", "gzip, *;q=0")
    no = ("", "br", "gzip;q=0", "gzip;q=0.000, *", "*;q=0", "gzipped", "gzip;q=2")
    assert [takes_gzip(header) for header in (*yes, *no)] == [True] * len(yes) + [False] * len(no)


@pytest.mark.parametrize(("encoding", "small"), [("br, gzip;q=0.5", True), ("gzip;q=0", False)])
def test_an_answer_is_gzipped_where_that_is_accepted(
    four: dict[str, Study], pacs: Client, encoding: str, small: bool
) -> None:
    plain = pacs.get("/dicomweb/studies").content
    response = pacs.get("/dicomweb/studies", headers={"Accept-Encoding": encoding})
    assert "Accept-Encoding" in response["Vary"]
    assert (response.headers.get("Content-Encoding") == "gzip") == small
    content = gzip.decompress(response.content) if small else response.content
    assert content == plain
    assert json.loads(content)


@pytest.fixture
def answers(pacs: Client) -> Callable[[str], list[str]]:
    """The studies of a page, in their order."""
    return lambda url: [one["0020000D"]["Value"][0] for one in pacs.get(url).json()]


@pytest.mark.parametrize("query", ["", "PatientName=*", "PatientName=m*", "StudyDate=20260101-"])
def test_pages_of_any_size_join_to_the_whole(
    four: dict[str, Study], answers: Callable[[str], list[str]], query: str
) -> None:
    whole = answers(f"/dicomweb/studies?{query}")
    for size in (1, 2, 3):
        url = f"/dicomweb/studies?{query}&limit={size}"
        pages = [answers(f"{url}&offset={start}") for start in range(0, 6, size)]
        assert [uid for page in pages for uid in page] == whole
