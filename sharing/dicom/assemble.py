"""A DICOM file of metadata and bulk data that came apart (PS3.18 10.5.1.4, 10.5.2).

DICOM JSON in, a Part 10 file in Explicit VR Little Endian out, or in the transfer syntax of its
compressed pixel data. Bulk data stay where they are and are read while the file is written.
"""

import codecs
import re
import struct
from base64 import b64decode
from binascii import Error as NoBase64
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import orjson
from pydicom.datadict import dictionary_VR
from pydicom.valuerep import format_number_as_ds

from .bulk import Bulk, bare, syntax_of
from .child import still_in_child
from .egress import ITEM_END, SEQUENCE_END, fitting, head, item_head, meta_information
from .elements import LONG_VRS, SHORT_VRS, UNDEFINED, Limits
from .errors import BadDicom, CannotRender
from .pixel_macro import described, macro_of
from .scan import EXPLICIT_LE
from .still import MEDIA as STILLS
from .values import NUMBER_CODES

JsonObject = dict[str, Any]
Lookup = Callable[[str], list[Bulk]]
"""The parts of a BulkDataURI, in order of their frames; none where nothing was sent for it."""
PIXELS = "7FE00010"
PIECE = 256 * 1024
MAX_STILL = 64 * 1024**2
_BINARY = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})
_KINDS = ("Value", "InlineBinary", "BulkDataURI")
_RANGES = {"B": 8, "H": 16, "I": 32, "Q": 64, "h": 16, "i": 32, "q": 64}
_TAG = re.compile(r"[0-9A-Fa-f]{8}")
_UID = re.compile(r"[0-9.]{1,64}")
Piece = bytes | Bulk


def read_json(raw: bytes, limits: Limits | None = None) -> list[JsonObject]:
    """The instances of a DICOM JSON document (PS3.18 F.2): an array of objects, or one object.

    Raises BadDicom: bad_metadata, too_many_elements (counted before anything is built).
    """
    bounds = limits or Limits()
    if raw.count(b"{") + raw.count(b"[") > bounds.elements:
        raise BadDicom("too_many_elements")
    try:
        made = orjson.loads(raw.removeprefix(codecs.BOM_UTF8))  # some write it (RFC 8259 8.1)
    except orjson.JSONDecodeError as wrong:
        raise BadDicom("bad_metadata") from wrong
    found = [made] if isinstance(made, dict) else made
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise BadDicom("bad_metadata")
    return found


def assemble(made: JsonObject, bulk: Lookup, limits: Limits | None = None) -> Iterator[bytes]:
    """The instance as a Part 10 file, in pieces of up to 256 KiB.

    Missing attributes of the Image Pixel module are derived from compressed pixel data. Text is
    UTF-8 and says so. Raises BadDicom: bad_metadata, bad_value, bulk_data_missing,
    bulk_media_type, missing_sop_uid, missing_sop_class, too_deep.
    """
    data_set = {tag: one for tag, one in made.items() if not tag.startswith("0002")}
    pixels = _pixels(data_set, bulk)
    if pixels and pixels.derived:
        data_set = pixels.derived | data_set
    syntax = pixels.syntax if pixels else EXPLICIT_LE
    writer = _Writer(bulk, limits or Limits(), syntax)
    pieces = writer.data_set(data_set, pixels)
    sop_class, sop_uid = _uid(data_set, "00080016"), _uid(data_set, "00080018")
    if not sop_class or not sop_uid:
        raise BadDicom("missing_sop_uid" if sop_class else "missing_sop_class")
    yield meta_information(sop_class, sop_uid, syntax)
    for piece in pieces:
        yield from _read(piece)


def identity(made: JsonObject) -> tuple[str, str]:
    """SOP Class and SOP Instance UID as the metadata say them, "" where that is no UID."""
    found = (str(_value(made, tag)) for tag in ("00080016", "00080018"))
    sop_class, sop_uid = (uid if _UID.fullmatch(uid) else "" for uid in found)
    return sop_class, sop_uid


def _read(piece: Piece) -> Iterator[bytes]:
    if isinstance(piece, bytes):
        yield piece
        return
    for start in range(0, piece.length, PIECE):
        yield piece.read(start, min(PIECE, piece.length - start))


def _uid(data_set: JsonObject, tag: str) -> str:
    found = _value(data_set, tag)
    return found if isinstance(found, str) and found.isascii() and len(found) <= 64 else ""


@dataclass(frozen=True)
class _Pixels:
    """Pixel data: its parts, their syntax, and the attributes that follow from them."""

    parts: list[Bulk]
    syntax: str
    derived: JsonObject


def _pixels(data_set: JsonObject, bulk: Lookup) -> _Pixels | None:
    """None where there are no pixel data, or plain ones. Raises BadDicom."""
    element = data_set.get(PIXELS)
    uri = element.get("BulkDataURI") if isinstance(element, dict) else None
    parts = bulk(uri) if isinstance(uri, str) else []
    if not parts or not parts[0].is_compressed:
        if any(part.is_compressed for part in parts):
            raise BadDicom("bulk_media_type")
        return None
    if parts[0].media in STILLS:
        return _stills(parts, data_set)
    syntaxes = {syntax_of(part) for part in parts}
    if len(syntaxes) != 1:
        raise BadDicom("bulk_media_type")
    if not parts[0].holds_many_frames and len(parts) != _frames(data_set, len(parts)):
        raise BadDicom("bulk_data_missing")
    syntax, parts = syntaxes.pop(), [bare(part) for part in parts]
    derived = described(parts[0], syntax, len(parts))
    if "00282110" in data_set:
        derived = {tag: one for tag, one in derived.items() if not tag.startswith("002821")}
    return _Pixels(parts, syntax, derived)


def _stills(parts: list[Bulk], data_set: JsonObject) -> _Pixels:
    """Pictures without a transfer syntax, as plain pixels; what they show is what is stored."""
    if any(part.media not in STILLS or part.length > MAX_STILL for part in parts):
        raise BadDicom("bulk_media_type")
    try:
        stills = [still_in_child(part.read(0, part.length)) for part in parts]
    except CannotRender:
        raise BadDicom("bulk_media_type") from None
    if len({still[1:5] for still in stills}) != 1:
        raise BadDicom("bulk_media_type")
    raw = b"".join(still.pixels for still in stills)
    derived = macro_of(stills[0], sum(still.frames for still in stills))
    if stills[0].samples == 1 and str(_value(data_set, "00280004")).startswith("MONOCHROME"):
        del derived["00280004"]
    for tag in derived:
        data_set.pop(tag, None)
    return _Pixels([Bulk("", "", len(raw), lambda at, n: raw[at : at + n])], EXPLICIT_LE, derived)


def _value(data_set: JsonObject, tag: str) -> Any:
    element = data_set.get(tag)
    values = element.get("Value") if isinstance(element, dict) else None
    return values[0] if isinstance(values, list) and values else None


def _frames(data_set: JsonObject, default: int) -> int:
    """Number of Frames (0028,0008) as the metadata say it; `default` where they don't."""
    said = _value(data_set, "00280008")
    if said is None:
        return default
    words = str(said)
    return int(words) if words.isdecimal() and len(words) <= 12 else 0


class _Writer:
    """Writes data sets as lists of pieces, bulk data by reference."""

    def __init__(self, bulk: Lookup, limits: Limits, syntax: str) -> None:
        self._bulk, self._limits, self._syntax = bulk, limits, syntax
        self._count, self._foreign = 0, False

    def data_set(self, made: JsonObject, pixels: _Pixels | None, depth: int = 0) -> list[Piece]:
        """The elements in ascending order. Text beyond ASCII gets its character set."""
        if depth > self._limits.depth:
            raise BadDicom("too_deep")
        written: dict[int, list[Piece]] = {}
        for tag, element in made.items():
            number = _number(tag)
            if number & 0xFFFF == 0 or number == 0x00080005:
                continue
            if pixels and tag == PIXELS:
                plain = pixels.syntax == EXPLICIT_LE
                written[number] = _native(pixels) if plain else _encapsulated(pixels.parts)
            else:
                written[number] = self._element(number, element, made, depth)
        if "00080005" in made or (self._foreign and depth == 0):
            written[0x00080005] = [head(0x00080005, "CS", 10) + b"ISO_IR 192"]
        return [piece for number in sorted(written) for piece in written[number]]

    def _element(self, tag: int, element: Any, made: JsonObject, depth: int) -> list[Piece]:
        self._count += 1
        if self._count > self._limits.elements:
            raise BadDicom("too_many_elements")
        vr, kind = _shape(tag, element)
        if vr == "SQ":
            return self._sequence(tag, element.get("Value", []), depth)
        if kind == "BulkDataURI":
            return self._referenced(tag, vr, element[kind], made)
        value = _inline(element[kind]) if kind == "InlineBinary" else b""
        if kind == "Value":
            value = self._values(vr, element[kind])
        return [head(tag, fitting(vr, len(value)), len(value)) + value]

    def _referenced(self, tag: int, vr: str, uri: Any, made: JsonObject) -> list[Piece]:
        parts = self._bulk(uri) if isinstance(uri, str) else []
        length = sum(part.length for part in parts)
        if not parts or length >= UNDEFINED - 1:
            raise BadDicom("bulk_data_missing" if not parts else "too_large")
        if tag == 0x7FE00010 and any(part.is_compressed for part in parts):
            return self._icon(parts)
        if tag == 0x7FE00010 and (vr not in ("OB", "OW") or _first(made, "00280100") > 8):
            vr = "OW"  # PS3.5 A.2
        odd = length % 2
        pad = b" " if vr in ("LT", "ST", "UC", "UR", "UT") else b"\0"
        return [head(tag, fitting(vr, length + odd), length + odd), *parts, pad * odd]

    def _icon(self, parts: list[Bulk]) -> list[Piece]:
        """Compressed pixels of an item: in the syntax of the object's own (PS3.5 A.4), or none."""
        if {syntax_of(part) for part in parts} != {self._syntax}:
            raise BadDicom("bulk_media_type")
        return _encapsulated([bare(part) for part in parts])

    def _sequence(self, tag: int, items: Any, depth: int) -> list[Piece]:
        if not isinstance(items, list):
            raise BadDicom("bad_metadata")
        pieces: list[Piece] = [head(tag, "SQ", UNDEFINED)]
        for item in items:
            if not isinstance(item, dict | None):
                raise BadDicom("bad_metadata")
            pieces.append(item_head(UNDEFINED))
            pieces += self.data_set(item or {}, None, depth + 1)
            pieces.append(ITEM_END)
        return [*pieces, SEQUENCE_END]

    def _values(self, vr: str, values: Any) -> bytes:
        if not isinstance(values, list):
            raise BadDicom("bad_metadata")
        if vr in _BINARY:
            raise BadDicom("bad_value")
        if vr in NUMBER_CODES:
            some = any(value is not None for value in values)
            return b"".join(_packed(NUMBER_CODES[vr], value) for value in values if some)
        if vr == "AT":
            numbers = [_number(value) for value in values]
            return b"".join(struct.pack("<HH", n >> 16, n & 0xFFFF) for n in numbers)
        text = "\\".join(_text(vr, value) for value in values)
        self._foreign = self._foreign or not text.isascii()
        try:
            raw = text.encode()
        except UnicodeEncodeError:
            raise BadDicom("bad_value") from None
        return raw + (b"\0" if vr == "UI" else b" ") * (len(raw) % 2)


def _shape(tag: int, element: Any) -> tuple[str, str]:
    """The VR, and which of Value, InlineBinary and BulkDataURI there is, "" for an empty one."""
    if not isinstance(element, dict) or tag >> 16 in (0, 2, 0xFFFE):
        raise BadDicom("bad_metadata")
    kinds = [kind for kind in _KINDS if element.get(kind) not in (None, [], "")]
    vr = element.get("vr") or _known(tag)
    known = isinstance(vr, str) and vr in LONG_VRS | SHORT_VRS
    if len(kinds) > 1 or not known:
        raise BadDicom("bad_metadata")
    if vr == "SQ" and kinds not in ([], ["Value"]):
        raise BadDicom("bad_metadata")
    return vr, kinds[0] if kinds else ""


def _known(tag: int) -> str:
    try:
        return dictionary_VR(tag)[:2]
    except KeyError:
        return "UN"


def _number(tag: Any) -> int:
    if not isinstance(tag, str) or not _TAG.fullmatch(tag):
        raise BadDicom("bad_metadata")
    return int(tag, 16)


def _first(made: JsonObject, tag: str) -> int:
    value = _value(made, tag)
    return value if isinstance(value, int) else 0


def _inline(text: Any) -> bytes:
    try:
        raw = b64decode(text, validate=True)
    except (NoBase64, ValueError, TypeError):
        raise BadDicom("bad_value") from None
    return raw + b"\0" * (len(raw) % 2)


def _packed(code: str, value: Any) -> bytes:
    """One number; JSON may give 64 bits (PS3.18 F.2.3) and what is not finite as text.

    A null among floats is NaN: others write it so (dcm4che issue 329), and so did we.
    """
    if isinstance(value, bool) or "_" in str(value):  # numbers to Python alone
        raise BadDicom("bad_value")
    try:
        value = "NaN" if value is None and code in "fd" else value
        number = float(value) if code in "fd" else int(value)
        if isinstance(value, float) and number != value and code not in "fd":
            raise BadDicom("bad_value")
        return struct.pack(f"<{code}", number)
    except (ValueError, TypeError, OverflowError, struct.error):
        raise BadDicom("bad_value") from None


def _text(vr: str, value: Any) -> str:
    if value is None:
        return ""
    if vr == "PN":
        return _name(value)
    if isinstance(value, str):
        return value
    if vr not in ("DS", "IS") or isinstance(value, bool) or not isinstance(value, int | float):
        raise BadDicom("bad_value")
    return _decimal(value) if vr == "DS" else _integer(value)


def _integer(value: float) -> str:
    if value != value // 1 or abs(value) >= 2**31:
        raise BadDicom("bad_value")
    return str(int(value))


def _decimal(value: float) -> str:
    """At most 16 characters, by rounding where it takes more (PS3.5 6.2)."""
    plain = orjson.dumps(value).decode() if abs(value) < 2**63 else ""
    try:
        return plain if 0 < len(plain) <= 16 else str(format_number_as_ds(float(value)))
    except (ValueError, OverflowError):
        raise BadDicom("bad_value") from None


def _name(value: Any) -> str:
    """The groups of a name (PS3.18 F.2.2), or a name that was sent as plain text."""
    if isinstance(value, str):
        return value
    if not isinstance(value, dict):
        raise BadDicom("bad_value")
    groups = [value.get(kind, "") for kind in ("Alphabetic", "Ideographic", "Phonetic")]
    if not all(isinstance(group, str) for group in groups):
        raise BadDicom("bad_value")
    return "=".join(groups).rstrip("=")


def _native(pixels: _Pixels) -> list[Piece]:
    (part,) = pixels.parts
    vr = "OW" if _first(pixels.derived, "00280100") > 8 else "OB"
    odd = part.length % 2
    return [head(0x7FE00010, vr, part.length + odd), part, b"\0" * odd]


def _encapsulated(parts: list[Bulk]) -> list[Piece]:
    """One fragment for each part, after a basic offset table where it can hold them (PS3.5 A.4)."""
    lengths = [part.length + part.length % 2 for part in parts]
    starts = [0, *accumulate(length + 8 for length in lengths)]
    table = b"".join(struct.pack("<I", start) for start in starts[:-1] if starts[-1] < UNDEFINED)
    if parts[0].holds_many_frames:
        table = b""
    pieces: list[Piece] = [head(0x7FE00010, "OB", UNDEFINED) + item_head(len(table)) + table]
    for part, length in zip(parts, lengths, strict=True):
        if part.length >= UNDEFINED - 1:
            raise BadDicom("too_large")
        pieces += [item_head(length), part, b"\0" * (length - part.length)]
    return [*pieces, SEQUENCE_END]
