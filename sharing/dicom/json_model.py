"""The DICOM JSON Model (PS3.18 annex F) of a scanned object.

Every text is UTF-8, so Specific Character Set always says ISO_IR 192. Values that do not fit
their VR stay strings; nothing in a scanned file makes this raise. FL and FD may hold what is no
number (PS3.5 6.2) and JSON has none for it, so such a value is a string, too: "NaN", "Infinity" or
"-Infinity", the words that every language's reader of numbers knows.
"""

import math
from base64 import b64encode
from collections.abc import Iterable
from typing import Any

import numpy as np
from pydicom.datadict import tag_for_keyword

from .charset import Charset, charset_of
from .elements import Element
from .scan import Scanned
from .values import NUMBER_CODES, decimal, find, integer, numbers, texts

INLINE = 1024
JsonObject = dict[str, Any]
BINARY = {"OB": 1, "UN": 1, "OW": 2, "OF": 4, "OL": 4, "OD": 8, "OV": 8}
_SIGNED = {"US or SS": ("US", "SS"), "US or SS or OW": ("US", "SS"), "US or OW": ("US", "US")}
_GROUPS = ("Alphabetic", "Ideographic", "Phonetic")


def dicom_json(scanned: Scanned, *, bulk_uri: str) -> JsonObject:
    """The JSON object of one instance, tags ascending, fit for orjson.

    Pixel data and binary values over 1 kB become `BulkDataURI` = bulk_uri/PATH, where PATH is
    TAG or TAG/ITEM/TAG... (items from 0); bulk_range() finds their bytes again.
    """
    signed = is_signed(scanned.elements, inherited=False)
    made = _data_set(scanned.elements, scanned.charset, bulk_uri.rstrip("/"), signed)
    made["00080005"] = {"vr": "CS", "Value": ["ISO_IR 192"]}
    return dict(sorted(made.items()))


def pick(json: JsonObject, keywords: Iterable[str]) -> JsonObject:
    """The part of a JSON object named by keywords ("PatientName") or tags ("00100010")."""
    tags = (_tag(word) for word in keywords)
    return {tag: json[tag] for tag in sorted(set(tags)) if tag in json}


def bulk_range(scanned: Scanned, path: str) -> tuple[int, int]:
    """Offset and length (as plain() counts) of the bulk value at PATH of a BulkDataURI.

    Raises KeyError where the object has no bulk value there.
    """
    element = bulk_element(scanned, path)
    return element.offset, element.length


def bulk_element(scanned: Scanned, path: str) -> Element:
    """The element at PATH of a BulkDataURI. Raises KeyError where there is no bulk value."""
    level, steps = scanned.elements, path.strip("/").split("/")
    for tag, item in zip(steps[:-1:2], steps[1::2], strict=True):
        sequence = find(level, _number(tag, 16))
        items = sequence.items if sequence and sequence.items else ()
        index = _number(item, 10)
        if index >= len(items):
            raise KeyError("no such item")
        level = items[index]
    element = find(level, _number(steps[-1], 16))
    if len(steps) % 2 == 0 or element is None or not _is_bulk(element):
        raise KeyError("no such bulk value")
    return element


def _number(digits: str, base: int) -> int:
    if not digits.isascii() or not digits.isalnum():
        raise KeyError("no such bulk value")
    try:
        return int(digits, base)
    except ValueError:
        raise KeyError("no such bulk value") from None


def _tag(word: str) -> str:
    number = tag_for_keyword(word)
    return word.upper() if number is None else f"{number:08X}"


def _data_set(
    elements: tuple[Element, ...], charset: Charset, uri: str, signed: bool
) -> JsonObject:
    made: JsonObject = {}
    for element in elements:
        # Group lengths and trailing padding are no part of the model (PS3.18 F.2.2).
        if element.tag & 0xFFFF and element.tag not in (0xFFFCFFFC,):
            key = f"{element.tag:08X}"
            made[key] = element_json(element, charset, f"{uri}/{key}", signed=signed)
    return made


def element_json(element: Element, charset: Charset, uri: str, *, signed: bool) -> JsonObject:
    """The JSON of one element; `uri` is where its bulk value, or those in its items, are found."""
    vr = resolved_vr(element, signed)
    made: JsonObject = {"vr": vr}
    if element.items is not None:
        items = [
            _item(item, charset, f"{uri}/{index}", signed)
            for index, item in enumerate(element.items)
        ]
        return made | {"Value": items} if items else made
    if _is_bulk(element):
        return made | {"BulkDataURI": uri}
    if not element.value:
        return made
    if vr in BINARY:
        return made | {"InlineBinary": _inline(element, BINARY[vr])}
    values = _values(element if vr == element.vr else element._replace(vr=vr), charset)
    return made | {"Value": values} if any(v is not None for v in values) else made


def _item(item: tuple[Element, ...], charset: Charset, uri: str, signed: bool) -> JsonObject:
    own = find(item, 0x00080005)
    here = charset_of(own.value if own else None, charset.guess, parent=charset)
    made = _data_set(item, here, uri, is_signed(item, inherited=signed))
    if own:
        made["00080005"] = {"vr": "CS", "Value": ["ISO_IR 192"]}
    return made


def _is_bulk(element: Element) -> bool:
    if element.items is not None:
        return False
    if element.value is None:
        return True
    binary = element.vr in BINARY or "OW" in element.vr
    return binary and element.length > INLINE


def resolved_vr(element: Element, signed: bool) -> str:
    """One VR for the dictionary's "US or SS" and its like (PS3.6), as pixels are signed or not."""
    if element.vr in _SIGNED:
        if _is_bulk(element):
            return "OW"
        return _SIGNED[element.vr][signed]
    return "OW" if element.vr == "OB or OW" else element.vr


def is_signed(elements: tuple[Element, ...], *, inherited: bool) -> bool:
    """Pixel Representation (0028,0103) of a data set or item, else the inherited one."""
    found = numbers(find(elements, 0x00280103))
    return bool(found[0]) if found else inherited


def _inline(element: Element, width: int) -> str:
    """Base64 of the little endian bytes (PS3.18 F.2.7)."""
    raw = element.value or b""
    if width > 1 and not element.little and len(raw) % width == 0:
        raw = np.frombuffer(raw, f"u{width}").byteswap().tobytes()
    return b64encode(raw).decode("ascii")


def _values(element: Element, charset: Charset) -> list[Any]:
    vr = element.vr
    if vr in NUMBER_CODES:
        return [_number_or_word(value) for value in numbers(element)]
    if vr == "AT":
        pairs = numbers(element._replace(vr="US"))
        return [f"{int(a):04X}{int(b):04X}" for a, b in zip(pairs[::2], pairs[1::2], strict=False)]
    words = texts(element, charset)
    if vr == "PN":
        return [_name(word) for word in words]
    if vr == "IS":
        return [_or_text(integer(word), word) for word in words]
    if vr == "DS":
        return [_or_text(_decimal(word), word) for word in words]
    return [word or None for word in words]


def _name(word: str) -> dict[str, str] | None:
    groups = zip(_GROUPS, word.split("="), strict=False)
    return {kind: part for kind, part in groups if part.strip("^ ")} or None


def _decimal(word: str) -> int | float | None:
    whole = integer(word)
    return decimal(word) if whole is None else whole


def _or_text(value: Any, word: str) -> Any:
    return (word or None) if value is None else value


def _number_or_word(value: int | float) -> int | float | str:
    if isinstance(value, int) or math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
