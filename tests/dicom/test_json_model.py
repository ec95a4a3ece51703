"""The JSON model against pydicom's, over the real data, and where we differ on purpose."""

import warnings
from io import BytesIO
from typing import Any

import orjson
import pydicom
import pytest

from sharing.dicom.json_model import bulk_range, dicom_json, pick
from sharing.dicom.scan import scan

from .corpus import Row, chosen, content, dataset, is_sample, part10

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom")


def _ours(data: bytes) -> dict[str, Any]:
    found = scan(data, size=len(data))
    made: dict[str, Any] = orjson.loads(orjson.dumps(dicom_json(found, bulk_uri="u")))
    return made


def _theirs(data: bytes) -> dict[str, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        whole = pydicom.dcmread(BytesIO(data), force=True)
        made: dict[str, Any] = whole.to_json_dict(1025, lambda _: "u", suppress_invalid_tags=True)
        return made


def _alike(level: dict[str, Any]) -> dict[str, Any]:
    """Without what may differ: charset, group lengths, padding, bulk, spellings of empty."""
    kept = {}
    for tag, element in level.items():
        if tag.endswith("0000") or tag in ("FFFCFFFC", "00080005", "7FE00010"):
            continue
        values = element.get("Value")
        if element["vr"] == "SQ":
            values = [_alike(item) for item in values or []]
        elif values is not None:
            values = [_same_empty(value) for value in values]
        if "BulkDataURI" in element or "InlineBinary" in element:
            values = "binary"
        kept[tag] = (element["vr"], values if values and any(values) else None)
    return kept


def _same_empty(value: Any) -> Any:
    if isinstance(value, dict):  # pydicom leaves the designation of GB2312 in names
        value = {group: name.replace("\x1b$)A", "") for group, name in value.items()}
    is_empty_name = isinstance(value, dict) and not "".join(value.values()).strip("^")
    return None if value == "" or is_empty_name else value


# pydicom drops elements whose value it cannot convert; we keep them.
DROPPED = {
    "single/fo_CR-ModalitySequenceLUT.dcm": "00080018",
    "single/pydicom_rtdose.dcm": "300C0002",
    "studies/dx_chest_pa/s01/0001.dcm": "00080050",
    "studies/mg_single_view/s01/0001.dcm": "07A11070",
}


@pytest.mark.parametrize("row", chosen(is_sample))
def test_our_json_equals_pydicoms(row: Row) -> None:
    data = content(row)
    ours, theirs = _alike(_ours(data)), _alike(_theirs(data))
    dropped = DROPPED.get(row["file"])
    if dropped:
        assert ours.pop(dropped)
        assert dropped not in theirs
    assert ours == theirs


@pytest.mark.parametrize("row", chosen(is_sample))
def test_tags_ascend_and_every_bulk_value_is_found_again(row: Row) -> None:
    data = content(row)
    found = scan(data, size=len(data))
    made = dicom_json(found, bulk_uri="u")
    assert list(made) == sorted(made)
    assert not any(tag.startswith("0002") for tag in made)
    for path in _bulk_paths(made):
        offset, length = bulk_range(found, path.removeprefix("u/"))
        assert length > 0
        assert offset > 0


def _bulk_paths(level: dict[str, Any]) -> list[str]:
    paths = [element["BulkDataURI"] for element in level.values() if "BulkDataURI" in element]
    for element in level.values():
        if element["vr"] == "SQ":
            paths += [path for item in element.get("Value", []) for path in _bulk_paths(item)]
    return paths


def test_text_is_utf8_and_says_so() -> None:
    made = dataset(SpecificCharacterSet="GB18030", PatientName="LIN^Xiaoyan=林^晓燕")
    json = _ours(part10(made))
    assert json["00080005"] == {"vr": "CS", "Value": ["ISO_IR 192"]}
    assert json["00100010"]["Value"] == [{"Alphabetic": "LIN^Xiaoyan", "Ideographic": "林^晓燕"}]


def test_numbers_are_numbers_and_what_is_none_stays_text() -> None:
    data = part10(dataset(InstanceNumber="7", SliceThickness="1.50", KVP=""))
    json = _ours(data)
    assert json["00200013"]["Value"] == [7]
    assert json["00180050"]["Value"] == [1.5]
    assert json["00180060"] == {"vr": "DS"}
    assert _ours(data.replace(b"7 ", b"7A"))["00200013"]["Value"] == ["7A"]


def test_what_is_not_finite_becomes_a_word_since_json_has_no_number_for_it() -> None:
    made = dataset()
    made.add_new(0x00189073, "FD", [float("nan"), 1.0, float("inf")])
    made.add_new(0x00089459, "FL", float("-inf"))
    found = _ours(part10(made))
    assert found["00189073"]["Value"] == ["NaN", 1.0, "Infinity"]
    assert found["00089459"]["Value"] == ["-Infinity"]


def test_small_binary_is_inline_and_little_endian() -> None:
    made = dataset()
    made.add_new(0x00091010, "OW", b"\x01\x02")
    made.add_new(0x00090010, "LO", "US")
    assert _ours(part10(made))["00091010"]["InlineBinary"] == "AQI="
    assert _ours(part10(made, "1.2.840.10008.1.2.2"))["00091010"]["InlineBinary"] == "AgE="


def test_pick_takes_keywords_and_tags() -> None:
    json = _ours(part10(dataset()))
    assert list(pick(json, ["PatientName", "00100020", "NoSuchThing"])) == ["00100010", "00100020"]


@pytest.mark.parametrize("path", ["", "00100010", "7FE00010/0", "7FE00010/0/7FE00010", "x", "-1"])
def test_a_wrong_bulk_path_is_a_key_error(path: str) -> None:
    data = part10(dataset())
    with pytest.raises(KeyError):
        bulk_range(scan(data, size=len(data)), path)
