"""What leaves: the stored bytes without a live preamble, or a plain copy that says the same."""

from io import BytesIO

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import JPEGLSLossless, RLELossless

from sharing.dicom.egress import as_explicit_le, part10, safe_preamble
from sharing.dicom.elements import Element
from sharing.dicom.errors import CannotRender
from sharing.dicom.json_model import dicom_json
from sharing.dicom.recompress import as_syntax
from sharing.dicom.scan import EXPLICIT_LE, plain, scan

from . import corpus
from .corpus import Row, chosen, content, dataset, is_sample, reader

CHANGED = {"7FE00010", "00280004", "00280006", "7FE00001", "7FE00002"}

_RLE = b"\1\0\0\0\x40" + bytes(59) + b"\x0f" + bytes(range(16)) + b"\0"


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


def icons_of(elements: tuple[Element, ...]) -> set[str]:
    """The sequences, the standard one and private ones, whose pixels are compressed."""
    holds = ((e.tag, (child for item in e.items or () for child in item)) for e in elements)
    return {f"{tag:08X}" for tag, inside in holds if any(child.fragments for child in inside)}


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
    icons = icons_of(before.elements)
    assert icons.isdisjoint(two)
    for tag in set(one) - icons | set(two):
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


@pytest.mark.parametrize("syntax", [EXPLICIT_LE, JPEGLSLossless])
def test_a_compressed_icon_does_not_leave_as_if_its_code_stream_were_pixels(syntax: str) -> None:
    """Icon Image Sequence is optional, and its pixels are in the object's syntax (PS3.5 A.4)."""
    sealed, plain_icon = Dataset(), Dataset()
    sealed.PixelData, plain_icon.PixelData = encapsulate([b"\xff\xd8\xff\xd9"]), b"ab"
    sealed["PixelData"].VR, plain_icon["PixelData"].VR = "OB", "OB"
    sealed["PixelData"].is_undefined_length = True
    made = dataset(PixelData=encapsulate([_RLE]), IconImageSequence=Sequence([sealed]))
    made["PixelData"].is_undefined_length = True
    inside = Dataset()
    inside.ReferencedSOPInstanceUID, inside.IconImageSequence = "1.2.9", Sequence([plain_icon])
    made.ReferencedImageSequence = Sequence([inside])
    raw = corpus.part10(made, RLELossless)
    scanned = scan(raw, size=len(raw))
    if syntax == EXPLICIT_LE:
        out = b"".join(as_explicit_le(scanned, reader(raw)))
    else:
        out = b"".join(as_syntax(scanned, reader(raw), syntax))
    left = pydicom.dcmread(BytesIO(out))
    assert left.pixel_array.tolist() == np.arange(16).reshape(4, 4).tolist()
    assert "IconImageSequence" not in left
    assert left.ReferencedImageSequence[0].IconImageSequence[0].PixelData == b"ab"
