"""What single elements come to: their DICOM JSON, and the fact in them. Remembered by their bytes.

Everything here is made by the same code that the thorough scan uses, one element at a time.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from .charset import Charset, charset_of
from .digest import RELATIVE
from .elements import Element, Limits
from .facts import Reader, qualified_issuer
from .json_model import BINARY, INLINE, element_json
from .scan import is_uid
from .values import text, whole

REMEMBERED = 4 * 1024
MEMO_BYTES = 4 * 1024 * 1024
MEMOS = 8
"""Longer elements are not remembered; a memo that has grown past its size begins anew; there is one
for each of so many character sets."""

UIDS = {
    0x00080016: "sop_class_uid",
    0x00080018: "sop_uid",
    0x0020000D: "study_uid",
    0x0020000E: "series_uid",
}
_LAID = frozenset({0x00280002, 0x00280004, 0x00280008, 0x00280010, 0x00280011, 0x00280100})
_WORDS = frozenset({"AE", "AS", "CS", "DA", "DT", "LO", "SH", "TM", "UI"})
_TABLE = 0x7FE00001  # Extended Offset Table


def _samples(read: Reader, tag: int) -> int | None:
    stated = whole(read.element(tag), -1)
    return stated if stated >= 0 else None


FACTS: dict[int, tuple[str, Callable[[Reader, int], Any]]] = {
    0x00080008: ("image_type", Reader.text),
    0x00080020: ("study_date", Reader.day),
    0x00080030: ("study_time", Reader.time),
    0x00080050: ("accession_number", Reader.text),
    0x00080055: ("station_ae", Reader.text),
    0x00080060: ("modality", Reader.text),
    0x00080080: ("institution", Reader.text),
    0x00080090: ("referring_physician", Reader.text),
    0x00080201: ("timezone", lambda read, tag: text(read.element(tag), read.charset)),
    0x00081030: ("study_description", Reader.text),
    0x0008103E: ("series_description", Reader.text),
    0x00100010: ("patient_name", Reader.text),
    0x00100020: ("patient_id", Reader.text),
    0x00100021: ("issuer_of_patient_id", Reader.text),
    0x00100030: ("patient_birth_date", Reader.day),
    0x00100040: ("patient_sex", Reader.text),
    0x00180015: ("body_part", Reader.text),
    0x00200010: ("study_id", Reader.text),
    0x00200011: ("series_number", Reader.integer),
    0x00200013: ("instance_number", Reader.integer),
    0x00200060: ("laterality", Reader.text),
    0x00200062: ("image_laterality", Reader.text),
    0x00280002: ("samples", _samples),
    0x00280004: ("photometric", Reader.text),
    0x00280010: ("rows", Reader.number),
    0x00280011: ("columns", Reader.number),
    0x00280100: ("bits_allocated", Reader.number),
}
BLANK: dict[str, Any] = {name: "" for name, _ in FACTS.values()} | {
    "study_date": None, "patient_birth_date": None, "series_number": None,
    "instance_number": None, "rows": 0, "columns": 0, "bits_allocated": 0, "samples": None,
    "qualified_issuer": "",
}  # fmt: skip
APART = ("timezone", "image_laterality", "qualified_issuer")


class Unusual(Exception):
    """For the thorough scan; nothing else is meant by it."""


class Kept(NamedTuple):
    """What an element comes to: its JSON, and the fact of that name, if it holds one."""

    json: bytes
    name: str = ""
    fact: Any = None
    element: Element | None = None  # where the frame table needs it


class Memo(dict[bytes, Kept]):
    """What elements of one character set came to, by their bytes."""

    weight = 0

    def keep(self, raw: bytes, kept: Kept) -> None:
        self.weight += len(raw) + len(kept.json) + 300
        if self.weight > MEMO_BYTES:
            self.clear()
            self.weight = 0
        self[raw] = kept


@lru_cache(maxsize=MEMOS)
def charset_and_memo(raw: bytes, default: str | None) -> tuple[Charset, Memo]:
    """The Charset for the value of (0008,0005), and what its elements came to so far."""
    return charset_of(raw or None, default), Memo()


def made(tag: int, vr: str, value: bytes, charset: Charset) -> Kept:
    """What an element comes to that was not met before. Raises Unusual."""
    key = f"{tag:08X}"
    element = Element(tag, vr, 0, len(value), value, None, None, little=True)
    if vr in BINARY and len(value) > INLINE:
        if tag in FACTS or tag in UIDS or tag in _LAID or len(value) > Limits().inline:
            raise Unusual
        json = bulk_json(tag, vr)
        return Kept(json, element=element) if tag == _TABLE else Kept(json)
    # Group lengths and trailing padding are no part of the model (PS3.18 F.2.2).
    if not tag & 0xFFFF or tag == 0xFFFCFFFC:
        return Kept(b"")
    if vr in _WORDS and value.isascii() and b"\x1b" not in value:
        return _with_fact(_words_json(key, vr, value), element, charset)
    json = orjson.dumps({key: element_json(element, charset, f"{RELATIVE}/{key}", signed=False)})
    return _with_fact(json[1:-1], element, charset)


def _words_json(key: str, vr: str, value: bytes) -> bytes:
    """What `element_json` says of plain words, which are most of all elements, at half its cost."""
    words = value.decode("ascii").replace("\0", "").split("\\")
    values = [word.strip(" \t\r\n") or None for word in words]
    if not any(values):
        return f'"{key}":{{"vr":"{vr}"}}'.encode()
    return f'"{key}":{{"vr":"{vr}","Value":'.encode() + orjson.dumps(values) + b"}"


def bulk_json(tag: int, vr: str) -> bytes:
    """The JSON of a value that is left in the file."""
    return f'"{tag:08X}":{{"vr":"{vr}","BulkDataURI":"{RELATIVE}/{tag:08X}"}}'.encode()


def sequence(element: Element, charset: Charset) -> Kept:
    """The same for a sequence. Raises Unusual where a VR in it depends on what stands around it."""
    if (
        _is_ambiguous(element)
        or element.tag in FACTS
        or element.tag in UIDS
        or element.tag in _LAID
    ):
        raise Unusual
    key = f"{element.tag:08X}"
    json = orjson.dumps({key: element_json(element, charset, f"{RELATIVE}/{key}", signed=False)})
    if element.tag == 0x00100024:
        return Kept(json[1:-1], "qualified_issuer", qualified_issuer((element,)))
    return Kept(json[1:-1])


def _with_fact(json: bytes, element: Element, charset: Charset) -> Kept:
    tag = element.tag
    laid = element if tag in _LAID or tag == _TABLE else None
    if tag in UIDS:
        uid = (element.value or b"").decode("latin-1").strip(" \0")
        if not is_uid(uid):
            raise Unusual
        return Kept(json, UIDS[tag], uid)
    if tag not in FACTS:
        return Kept(json, element=laid)
    name, of = FACTS[tag]
    read = Reader((element,), charset)
    fact = of(read, tag)
    if read.warnings:
        raise Unusual
    return Kept(json, name, fact, laid)


def _is_ambiguous(element: Element) -> bool:
    """By Pixel Representation: "US or SS"."""
    if " or " in element.vr:
        return True
    return any(_is_ambiguous(inner) for item in element.items or () for inner in item)
