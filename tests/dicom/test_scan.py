"""What scan() takes and refuses: all the real files, the hostile ones, and mutated ones."""

import struct
import tracemalloc
import zlib
from datetime import date
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.uid import ImplicitVRLittleEndian

from sharing.dicom.elements import Limits
from sharing.dicom.errors import BadDicom
from sharing.dicom.json_model import dicom_json
from sharing.dicom.scan import Scanned, plain, scan

from . import corpus
from .corpus import Row, chosen, content, dataset, part10

# Two answers of the manifest are taken in their tolerated form: a header that names another
# object is a warning (eight good real files have it), and UIDs that are hashes are refused.
TOLERATED = {
    "broken/m_meta_uid_mismatch.dcm": "accept",
    "broken/real_bad_sequence.dcm": "reject",
    "broken/m_duplicate_sop_b.dcm": "accept",  # bad only beside its pair, which archive sees
}


def _answer(data: bytes) -> str:
    try:
        scan(BytesIO(data), size=len(data))
    except BadDicom:
        return "reject"
    return "accept"


def _code(data: bytes, **options: object) -> str:
    with pytest.raises(BadDicom) as refused:
        scan(data, size=len(data), **options)  # type: ignore[arg-type]
    return refused.value.code


def test_the_corpus_is_there(real_data: Path) -> None:
    assert len(corpus.rows()) > 500
    assert real_data == corpus.FOLDER


@pytest.mark.parametrize("row", chosen(lambda r: r["kind"] in ("single", "study")))
def test_every_real_file_gets_the_expected_answer(row: Row) -> None:
    assert _answer(content(row)) == row["expected"]


@pytest.mark.parametrize(
    "row", chosen(lambda r: r["kind"] == "broken" and not r["file"].endswith(".zip"))
)
def test_every_broken_file_gets_the_expected_answer(row: Row) -> None:
    assert _answer(content(row)) == TOLERATED.get(row["file"], row["expected"])


@pytest.mark.parametrize("row", chosen(corpus.is_sample))
def test_the_facts_agree_with_the_manifest(row: Row) -> None:
    data = content(row)
    found = scan(data, size=len(data))
    assert (found.study_uid, found.series_uid) == (row["study_uid"], row["series_uid"])
    assert found.sop_class_uid == row["sop_class"]
    assert found.facts.modality == row["modality"]
    if row["rows"]:
        assert (found.facts.rows, found.facts.columns) == (int(row["rows"]), int(row["cols"]))
    if row["frames"] and found.pixel:
        assert found.facts.frames == len(found.pixel.frames) == int(row["frames"])


def test_the_codes_say_what_is_wrong() -> None:
    whole = part10(dataset())
    assert _code(b"") == "empty_file"
    assert _code(b"\x89PNG\r\n\x1a\n" + bytes(500)) == "not_dicom"
    assert _code(whole[:132]) == "no_data_set"
    assert _code(whole[:-3]) == "truncated"
    assert _code(part10(dataset(StudyInstanceUID=""))) == "missing_study_uid"
    assert _code(part10(dataset(SeriesInstanceUID=""))) == "missing_series_uid"
    assert _code(part10(dataset(Rows=400))) == "pixel_data_too_short"
    assert _code(part10(dataset(NumberOfFrames=2))) == "pixel_data_too_short"
    assert _code(whole.replace(b"1.2.5\0", b"../../")) == "bad_uid"
    assert _code(whole.replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.9.9.9\0")) == (
        "unsupported_transfer_syntax"
    )


def test_a_reason_is_a_sentence_that_never_holds_content() -> None:
    with pytest.raises(BadDicom) as refused:
        scan(part10(dataset(StudyInstanceUID="1.2.5")).replace(b"1.2.5\0", b"SECRET"), size=10**4)
    assert refused.value.reason.endswith(".")
    assert "SECRET" not in str(refused.value) + refused.value.reason


def test_a_bare_data_set_is_taken_when_it_carries_its_uids() -> None:
    whole = part10(dataset(), ImplicitVRLittleEndian)
    start = scan(whole, size=len(whole)).data_offset
    bare = whole[start:]
    found = scan(bare, size=len(bare))
    assert found.preamble is None
    assert found.transfer_syntax == ImplicitVRLittleEndian
    assert "transfer_syntax_missing" in found.warnings
    assert found.facts.patient_id == "P1"


def test_dates_that_cannot_be_are_none_and_a_warning() -> None:
    data = part10(dataset(StudyDate="20240229", PatientBirthDate="19000101"))
    found = scan(data, size=len(data))
    assert found.facts.study_date == date(2024, 2, 29)
    wrong = data.replace(b"20240229", b"20230229")
    found = scan(wrong, size=len(wrong))
    assert found.facts.study_date is None
    assert "bad_date" in found.warnings


def test_undeclared_gbk_is_read_with_the_sources_charset_and_else_marked(real_data: Path) -> None:
    data = (real_data / "broken/m_undeclared_gbk.dcm").read_bytes()
    told = scan(data, size=len(data), default_charset="GB18030")
    assert told.facts.patient_name == "李建国"
    untold = scan(data, size=len(data))
    assert "\N{REPLACEMENT CHARACTER}" in untold.facts.patient_name
    assert "charset_undeclared" in told.warnings
    assert "charset_undeclared" in untold.warnings


def test_a_deflate_bomb_stops_at_its_cap() -> None:
    head = part10(dataset(), "1.2.840.10008.1.2.1.99")
    start = scan(head, size=len(head)).data_offset
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = head[:start] + packer.compress(bytes(64 * 1024 * 1024)) + packer.flush()
    tracemalloc.start()
    assert _code(bomb, limits=Limits(inflated=1024 * 1024)) == "too_large"
    assert tracemalloc.get_traced_memory()[1] < 8 * 1024 * 1024
    tracemalloc.stop()


def test_offsets_of_a_deflated_file_count_in_its_plain_stream() -> None:
    data = part10(dataset(), "1.2.840.10008.1.2.1.99")
    found = scan(data, size=len(data))
    stream = plain(BytesIO(data), size=len(data))
    assert found.deflated
    assert found.pixel
    stream.seek(found.pixel.offset)
    assert stream.read(16) == bytes(range(16))


def test_deep_nesting_is_refused_without_a_crash() -> None:
    whole = part10(dataset())
    level = struct.pack("<HH2sHI", 0x0009, 0x1001, b"SQ", 0, 0xFFFFFFFF) + struct.pack(
        "<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF
    )
    assert _code(whole + level * 20_000) == "too_deep"


def test_too_many_elements_are_refused() -> None:
    whole = part10(dataset())
    items = struct.pack("<HHI", 0xFFFE, 0xE000, 0) * 1000
    many = struct.pack("<HH2sHI", 0x7FE1, 0x1001, b"SQ", 0, len(items)) + items
    assert _code(whole + many, limits=Limits(elements=2000)) == "too_many_elements"


def test_pixel_data_is_never_loaded() -> None:
    data = part10(dataset(Rows=4000, Columns=4000, PixelData=bytes(16_000_000)))
    tracemalloc.start()
    with BytesIO(data) as stream:
        scan(stream, size=len(data))
    assert tracemalloc.get_traced_memory()[1] < 20_000_000  # BytesIO's own copy, and no second
    tracemalloc.stop()


def test_un_hides_no_sequence_from_the_limits() -> None:
    whole = part10(dataset())
    inner = b""
    for _ in range(200):
        item = struct.pack("<HHI", 0xFFFE, 0xE000, len(inner)) + inner
        inner = struct.pack("<HHI", 0x0040, 0xA730, len(item)) + item
    body = inner[8:]
    hidden = struct.pack("<HH2sHI", 0x0040, 0xA730, b"UN", 0, len(body)) + body
    assert _code(whole + hidden) == "too_deep"


def test_a_damaged_private_sequence_costs_a_warning_and_a_standard_one_the_file() -> None:
    whole = part10(dataset())
    for group, answer in ((0x7FE1, None), (0x7FE2, "malformed")):
        wrong = struct.pack("<HH2sHI", group, 0x1010, b"SQ", 0, 12) + b"no items!!!!"
        if answer:
            assert _code(whole + wrong) == answer
        else:
            found = scan(whole + wrong, size=len(whole + wrong))
            assert "private_sequence_damaged" in found.warnings


def _mutated_sources() -> list[bytes]:
    names = ("single/pydicom_MR_small_implicit.dcm", "single/pydicom_emri_small_big_endian.dcm")
    more = ("single/pydicom_test-SR.dcm", "single/pydicom_MR_small_RLE.dcm")
    real = [corpus.FOLDER / name for name in names + more]
    made = [part10(dataset()), part10(dataset(), "1.2.840.10008.1.2.1.99")]
    return made + [path.read_bytes()[:20_000] for path in real if path.exists()]


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_mutated_files_are_scanned_or_refused_and_never_crash(data: st.DataObject) -> None:
    whole = bytearray(data.draw(st.sampled_from(_mutated_sources())))
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, min(len(whole) - 1, 4000)))
        whole[place] = data.draw(st.integers(0, 255))
    cut = data.draw(st.one_of(st.none(), st.integers(0, len(whole))))
    mutated = bytes(whole[:cut])
    try:
        found = scan(BytesIO(mutated), size=len(mutated))
    except BadDicom:
        return
    assert isinstance(found, Scanned)
    assert dicom_json(found, bulk_uri="b")["00080018"]["Value"] == [found.sop_instance_uid]


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400), st.sampled_from([b"", bytes(128) + b"DICM", b"\x08\0\x05\0"]))
def test_noise_is_refused(noise: bytes, start: bytes) -> None:
    assert _answer(start + noise) == "reject"
