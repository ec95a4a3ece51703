"""The value of an element that the profile's table leaves alone: kept only where it can be vouched
for by its type (PS3.5 6.2) and by how many values the dictionary allows it.
"""

import re
from collections.abc import Callable
from struct import calcsize

from pydicom.datadict import dictionary_has_tag, dictionary_VM

from sharing.dicom.charset import Charset
from sharing.dicom.egress import even
from sharing.dicom.elements import Element
from sharing.dicom.values import NUMBER_CODES, find, numbers, texts

from .aliases import Aliases
from .words import code_string, spoken

MOVED_GROUPS = frozenset({0x0008, 0x0018, 0x0020})
"""Their dates and times say when the images were made; those of other groups do not stay."""
TABLES = {0x00281201: 0x00281101, 0x00281202: 0x00281102, 0x00281203: 0x00281103}
TABLES |= {0x00283006: 0x00283002}
"""Lookup tables, and by which element beside it each is described."""
KINDS_OF_IMAGE = frozenset({0x00080008, 0x00089007})
MOST_VALUES = 64
_INTEGER = re.compile(r"[+-]?\d{1,10}")
_DECIMAL = re.compile(r"[+-]?(\d{1,15}(\.\d{0,15})?|\.\d{1,15})([eE][+-]?\d{1,3})?")
_TIME = re.compile(r"([01]\d|2[0-3])([0-5]\d([0-5]\d(\.\d{1,6})?)?)?")
_LISTED = ("US", "SS", "UL", "SL", "FL", "FD", "SV", "UV")
_WIDTH = {vr: calcsize(NUMBER_CODES[vr]) for vr in _LISTED} | {"AT": 4}
Said = Callable[[str], str]


def vouched(element: Element, vr: str, charset: Charset, aliases: Aliases) -> bytes | None:
    """The bytes that may stay, empty where only the element may; None where neither."""
    if element.tag in TABLES:
        return element.value
    if vr in _WIDTH:
        return _binary(element, vr)
    said = _said(element.tag, vr, aliases)
    if said is None:
        return None
    kept = [said(word) for word in texts(element, charset)]
    if element.tag in KINDS_OF_IMAGE:  # each value has its place; the fourth is never blank
        kept = kept[:3] + [word or "NONE" for word in kept[3:]]
    elif vr == "CS":
        kept = [word for word in kept if word]
    if not _counts(element.tag, len(kept)) or not any(kept):
        kept = []
    if not kept and vr not in ("CS", "IS", "DS", "UI"):
        kept = [spoken(element.tag, "")]
    return even("\\".join(kept).encode("ascii"), b"\0" if vr == "UI" else b" ")


def _said(tag: int, vr: str, aliases: Aliases) -> Said | None:
    """How a word of such an element is said; None: not at all."""
    moved = tag >> 16 in MOVED_GROUPS
    ways: dict[str, Said] = {
        "UI": aliases.uid,
        "CS": code_string,
        "IS": lambda word: word if _INTEGER.fullmatch(word) else "",
        "DS": lambda word: word if _DECIMAL.fullmatch(word) else "",
        "DA": aliases.day if moved else _nothing,
        "DT": aliases.moment if moved else _nothing,
        "TM": _time if moved else _nothing,
        "LO": lambda word: spoken(tag, word),
        "SH": lambda word: spoken(tag, word),
    }
    plain = vr in ("AE", "AS", "LT", "PN", "ST", "UC", "UR", "UT")
    return _nothing if plain else ways.get(vr)


def _nothing(word: str) -> str:
    return ""


def _time(word: str) -> str:
    return word if _TIME.fullmatch(word) else ""


def _binary(element: Element, vr: str) -> bytes | None:
    """Numbers: as many whole ones as the dictionary says, and not more than a list of them."""
    raw, width = element.value, _WIDTH[vr]
    if raw is None or len(raw) % width or not _counts(element.tag, len(raw) // width):
        return None
    if vr == "AT" and not all(map(dictionary_has_tag, _tags(element))):
        return None
    if vr in ("FL", "FD") and any(value != value for value in numbers(element)):
        return None  # not a number: its bits may say anything
    return raw


def _tags(element: Element) -> list[int]:
    """Each is two numbers, group and element (VR AT, PS3.5 6.2)."""
    halves = [int(each) for each in numbers(element._replace(vr="US"))]
    return [high << 16 | low for high, low in zip(halves[::2], halves[1::2], strict=True)]


def _counts(tag: int, count: int) -> bool:
    """Whether the dictionary allows so many values (PS3.6), and they are no more than a list."""
    try:
        least, _, most = dictionary_VM(tag).partition("-")
    except KeyError:
        return False
    top = most.removesuffix("n") if most else least
    limit = MOST_VALUES if "n" in most else int(top)
    return count == 0 or count <= limit


def is_described(element: Element, beside: tuple[Element, ...]) -> bool:
    """Of a lookup table: whether it is exactly as long as the element beside it says."""
    said = numbers(find(beside, TABLES[element.tag]))
    if element.value is None or len(said) != 3:
        return False
    entries = int(said[0]) % 65536 or 65536
    return len(element.value) in (entries * 2, entries + entries % 2)
