"""Text as people wrote it, whatever the character set; what cannot be read is marked."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sharing.dicom.charset import charset_of
from sharing.dicom.facts import COLUMN
from sharing.dicom.scan import scan

from .corpus import Row, chosen, content, dataset, part10


@pytest.mark.parametrize("row", chosen(lambda r: "charset:" in r["exercises"]))
def test_real_names_in_many_scripts_read_as_the_manifest_says(row: Row) -> None:
    data = content(row)
    found = scan(data, size=len(data))
    # The manifest was written with pydicom, which leaves the designation of GB2312 in the text.
    meant = re.sub(r"\x1b?\$\)A", "", row["patient_name"])
    assert found.facts.patient_name.rstrip("^=") == meant.rstrip("^=")
    assert not {"charset_unknown", "charset_undeclared"} & set(found.warnings)


@pytest.mark.parametrize(
    ("term", "codec", "words"),
    [
        ("ISO_IR 192", "utf-8", "林^晓燕"),
        ("GB18030", "gb18030", "林^晓燕\\张^伟"),
        ("GBK", "gbk", "林^晓燕"),
        ("ISO_IR 144", "iso8859_5", "Иванов^Иван"),
        ("ISO_IR 166", "iso8859_11", "สมชาย"),
    ],
)
def test_declared_sets_are_used(term: str, codec: str, words: str) -> None:
    assert charset_of(term.encode(), None).decode(words.encode(codec), "PN") == words


def test_a_gbk_byte_that_looks_like_a_backslash_splits_no_value() -> None:
    raw = "誠".encode("gbk")
    assert b"\\" in raw
    assert charset_of(b"GBK", None).decode(raw, "LO") == "誠"


def test_an_unknown_term_keeps_the_text_with_replacement_and_says_so() -> None:
    unknown = charset_of(b"ISO_IR 999", None)
    assert unknown.doubts(b"\xc0") == "charset_unknown"
    assert unknown.decode(b"A\xff", "LO") == "A\N{REPLACEMENT CHARACTER}"


def test_chinese_bytes_declared_as_latin_are_suspect_and_french_ones_are_not() -> None:
    latin = charset_of(b"ISO_IR 100", None)
    assert latin.doubts("林晓燕".encode("gbk")) == "charset_suspect"
    assert latin.doubts("Gérard Buc".encode("latin-1")) is None


@given(st.binary(max_size=60), st.sampled_from([b"", b"\\ISO 2022 IR 87", b"GB18030", b"x\\y"]))
def test_no_bytes_break_the_decoder(raw: bytes, terms: bytes) -> None:
    for vr in ("PN", "LO", "UI"):
        charset_of(terms, "GBK").decode(raw, vr)


def test_facts_fit_their_columns() -> None:
    data = part10(dataset(StudyDescription="a\0b", SpecificCharacterSet="ISO_IR 192"))
    assert scan(data, size=len(data)).facts.study_description == "ab"
    long = part10(dataset())
    long = long.replace(b"LO\x02\0P1", b"LO" + (400).to_bytes(2, "little") + b"P" * 400)
    found = scan(long, size=len(long))
    assert len(found.facts.patient_id) == COLUMN
    assert "overlong_value" in found.warnings
