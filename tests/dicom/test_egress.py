"""What leaves: the stored bytes without a live preamble, or a plain copy that says the same."""

from io import BytesIO

import pydicom
import pytest

from sharing.dicom.egress import as_explicit_le, part10, safe_preamble
from sharing.dicom.errors import CannotRender
from sharing.dicom.json_model import dicom_json
from sharing.dicom.scan import EXPLICIT_LE, plain, scan

from . import corpus
from .corpus import Row, chosen, content, dataset, is_sample, reader

CHANGED = {"7FE00010", "00280004", "00280006", "7FE00001", "7FE00002"}


def _out(data: bytes) -> bytes:
    return b"".join(part10(scan(data, size=len(data)), reader(data), size=len(data)))


def _explicit(data: bytes) -> bytes:
    whole = plain(BytesIO(data), size=len(data)).read()
    return b"".join(as_explicit_le(scan(data, size=len(data)), reader(whole)))


@pytest.mark.parametrize("row", chosen(is_sample))
def test_a_stored_file_leaves_as_it_is_but_for_preamble_and_wrong_header(row: Row) -> None:
    data = content(row)
    found, out = scan(data, size=len(data)), _out(data)
    again = scan(out, size=len(out))
    assert out[:132] == bytes(128) + b"DICM"
    assert again.meta_sop_uid in ("", again.sop_instance_uid)
    assert out.endswith(data[found.data_offset :])
    assert dicom_json(again, bulk_uri="") == dicom_json(found, bulk_uri="")


def test_an_executable_preamble_never_leaves() -> None:
    data = b"MZ" + corpus.part10(dataset())[2:]
    assert "executable_preamble" in scan(data, size=len(data)).warnings
    assert b"MZ" not in _out(data)[:132]
    assert safe_preamble(data[:132]) == bytes(128) + b"DICM"


@pytest.mark.parametrize("start", [b"", bytes(132), b"MZ" * 66])
def test_only_the_start_of_a_part_10_file_has_a_safe_preamble(start: bytes) -> None:
    with pytest.raises(ValueError, match="Part 10"):
        safe_preamble(start)


@pytest.mark.parametrize("row", chosen(is_sample))
def test_an_explicit_copy_says_the_same(row: Row) -> None:
    data = content(row)
    try:
        out = _explicit(data)
    except CannotRender:
        assert row["decodable_gdcm"].startswith("no")
        return
    before, after = scan(data, size=len(data)), scan(out, size=len(out))
    assert after.transfer_syntax == EXPLICIT_LE
    one, two = (dicom_json(found, bulk_uri="") for found in (before, after))
    encapsulated = before.pixel is not None and before.pixel.encapsulated
    for tag in set(one) | set(two):
        if not (encapsulated and tag in CHANGED):
            assert one.get(tag) == two.get(tag)


@pytest.mark.filterwarnings("ignore::UserWarning:pydicom")
@pytest.mark.parametrize("row", chosen(lambda r: is_sample(r) and r["kind"] == "single"))
def test_pydicom_reads_the_pixels_of_an_explicit_copy(row: Row) -> None:
    data = content(row)
    found = scan(data, size=len(data))
    if found.pixel is None or row["decodable_gdcm"].startswith("no"):
        return
    whole = pydicom.dcmread(BytesIO(_explicit(data)))
    assert whole.pixel_array.size >= found.facts.rows * found.facts.columns


def test_a_file_without_header_leaves_with_one() -> None:
    whole = corpus.part10(dataset())
    bare = whole[scan(whole, size=len(whole)).data_offset :]
    again = scan(_out(bare), size=len(_out(bare)))
    assert again.preamble == bytes(128)
    assert again.meta_sop_uid == "1.2.3"
