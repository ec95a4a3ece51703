"""XML and JSON metadata of others: models go round unchanged, and nothing makes the readers fall.

`make soak` gives the mutations minutes (FUZZ_SECONDS).
"""

import base64
import random
import time
from os import environ
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sharing.dicom.assemble import assemble, read_json
from sharing.dicom.elements import Limits
from sharing.dicom.errors import BadDicom
from sharing.dicom.json_model import JsonObject, dicom_json
from sharing.dicom.scan import scan
from sharing.dicom.xml_model import from_xml, to_xml
from tests.attacks.test_multipart import mutated
from tests.dicom.apart import part

UIDS = {
    "00080016": {"vr": "UI", "Value": ["1.2.840.10008.5.1.4.1.1.7"]},
    "00080018": {"vr": "UI", "Value": ["2.25.1"]},
    "0020000D": {"vr": "UI", "Value": ["2.25.2"]},
    "0020000E": {"vr": "UI", "Value": ["2.25.3"]},
}
_words = st.text(
    st.characters(min_codepoint=0x20, max_codepoint=0x3FF, exclude_characters="\\^=\x7f"),
    max_size=9,
).map(lambda text: text.strip() or None)
_letters = st.text("ABC^ xyz莫", min_size=1, max_size=9).map(lambda t: t.strip(" ^") or "A")
_names = st.dictionaries(
    st.sampled_from(["Alphabetic", "Ideographic", "Phonetic"]), _letters, min_size=1
)
_raw = st.binary(min_size=2, max_size=9).map(lambda raw: raw[: len(raw) // 2 * 2])


def _some(values: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    full = values.filter(lambda value: value is not None)
    return st.tuples(st.lists(values, max_size=2), full).map(lambda pair: [*pair[0], pair[1]])


def _element(vr: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[JsonObject]:
    empty = st.just({"vr": vr})
    return st.one_of(empty, _some(values).map(lambda found: {"vr": vr, "Value": found}))


def _models(depth: int) -> st.SearchStrategy[JsonObject]:
    """Data sets of every kind of value, as the scanner itself would write them."""
    known = {
        "00080008": _element(
            "CS", st.one_of(st.none(), st.text("ABC_ 9", min_size=1).map(str.strip))
        ),
        "00081030": _element("LO", _words),
        "00100010": _element("PN", _names),
        "00101030": _element("DS", st.one_of(st.integers(-(10**9), 10**9), st.just(1.5))),
        "00200013": _element("IS", st.integers(-(2**31) + 1, 2**31 - 1)),
        "00280009": _element("AT", st.sampled_from(["00181063", "FFFAFFFA"])),
        "00280010": _element("US", st.integers(0, 65535)),
        "00189305": _element(
            "FD",
            st.floats(allow_nan=False, allow_infinity=False, width=32)
            | st.sampled_from(["NaN", "Infinity", "-Infinity"]),
        ),
        "00080301": _element("UI", st.just("1.2.3")),
        "00420011": _raw.map(
            lambda raw: {"vr": "OB", "InlineBinary": base64.b64encode(raw).decode()}
        ),
        "00090010": st.just({"vr": "LO", "Value": ["ACME <1>"]}),
        "00091001": _element("SL", st.integers(-(2**31), 2**31 - 1)),
    }
    some = st.fixed_dictionaries({}, optional=known)
    if not depth:
        return some
    items = st.lists(_models(depth - 1), min_size=1, max_size=2)
    nested = items.map(lambda found: {"00400275": {"vr": "SQ", "Value": found}})
    return st.tuples(some, st.one_of(st.just({}), nested)).map(lambda pair: pair[0] | pair[1])


def tidy(model: JsonObject) -> JsonObject:
    """Without what a file can't say: a private block needs its creator, an empty text is none."""
    made = {
        tag: one for tag, one in sorted(model.items()) if tag != "00091001" or "00090010" in model
    }
    for one in made.values():
        if one["vr"] == "SQ":
            one["Value"] = [tidy(item) for item in one["Value"]]
        elif one["vr"] == "CS" and "Value" in one:
            one["Value"] = [value or None for value in one["Value"]]
            if not any(one["Value"]):
                del one["Value"]
    return made


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(_models(2).map(tidy))
def test_a_model_goes_through_xml_and_through_a_file_unchanged(model: JsonObject) -> None:
    whole = dict(
        sorted((UIDS | {"00080005": {"vr": "CS", "Value": ["ISO_IR 192"]}} | model).items())
    )
    assert from_xml(to_xml(whole)) == whole
    file = b"".join(assemble(orjson.loads(orjson.dumps(whole)), lambda uri: []))
    assert dicom_json(scan(file, size=len(file)), bulk_uri="u") == whole


def seeds() -> list[bytes]:
    """Documents to begin with."""
    model = UIDS | {
        "00090010": {"vr": "LO", "Value": ["ACME"]},
        "00091001": {"vr": "UN", "InlineBinary": "AAA="},
        "00100010": {"vr": "PN", "Value": [{"Alphabetic": "A^B", "Phonetic": "C"}]},
        "00101030": {"vr": "DS", "Value": [1.5, 2]},
        "00400275": {"vr": "SQ", "Value": [{"00280010": {"vr": "US", "Value": [7]}}, {}]},
        "7FE00010": {"vr": "OW", "BulkDataURI": "u"},
    }
    return [to_xml(model), orjson.dumps([model]), orjson.dumps(model)]


BITS = [b"<", b"/>", b"Value", b"&amp;", b"&#0;", b'number="1"', b"{", b"}", b"[]", b":", b"1e999"]


def test_no_document_makes_the_readers_crash_or_hang() -> None:
    """Only BadDicom comes out, whatever goes in, and what does become a file can be scanned."""
    luck, begun = random.Random(20261125), time.monotonic()
    least, seconds = 1500, float(environ.get("FUZZ_SECONDS", "0"))
    rounds = files = 0
    while rounds < least or time.monotonic() - begun < seconds:
        rounds += 1
        raw = mutated(luck.choice(seeds()), luck, BITS)
        try:
            made = [from_xml(raw)] if raw.lstrip()[:1] == b"<" else read_json(raw)
            for one in made:
                file = b"".join(assemble(one, lambda uri: [part(b"xx")]))
                scan(file, size=len(file))
                files += 1
        except BadDicom:
            continue
    assert files > least // 50


HEAD = b"<NativeDicomModel>"


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"<!DOCTYPE a><NativeDicomModel/>", "bad_metadata"),
        (b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/hostname">]><a>&b;</a>', "bad_metadata"),
        (b"<NativeDicomModel>&b;</NativeDicomModel>", "bad_metadata"),
        (HEAD + b"<Other/></NativeDicomModel>", "bad_metadata"),
        (HEAD + b"text</NativeDicomModel>", "bad_metadata"),
        (HEAD + b'<DicomAttribute tag="1"/></NativeDicomModel>', "bad_metadata"),
        (HEAD + b'<DicomAttribute vr="US"/></NativeDicomModel>', "bad_metadata"),
        (
            HEAD + 2 * b'<DicomAttribute tag="00280010" vr="US"/>' + b"</NativeDicomModel>",
            "bad_metadata",
        ),
        (
            HEAD + b'<DicomAttribute tag="00280010" vr="US"><Value number="2">1</Value>'
            b"</DicomAttribute></NativeDicomModel>",
            "bad_metadata",
        ),
        (
            HEAD
            + b'<DicomAttribute tag="00100010" vr="LO" privateCreator="A"/></NativeDicomModel>',
            "bad_metadata",
        ),
        (HEAD + 70 * b'<DicomAttribute tag="00400275" vr="SQ"><Item number="1">', "too_deep"),
        (HEAD + 60 * b'<DicomAttribute tag="00280010" vr="US"/>', "bad_metadata"),
        (b'<?xml version="1.0" encoding="none"?><NativeDicomModel/>', "bad_metadata"),
        (b'<a xmlns="x"/>', "bad_metadata"),
    ],
)
def test_hostile_xml_is_refused_by_name(raw: bytes, code: str) -> None:
    with pytest.raises(BadDicom, match=code):
        from_xml(raw)
    with pytest.raises(BadDicom):
        from_xml(HEAD + 60 * b'<DicomAttribute tag="00280010" vr="US"/>', Limits(elements=50))


def test_blocks_of_private_elements_are_given_anew() -> None:
    """Two creators in one group, the same element twice, and a creator that is sent as well."""
    head = '<DicomAttribute tag="00090001" vr="LO" privateCreator="{}">'
    one = head + '<Value number="1">{}</Value></DicomAttribute>'
    sent = "".join(one.format(*pair) for pair in (("A", 1), ("B", 2), ("A", 3)))
    creator = '<DicomAttribute tag="00090010" vr="LO"><Value number="1">B</Value></DicomAttribute>'
    made = from_xml(f"<NativeDicomModel>{sent}{creator}</NativeDicomModel>".encode())
    values = {tag: one["Value"][0] for tag, one in made.items()}
    assert values == {
        "00090010": "B", "00091001": "2", "00090011": "A", "00091101": "1", "00090012": "A",
        "00091201": "3",
    }  # fmt: skip
