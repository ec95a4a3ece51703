"""The Native DICOM Model (PS3.19 A.1): DICOM JSON as XML, and XML of others as DICOM JSON.

Both ways go through the JSON object of PS3.18 annex F, so that there is one model in the house.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import orjson
from pydicom.datadict import keyword_for_tag

JsonObject = dict[str, Any]
NAMESPACE = "http://dicom.nema.org/PS3.19/models/NativeDICOM"
GROUPS = ("Alphabetic", "Ideographic", "Phonetic")
COMPONENTS = ("FamilyName", "GivenName", "MiddleName", "NamePrefix", "NameSuffix")
_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    f'<NativeDicomModel xmlns="{NAMESPACE}" xml:space="preserve">'
)
_SPECIAL = re.compile(
    "[^\t\n\x20-\x21\x23-\x25\x27-\x3b\x3d\x3f-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
)
_SPACE = re.compile("[\t\n]")
_NAMED = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;"}


def to_xml(json_object: JsonObject | bytes) -> bytes:
    """One instance's DICOM JSON, as an object or as its bytes, in UTF-8 XML.

    Private elements lose their block and name their creator (PS3.19 table A.1.5-2). Characters
    that XML 1.0 can't hold become U+FFFD. Group lengths are left out.
    """
    made = orjson.loads(json_object) if isinstance(json_object, bytes) else json_object
    return "".join((_HEAD, *_data_set(made), "</NativeDicomModel>")).encode()


def _data_set(made: JsonObject) -> Iterator[str]:
    for tag in sorted(made):
        if not tag.endswith("0000"):
            yield from _attribute(tag, made[tag], made)


def _attribute(tag: str, element: JsonObject, made: JsonObject) -> Iterator[str]:
    vr = element.get("vr", "UN")
    yield f'<DicomAttribute {_name(tag, made)} vr="{_text(vr)}">'
    if "BulkDataURI" in element:
        yield f'<BulkData uri="{_text(element["BulkDataURI"])}"/>'
    elif "InlineBinary" in element:
        yield f"<InlineBinary>{_text(element['InlineBinary'])}</InlineBinary>"
    else:
        for number, value in enumerate(element.get("Value", ()), 1):
            yield from _value(vr, number, value)
    yield "</DicomAttribute>"


def _name(tag: str, made: JsonObject) -> str:
    """What names an element: tag and keyword, or group, number in its block, and creator."""
    if int(tag[3], 16) % 2 and tag[4:6] != "00":
        creator = made.get(f"{tag[:4]}00{tag[4:6]}", {}).get("Value")
        if creator and isinstance(creator[0], str):
            inside = _SPACE.sub(" ", _text(creator[0]))
            return f'tag="{tag[:4]}00{tag[6:]}" privateCreator="{inside}"'
    return f'tag="{tag}"{_keyword(tag)}'


@lru_cache(8192)
def _keyword(tag: str) -> str:
    word = keyword_for_tag(int(tag, 16))
    return f' keyword="{word}"' if word else ""


def _value(vr: str, number: int, value: Any) -> Iterator[str]:
    if vr == "SQ":
        yield f'<Item number="{number}">'
        yield from _data_set(value or {})
        yield "</Item>"
    elif vr == "PN":
        yield f'<PersonName number="{number}">'
        yield from _person(value or {})
        yield "</PersonName>"
    else:
        yield f'<Value number="{number}">{_plain(value)}</Value>'


def _person(value: JsonObject) -> Iterator[str]:
    for group in GROUPS:
        if value.get(group):
            yield f"<{group}>"
            # A sixth component is illegal, and nothing that was sent is dropped.
            for component, part in zip(COMPONENTS, value[group].split("^", 4), strict=False):
                if part:
                    yield f"<{component}>{_text(part)}</{component}>"
            yield f"</{group}>"


def _plain(value: Any) -> str:
    if isinstance(value, str):
        return _text(value)
    return "" if value is None else orjson.dumps(value).decode()


def _text(value: str) -> str:
    return _SPECIAL.sub(lambda found: _NAMED.get(found[0], "\ufffd"), value)
