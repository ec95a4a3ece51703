"""QIDO-RS below a named study: keys without a column, by the stored data sets (PS3.4 C.2.2.2)."""

from typing import Any

import orjson
import pytest
from django.test import Client

from sharing.dicomweb.accept import JSON


def _element(vr: str, *values: Any) -> dict[str, Any]:
    return {"vr": vr, "Value": list(values)}


def _referring(*pairs: tuple[str, str]) -> dict[str, Any]:
    items = [{"00081150": _element("UI", a), "00081155": _element("UI", b)} for a, b in pairs]
    return _element("SQ", *items)


@pytest.fixture
def two(pacs: Client) -> str:
    """Two instances of one study, as they are described; the address of the study."""
    common = {
        "00080016": _element("UI", "1.2.840.10008.5.1.4.1.1.88.11"),
        "00080060": _element("CS", "SR"),
        "00100020": _element("LO", "RV-1"),
        "0020000D": _element("UI", "2.25.2"),
        "0020000E": _element("UI", "2.25.3"),
    }
    described = [
        {
            "00080008": _element("CS", "ORIGINAL", "PRIMARY"),
            "00080018": _element("UI", "2.25.11"),
            "00080023": _element("DA", "20260105"),
            "00080033": _element("TM", "0930"),
            "00189073": _element("FD", 4.0),
            "0008002A": _element("DT", "202601051030"),
            "00090010": _element("LO", "ACME"),
            "00091001": _element("LO", "x"),
            "00081140": _referring(("1.2.1", "1.2.10"), ("1.2.2", "1.2.20")),
        },
        {
            "00080008": _element("CS", "DERIVED", "PRIMARY"),
            "00080018": _element("UI", "2.25.12"),
            "00080023": _element("DA", "2026.01.07"),
            "00080033": _element("TM", "12:00:00.5"),
            "0008002A": _element("DT", "20260107093000.25+0200"),
        },
    ]
    made = [dict(sorted((common | one).items())) for one in described]
    response = pacs.post("/dicomweb/studies", orjson.dumps(made), content_type=JSON)
    assert response.status_code == 200
    return "/dicomweb/studies/2.25.2"


ATTRIBUTES: list[tuple[str, int]] = [
    ("ImageType=ORIGINAL,DERIVED", 2),
    (r"ImageType=NONE\ORIGINAL", 1),
    ("ImageType=DERIVED&ImageType=NONE", 1),
    ("ImageType=ORIG*,NONE", 1),
    ("ImageType=NONE, ORIGINAL", 1),
    ("SOPInstanceUID=2.25.11, 2.25.12", 2),
    ("Modality=CT , SR", 2),
    ("ContentDate=20260105,20260107", 2),
    ("ContentDate=20260106-", 1),
    ("ContentDate=20260107", 1),
    ("ContentTime=1200", 1),
    ("ContentTime=0930-1300", 2),
    # a date and its time as one range, where both are ranges (PS3.4 C.2.2.2.5)
    ("ContentDate=20260105-20260107&ContentTime=1000-1100", 0),
    ("ContentDate=20260105-20260107&ContentTime=1000-1300", 1),
    ("ContentDate=20260105-20260108&ContentTime=1000-0100", 1),
    ("ContentDate=20260105-20260107&ContentTime=0930-1200", 2),
    ("ContentDate=20260104-20260106&ContentTime=2300-0100", 1),
    ("ContentDate=20260105-&ContentTime=1000-", 1),
    ("ContentDate=-20260107&ContentTime=-1159", 1),
    ("ContentDate=20260107&ContentTime=1000-1100", 0),
    # ... but a list is none, and a time needs a date at its own end
    ("ContentDate=20260101-20260105,20260107&ContentTime=1000-1300", 1),
    ("ContentDate=20260105-&ContentTime=-1000", 1),
    ("ContentDate=-20260107&ContentTime=1000-", 1),
    ("AcquisitionDate=20260101-&AcquisitionTime=1000-", 0),
    # date and time in one (PS3.5 6.2, PS3.4 C.2.2.2.5.3)
    ("AcquisitionDateTime=20260105", 1),
    ("AcquisitionDateTime=2026", 2),
    ("AcquisitionDateTime=20260105-20260107", 2),
    ("AcquisitionDateTime=-202601051029", 0),
    ("AcquisitionDateTime=-202601051030", 1),
    ("AcquisitionDateTime=20260107093000.5-", 0),
    ("AcquisitionDateTime=20260107073000.25%2B0000", 1),
    ("AcquisitionDateTime=20260107093000.25-0500", 0),
    # in one item of a sequence, not in two
    ("ReferencedImageSequence.00081150=1.2.1&ReferencedImageSequence.00081155=1.2.10", 1),
    ("ReferencedImageSequence.00081150=1.2.1&ReferencedImageSequence.00081155=1.2.20", 0),
    ("ReferencedImageSequence.00081150=*&00081140.00081155=1.2.20", 1),
    ('ReferencedImageSequence.00081155=""&emptyvaluematching=true', 1),
    ('ReferencedImageSequence=""&emptyvaluematching=true', 1),
    ("ReferencedImageSequence=*", 2),
    ("EncapsulatedDocument=", 2),
]


@pytest.mark.parametrize(("query", "found"), ATTRIBUTES)
def test_an_attribute_without_a_column_means_what_its_vr_says(
    pacs: Client, two: str, query: str, found: int
) -> None:
    answer = pacs.get(f"{two}/instances?{query}")
    assert len(answer.json()) == found
    assert "Warning" not in answer.headers


@pytest.mark.parametrize(
    "query",
    [
        "ReferencedImageSequence=*1.2.10*",
        "EncapsulatedDocument=x",
        'PixelData=""&emptyvaluematching=true',
        "ImageType.ImageType=ORIGINAL",  # below what is no sequence
        "PatientName.00080008=x",
    ],
)
def test_sequences_and_bytes_have_no_value_to_match_and_that_is_said(
    pacs: Client, two: str, query: str
) -> None:
    answer = pacs.get(f"{two}/instances?{query}")
    assert len(answer.json()) == 2
    assert "ignored" in answer.headers["Warning"]


def test_a_private_element_that_is_no_sequence_has_nothing_below_it(pacs: Client, two: str) -> None:
    answer = pacs.get(f"{two}/instances?00091001.00080008=x")
    assert (answer.status_code, answer.json()) == (200, [])


@pytest.mark.parametrize("number", ["x", "4_0", "1-2"])
def test_a_number_that_is_none_is_refused(pacs: Client, two: str, number: str) -> None:
    assert pacs.get(f"{two}/instances?AcquisitionDuration=4.0").status_code == 200
    assert pacs.get(f"{two}/instances?AcquisitionDuration={number}").status_code == 400


@pytest.mark.parametrize("moment", ["2026*", "-", "20261301", "2026010", "20260105.5"])
def test_a_date_and_time_that_is_none_is_refused(pacs: Client, two: str, moment: str) -> None:
    assert pacs.get(f"{two}/instances?AcquisitionDateTime={moment}").status_code == 400
