"""The Native DICOM Model: every value of the JSON model, and nothing that XML can't hold."""

from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import orjson
import pytest
from defusedxml.ElementTree import fromstring

from sharing.dicom.errors import BadDicom
from sharing.dicom.json_model import dicom_json
from sharing.dicom.scan import scan
from sharing.dicom.xml_model import NAMESPACE, to_xml

ONE = {
    "00080000": {"vr": "UL", "Value": [12]},
    "00080005": {"vr": "CS", "Value": ["ISO_IR 192"]},
    "00080008": {"vr": "CS", "Value": ["A", None, "<&>\"'"]},
    "00081030": {"vr": "LO"},
    "00090010": {"vr": "LO", "Value": ['ACME "1"\n']},
    "00091002": {"vr": "DS", "Value": [1.5, 2]},
    "00091101": {"vr": "UN", "InlineBinary": "AAE="},
    "00100010": {
        "vr": "PN",
        "Value": [{"Alphabetic": "A^B^^^E^F", "Ideographic": "\u838f^\u5e15"}, None],
    },
    "00104000": {"vr": "LT", "Value": ["one\r\n\ttwo\x1b\x00\ud800"]},
    "00400275": {"vr": "SQ", "Value": [{"00400007": {"vr": "LO", "Value": ["x"]}}, {}]},
    "60003000": {"vr": "OW", "BulkDataURI": "a/b?c&d"},
}


def attributes(raw: bytes) -> dict[str, Element]:
    root = fromstring(raw)
    assert root.tag == f"{{{NAMESPACE}}}NativeDicomModel"
    space = "{http://www.w3.org/XML/1998/namespace}space"
    assert root.attrib == {space: "preserve"}
    for element in root.iter():
        element.tag = element.tag.removeprefix(f"{{{NAMESPACE}}}")
    return {f"{e.get('privateCreator', '')}{e.get('tag')}": e for e in root}


def texts(element: Element) -> list[Any]:
    assert [v.get("number") for v in element] == [str(n + 1) for n in range(len(element))]
    return [v.text for v in element]


def test_every_kind_of_value_is_written() -> None:
    found = attributes(to_xml(ONE))
    assert list(found) == [
        "00080005", "00080008", "00081030", "00090010", 'ACME "1" 00090002', "00091101",
        "00100010", "00104000", "00400275", "60003000",
    ]  # fmt: skip
    assert texts(found["00080008"]) == ["A", None, "<&>\"'"]
    assert len(found["00081030"]) == 0
    assert texts(found['ACME "1" 00090002']) == ["1.5", "2"]
    assert found["00091101"].findtext("InlineBinary") == "AAE="
    assert texts(found["00104000"]) == ["one\r\n\ttwo\ufffd\ufffd\ufffd"]
    assert found["00400275"].findtext("Item[@number='1']/DicomAttribute/Value") == "x"
    assert found["60003000"].find("BulkData").attrib == {"uri": "a/b?c&d"}  # type: ignore[union-attr]
    assert [found[tag].get("keyword") for tag in ("00100010", "60003000", "00091101")] == [
        "PatientName", "OverlayData", None,
    ]  # fmt: skip


def test_a_name_is_taken_apart() -> None:
    first, second = attributes(to_xml(ONE))["00100010"]
    parts = {f"{group.tag}.{part.tag}": part.text for group in first for part in group}
    assert parts == {
        "Alphabetic.FamilyName": "A",
        "Alphabetic.GivenName": "B",
        "Alphabetic.NameSuffix": "E^F",
        "Ideographic.FamilyName": "\u838f",
        "Ideographic.GivenName": "\u5e15",
    }
    assert (len(second), second.get("number")) == (0, "2")


@pytest.mark.parametrize("folder", ["single", "broken"])
def test_every_readable_file_becomes_well_formed_xml(real_data: Path, folder: str) -> None:
    seen = 0
    for path in sorted((real_data / folder).iterdir()):
        raw = path.read_bytes()
        try:
            made = dicom_json(scan(raw, size=len(raw)), bulk_uri="bulk")
        except BadDicom:
            continue
        xml = to_xml(made)
        assert len(attributes(xml)) == len(made), path.name
        assert to_xml(orjson.dumps(made)) == xml, path.name
        seen += 1
    assert seen > 5
