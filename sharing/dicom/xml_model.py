"""The Native DICOM Model (PS3.19 A.1): DICOM JSON as XML, and XML of others as DICOM JSON.

Both ways go through the JSON object of PS3.18 annex F, so that there is one model in the house.
"""

import math
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache
from io import BytesIO
from typing import Any
from xml.parsers import expat

import orjson
from pydicom.datadict import dictionary_VR, keyword_for_tag

from .elements import Limits
from .errors import BadDicom

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
_TAG = re.compile("[0-9A-F]{8}")
_WHOLE = frozenset({"IS", "SL", "SS", "SV", "UL", "US", "UV"})
_NUMERIC = _WHOLE | {"DS", "FD", "FL"}
_INTEGER = re.compile("[+-]?[0-9]{1,18}")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
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


def from_xml(raw: bytes, limits: Limits | None = None) -> JsonObject:
    """The DICOM JSON of one Native DICOM Model document, blocks of private elements given anew.

    Decimals and integers stay text where the text says more than the number. A document type is
    refused, so there are no entities. Raises BadDicom: bad_metadata, too_deep, too_many_elements.
    """
    reader = _Reader(limits or Limits())
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = _no_document_type
    try:
        parser.ParseFile(BytesIO(raw))
    except (expat.ExpatError, ValueError, LookupError) as wrong:
        raise BadDicom("bad_metadata") from wrong
    return reader.made


def _no_document_type(*_: object) -> None:
    raise BadDicom("bad_metadata")


_INSIDE = {
    "": {"NativeDicomModel"},
    "NativeDicomModel": {"DicomAttribute"},
    "Item": {"DicomAttribute"},
    "DicomAttribute": {"Value", "PersonName", "Item", "BulkData", "InlineBinary"},
    "PersonName": set(GROUPS),
    **{group: set(COMPONENTS) for group in GROUPS},
}
_TEXTS = frozenset({"Value", "InlineBinary", *COMPONENTS})


class _Node:
    """An open element; `parts` are what its children became."""

    __slots__ = ("given", "name", "parts", "texts")

    def __init__(self, name: str, given: dict[str, str]) -> None:
        self.name, self.given = name, given
        self.parts: list[tuple[str, Any]] = []
        self.texts: list[str] = []


class _Reader:
    """Makes JSON of elements as they end, so that memory is that of the JSON."""

    def __init__(self, limits: Limits) -> None:
        self.made: JsonObject = {}
        self._limits, self._count, self._depth = limits, 0, 0
        self._open = [_Node("", {})]

    def start(self, name: str, given: dict[str, str]) -> None:
        space, _, local = name.rpartition(" ")
        if space not in ("", NAMESPACE) or local not in _INSIDE.get(self._open[-1].name, ()):
            raise BadDicom("bad_metadata")
        self._count += 1
        self._depth += local == "Item"
        if self._count > self._limits.elements:
            raise BadDicom("too_many_elements")
        if self._depth > self._limits.depth:
            raise BadDicom("too_deep")
        self._open.append(_Node(local, given))

    def text(self, data: str) -> None:
        node = self._open[-1]
        if node.name in _TEXTS:
            node.texts.append(data)
        elif not data.isspace():
            raise BadDicom("bad_metadata")

    def end(self, name: str) -> None:
        node = self._open.pop()
        value: Any
        if node.name in ("Item", "NativeDicomModel"):
            self._depth -= node.name == "Item"
            value = _placed(node.parts)
        elif node.name == "DicomAttribute":
            value = _Attribute(node)
        elif node.name == "PersonName":
            value = {key: part for key, part in node.parts if part} or None
        elif node.name in GROUPS:
            known = dict(node.parts)
            value = "^".join(known.get(key, "") for key in COMPONENTS).rstrip("^")
        elif node.name == "BulkData":
            value = node.given.get("uri") or node.given["uuid"]
        else:
            value = "".join(node.texts)
        if node.name == "NativeDicomModel":
            self.made = value
        numbered = node.name in ("Value", "Item", "PersonName")
        self._open[-1].parts.append((node.given["number"] if numbered else node.name, value))


class _Attribute:
    """One DicomAttribute: where it belongs, and its JSON."""

    def __init__(self, node: _Node) -> None:
        self.tag = node.given["tag"].upper()
        if not _TAG.fullmatch(self.tag):
            raise BadDicom("bad_metadata")
        self.creator = node.given.get("privateCreator", "")
        vr = node.given.get("vr") or dictionary_VR(int(self.tag, 16))[:2]
        self.made: JsonObject = {"vr": vr}
        names = [name for name, _ in node.parts]
        if names == ["BulkData"]:
            self.made["BulkDataURI"] = node.parts[0][1]
        elif names == ["InlineBinary"]:
            self.made["InlineBinary"] = "".join(node.parts[0][1].split())
        elif names:
            ordered = sorted((int(name), value) for name, value in node.parts)
            if [number for number, _ in ordered] != list(range(1, len(names) + 1)):
                raise BadDicom("bad_metadata")
            self.made["Value"] = [_number(vr, value) for _, value in ordered]


def _number(vr: str, value: Any) -> Any:
    """The value as JSON has it; a decimal whose text is not its number's own stays text."""
    if not isinstance(value, str):
        return value
    read = _read(vr, value) if vr in _NUMERIC else None
    if read is None:
        return value or None
    same = vr not in ("DS", "IS") or orjson.dumps(read).decode() == value
    return read if same else value


def _read(vr: str, text: str) -> int | float | None:
    if _INTEGER.fullmatch(text):
        return int(text) if vr in _WHOLE or vr == "DS" else float(text)
    if vr in _WHOLE or not _DECIMAL.fullmatch(text):
        return None
    return float(text) if math.isfinite(float(text)) else None


def _placed(parts: list[tuple[str, Any]]) -> JsonObject:
    """A data set: its elements by tag, private ones in blocks that their creators reserve."""
    made: JsonObject = {}
    blocks = _Blocks(made)
    for _, one in parts:
        if not one.creator:
            if one.tag in made:
                raise BadDicom("bad_metadata")
            made[one.tag] = one.made
            blocks.note(one.tag, one.made)
    for _, one in parts:
        if one.creator:
            made[blocks.place(one.tag, one.creator)] = one.made
    return dict(sorted(made.items()))


class _Blocks:
    """The private blocks of one data set: who reserved which (PS3.5 7.8.1)."""

    def __init__(self, made: JsonObject) -> None:
        self._made = made
        self._of: dict[tuple[str, str], list[str]] = defaultdict(list)
        self._next: dict[str, int] = {}

    def note(self, tag: str, element: JsonObject) -> None:
        """A creator that was sent as an element of its own."""
        values = element.get("Value")
        if tag[4:6] == "00" and int(tag[3], 16) % 2 and values and isinstance(values[0], str):
            self._of[tag[:4], values[0]].append(tag[6:])

    def place(self, tag: str, creator: str) -> str:
        """The element's tag in its creator's block; a new block where it has none or is taken."""
        group, number = tag[:4], tag[6:]
        if int(group, 16) % 2 == 0:
            raise BadDicom("bad_metadata")
        tags = (f"{group}{block}{number}" for block in self._of[group, creator])
        free = next((tag for tag in tags if tag not in self._made), None)
        return free or f"{group}{self._reserve(group, creator)}{number}"

    def _reserve(self, group: str, creator: str) -> str:
        for block in range(self._next.get(group, 0x10), 0x100):
            self._next[group] = block + 1
            if f"{group}00{block:02X}" not in self._made:
                self._made[f"{group}00{block:02X}"] = {"vr": "LO", "Value": [creator]}
                self._of[group, creator].append(f"{block:02X}")
                return f"{block:02X}"
        raise BadDicom("too_many_elements")
