"""Copies that name nobody: nothing of what names the patient is left in any byte of them."""

import io
import struct
from collections.abc import Iterable, Iterator
from datetime import date
from functools import cache

import numpy as np
import pydicom
import pytest
from pydicom.datadict import DicomDictionary
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate

from sharing.dicom.child import CHILD
from sharing.dicom.egress import SAFE_START, head
from sharing.dicom.elements import LONG_VRS
from sharing.dicom.errors import MayName
from sharing.dicom.nameless import Aliases, nameless
from sharing.dicom.scan import scan
from tests.dciodvfy import iod_errors
from tests.dicom.corpus import FOLDER, reader

CT, SECONDARY, ULTRASOUND = (f"1.2.840.10008.5.1.4.1.1.{n}" for n in ("2", "7", "6.1"))
EXPLICIT, LOSSLESS = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.4.70"
MARK = b"KANARI"
UIDS = {"study": "1.2.276.0.77.1", "series": "1.2.276.0.77.2", "object": "1.2.276.0.77.3"}
NUMBERS = frozenset({"US", "SS", "UL", "SL", "FL", "FD", "SV", "UV"})
HERE = Aliases(b"the key of one export", "Pat")
Rows = dict[int, tuple[str, bytes]]


def plain_ct(**more: bytes) -> Rows:
    """A CT image that a scanner made, of 2 x 2 pixels with 12 bits of 16."""
    return {
        0x00080008: ("CS", b"ORIGINAL\\PRIMARY\\AXIAL"),
        0x00080016: ("UI", CT.encode()),
        0x00080018: ("UI", UIDS["object"].encode()),
        0x00080060: ("CS", b"CT"),
        0x0020000D: ("UI", UIDS["study"].encode()),
        0x0020000E: ("UI", UIDS["series"].encode()),
        0x00280002: ("US", struct.pack("<H", 1)),
        0x00280004: ("CS", b"MONOCHROME2"),
        0x00280010: ("US", struct.pack("<H", 2)),
        0x00280011: ("US", struct.pack("<H", 2)),
        0x00280100: ("US", struct.pack("<H", 16)),
        0x00280101: ("US", struct.pack("<H", 12)),
        0x00280102: ("US", struct.pack("<H", 11)),
        0x00280103: ("US", struct.pack("<H", 0)),
        0x7FE00010: ("OW", struct.pack("<4H", 1, 2, 3, 4)),
    } | {int(tag[1:], 16): ("CS", value) for tag, value in more.items()}


def element(tag: int, vr: str, value: bytes) -> bytes:
    if len(value) % 2:
        value += b"\0" if vr in LONG_VRS or vr == "UI" else b" "
    return head(tag, vr, len(value)) + value


def written(rows: Rows, *, preamble: bytes = bytes(128), meta: bytes = b"") -> bytes:
    body = b"".join(element(tag, *rows[tag]) for tag in sorted(rows))
    syntax = element(0x00020010, "UI", EXPLICIT.encode())
    return preamble + SAFE_START[128:] + syntax + meta + body


def copied(raw: bytes, aliases: Aliases = HERE) -> bytes:
    return b"".join(nameless(scan(raw, size=len(raw)), reader(raw), aliases, CHILD))


def reading(raw: bytes):
    return lambda offset, length: raw[offset : offset + length]


def read_back(raw: bytes) -> Dataset:
    return pydicom.dcmread(io.BytesIO(raw))


# --- canaries ------------------------------------------------------------------------------------


def canary(tag: int, vr: str) -> bytes:
    """Something that only this field holds, as its type has it, or misused."""
    number = f"{tag:08X}"
    if vr in ("DA", "DT"):
        return f"19{tag % 70 + 10}0317".encode()
    if vr == "UI":
        return f"1.2.276.0.77.9.{tag}".encode()
    return MARK + number.encode()


def fields(kept: Iterable[int]) -> Iterator[tuple[int, str]]:
    """Every attribute of the dictionary but file meta information, commands and numbers."""
    for tag, (vr, *_) in sorted(DicomDictionary.items()):
        group, spared = tag >> 16, tag & 0xFFFF == 0 or tag in kept
        if spared or group in (0x0000, 0x0002, 0x0004, 0xFFFA, 0xFFFE) or group >= 0x7FE0:
            continue
        for one in vr.split(" or ")[-1:]:
            if one not in NUMBERS | {"NONE", "OB/OW"}:
                yield tag, one


REFUSES = frozenset({0x00080005, 0x00080064, 0x00280008, 0x00280301, 0x00280302})
"""Fields that refuse the object, or tell how its text and its pixels are to be read."""


SHARED = 0x52009229
"""A sequence that every copy keeps."""


def full(rows: Rows) -> Rows:
    """The object with a canary in each other field, in each sequence an item with a few of them,
    and in one sequence all of it again, one level deeper.
    """
    item, found = _item(few()), dict(rows)
    for tag, vr in fields({*rows, *REFUSES}):
        found[tag] = (vr, item if vr == "SQ" else canary(tag, vr))
    coded = range(0x00080100, 0x00080103)  # else it would be a code, which goes as a whole
    deeper = {tag: row for tag, row in found.items() if tag not in (*rows, *coded, SHARED)}
    inner = b"".join(element(tag, *deeper[tag]) for tag in sorted(deeper))
    return found | {SHARED: ("SQ", _item(inner))}


def few() -> bytes:
    """Such as a sender puts anywhere: a code of its own, a name, free text, a UID."""
    named = [(0x00080100, "SH"), (0x00080102, "SH"), (0x00080104, "LO")]
    named += [(0x00081155, "UI"), (0x00100010, "PN"), (0x0040A160, "UT")]
    return b"".join(element(tag, vr, canary(tag, vr)) for tag, vr in named)


@cache
def stuffed() -> bytes:
    rows = full(plain_ct())
    rows |= {
        0x00090010: ("LO", MARK + b" PRIVATE"),
        0x00091001: ("LO", MARK + b" PRIVATE"),
        0x00091002: ("UN", MARK * 3),
        0x50003000: ("OW", MARK * 4),
        0x60003000: ("OW", MARK * 4),
        0x60004000: ("LT", MARK * 4),
        0x7FE00010: ("OW", struct.pack("<4H", 0x8001, 0x4002, 0x2003, 0x1004) + MARK * 2),
        0xFFFCFFFC: ("OB", MARK * 2),
    }
    meta = element(0x00020016, "AE", MARK) + element(0x00020102, "OB", MARK)
    return written(rows, preamble=MARK.ljust(128, b"!"), meta=meta)


def test_no_canary_in_any_field_at_any_depth_survives_in_any_byte() -> None:
    raw, made = stuffed(), copied(stuffed())
    assert raw.count(MARK) > 10000
    assert made.count(MARK) == 0  # a number: the bytes themselves take a minute to print
    assert made.count(b"1.2.276.0.77.") == 0
    for tag, vr in fields({*plain_ct(), *REFUSES}):
        if vr in ("DA", "DT"):
            assert made.count(canary(tag, vr)) == 0, f"{tag:08X}"


def test_what_is_left_says_what_was_done_and_is_the_image() -> None:
    copy = read_back(copied(stuffed()))
    assert copy.PatientIdentityRemoved == "YES"
    assert copy.LongitudinalTemporalInformationModified == "MODIFIED"
    codes = [item.CodeValue for item in copy.DeidentificationMethodCodeSequence]
    assert codes == ["113100", "113107"]
    assert copy.PatientName == copy.PatientID == HERE.name
    assert [each.keyword for each in copy.group_dataset(0x0010)] == [
        "PatientName", "PatientID", "PatientBirthDate", "PatientSex",
    ]  # fmt: skip
    assert {element.tag.group for element in copy} <= {
        0x08, 0x10, 0x12, 0x18, 0x20, 0x28, 0x40, 0x54, 0x2050, 0x5200, 0x7FE0,
    }  # fmt: skip


def test_bits_beside_the_pixels_and_bytes_behind_them_do_not_leave() -> None:
    """Overlays once lay in unused bits; whatever stands behind the last pixel is no pixel."""
    assert read_back(copied(stuffed())).PixelData == struct.pack("<4H", 1, 2, 3, 4)


def test_signed_pixels_keep_their_sign() -> None:
    rows = plain_ct() | {
        0x00280103: ("US", struct.pack("<H", 1)),
        0x7FE00010: ("OW", struct.pack("<4h", -1, -1000, 0, 2047)),
    }
    assert read_back(copied(written(rows))).pixel_array.ravel().tolist() == [-1, -1000, 0, 2047]


def test_comments_in_a_compressed_image_do_not_leave() -> None:
    import imagecodecs

    grey = np.arange(64, dtype=np.uint16).reshape(8, 8)
    stream = imagecodecs.ljpeg_encode(grey, bitspersample=12)
    comment = b"\xff\xfe" + struct.pack(">H", 2 + len(MARK)) + MARK
    raw = _compressed(stream[:2] + comment + stream[2:])
    assert MARK in raw
    made = copied(raw)
    assert MARK not in made
    assert (read_back(made).pixel_array == grey).all()


def _compressed(stream: bytes) -> bytes:
    rows = plain_ct() | {tag: ("US", struct.pack("<H", 8)) for tag in (0x00280010, 0x00280011)}
    copy = read_back(written(rows | {0x7FE00010: ("OW", bytes(128))}))
    copy.file_meta.TransferSyntaxUID = pydicom.uid.UID(LOSSLESS)
    copy.PixelData = encapsulate([stream])
    out = io.BytesIO()
    pydicom.dcmwrite(out, copy, enforce_file_format=True)
    return out.getvalue()


# --- who and when --------------------------------------------------------------------------------


def dated(day: str, **uids: str) -> bytes:
    rows = plain_ct() | {
        0x00080020: ("DA", day.encode()),
        0x0008002A: ("DT", f"{day}101112.5+0100".encode()),
        0x00080030: ("TM", b"101112"),
        0x00081140: ("SQ", _item(element(0x00081155, "UI", UIDS["object"].encode()))),
        0x00100030: ("DA", b"19610423"),
    }
    return written(rows)


def _item(raw: bytes) -> bytes:
    return struct.pack("<HHI", 0xFFFE, 0xE000, len(raw)) + raw


def day_of(raw: bytes) -> date:
    said = read_back(raw).StudyDate
    return date(int(said[:4]), int(said[4:6]), int(said[6:]))


def test_the_dates_of_a_patient_keep_their_distances_and_are_not_the_true_ones() -> None:
    first, second = copied(dated("20260228")), copied(dated("20260301"))
    assert (day_of(second) - day_of(first)).days == 1
    assert 366 <= (date(2026, 2, 28) - day_of(first)).days < 3653
    copy = read_back(first)
    assert copy.AcquisitionDateTime == f"{copy.StudyDate}101112.5"  # a zone names a place
    assert (copy.PatientBirthDate, copy.StudyTime) == ("", "101112")


def test_two_patients_dates_and_two_exports_tell_nothing_of_each_other() -> None:
    others = (Aliases(HERE.key, "Quin"), Aliases(b"the key of another export", "Pat"))
    here = copied(dated("20260228"))
    for other in others:
        there = copied(dated("20260228"), other)
        assert day_of(there) != day_of(here)
        assert read_back(there).PatientID != read_back(here).PatientID
    assert read_back(there).StudyInstanceUID != read_back(here).StudyInstanceUID


def test_uids_point_at_each_other_inside_an_export_and_the_standards_stay() -> None:
    copy, again = read_back(copied(dated("20260228"))), read_back(copied(dated("20260301")))
    assert copy.ReferencedImageSequence[0].ReferencedSOPInstanceUID == copy.SOPInstanceUID
    assert copy.file_meta.MediaStorageSOPInstanceUID == copy.SOPInstanceUID
    assert copy.StudyInstanceUID == again.StudyInstanceUID not in UIDS.values()
    assert copy.SOPClassUID == CT


@pytest.mark.parametrize("word", ["20260230", "0001", "00010101", "2026", "KANARI", "99999999"])
def test_a_date_that_can_not_be_moved_does_not_stay(word: str) -> None:
    copy = read_back(copied(written(plain_ct() | {0x00080020: ("DA", word.encode())})))
    assert copy.StudyDate == ""


# --- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ({0x00080016: ("UI", SECONDARY.encode())}, "kind_may_name"),
        ({0x00080016: ("UI", ULTRASOUND.encode())}, "kind_may_name"),
        ({0x00280301: ("CS", b"YES")}, "text_in_pixels"),
        ({0x00280301: ("CS", b"PERHAPS")}, "text_in_pixels"),
        ({0x00080008: ("CS", b"DERIVED\\SECONDARY\\SCREEN SAVE")}, "text_unknown"),
        ({0x00080064: ("CS", b"WSD")}, "text_unknown"),
        ({0x00080016: ("UI", b"1.2.840.10008.5.1.4.1.1.1")}, "text_unknown"),
        ({0x00280302: ("CS", b"YES")}, "recognizable"),
        ({0x00280004: ("CS", b"PALETTE COLOR")}, "pixels_may_name"),
    ],
)
def test_what_may_hold_text_in_its_pixels_is_refused_with_the_reason(rows: Rows, code: str) -> None:
    with pytest.raises(MayName) as refused:
        copied(written(plain_ct() | rows))
    assert refused.value.code == code
    assert refused.value.reason.endswith(".")


def test_an_image_made_from_others_is_copied_where_it_says_that_no_text_is_in_it() -> None:
    rows = {0x00080008: ("CS", b"DERIVED\\SECONDARY\\MPR"), 0x00280301: ("CS", b"NO")}
    assert read_back(copied(written(plain_ct() | rows))).ImageType[2] == "MPR"


# --- real files ----------------------------------------------------------------------------------

REAL = (
    "single/pydicom_CT_small.dcm",
    "single/pydicom_J2K_pixelrep_mismatch.dcm",
    "single/pydicom_emri_small_big_endian.dcm",
    "studies/ct_stereotaxis_40/s01/0001.dcm",
    "studies/ct_stereotaxis_40/s02/0041.dcm",
    "single/highdicom_dx_image.dcm",
    "studies/mr_epi_multiseries/s01/0001.dcm",
    "studies/mr_pdt2_two_echo/s01/0001.dcm",
    "studies/mr_wrist_j1/s01/0001.dcm",
    "studies/pt_wholebody_seg/s02/0002.dcm",
)


@pytest.mark.parametrize("name", REAL)
def test_a_real_file_is_as_sound_as_before_and_nothing_of_its_patient_is_left(name: str) -> None:
    raw = (FOLDER / name).read_bytes()
    made = copied(raw)
    assert iod_errors(made) <= iod_errors(raw)
    for word in _personal(raw):
        assert word not in made
    assert read_back(made).pixel_array.shape == read_back(raw).pixel_array.shape


def _personal(raw: bytes) -> set[bytes]:
    """What its header says of persons and places, long enough to be nobody else's."""
    found = {
        (each.value or b"").strip(b" \0")
        for each in scan(raw, size=len(raw)).elements
        if each.vr in ("PN", "LO", "SH", "ST", "LT") and each.tag >> 16 in (0x08, 0x10, 0x20)
    }
    return {word for word in found if len(word) > 6 and word not in SAID_BY_MANY}


SAID_BY_MANY = frozenset({b"SIEMENS", b"Philips", b"FUJIFILM"})
"""Vendors stay: many hospitals have the same."""
