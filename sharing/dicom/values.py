"""Python values of elements: text, numbers, dates. Nothing here raises on odd content."""

import math
import re
import struct
from collections.abc import Iterable
from datetime import date

from .charset import LONG_TEXT_VRS, Charset
from .elements import Element

NUMBER_CODES = {
    "FD": "d", "FL": "f", "SL": "i", "SS": "h", "SV": "q", "UL": "I", "US": "H", "UV": "Q",
    "OD": "d", "OF": "f", "OL": "I", "OV": "Q",
}  # fmt: skip
_INTEGER = re.compile(r"[+-]?\d{1,18}")
_DATE = re.compile(r"(\d{4})[.]?(\d\d)[.]?(\d\d)")


def find(elements: Iterable[Element], tag: int) -> Element | None:
    """The element with this tag at this level, if there is one."""
    return next((element for element in elements if element.tag == tag), None)


def texts(element: Element | None, charset: Charset) -> list[str]:
    """The values of a text element, padding stripped; an empty list where there is none."""
    if element is None or not element.value:
        return []
    # NUL is no text: databases refuse it, and some writers pad with it.
    whole = charset.decode(element.value, element.vr).replace("\0", "")
    if element.vr in LONG_TEXT_VRS:
        return [whole.rstrip(" ")]
    return [part.strip(" \t\r\n") for part in whole.split("\\")]


def text(element: Element | None, charset: Charset) -> str:
    """All values of a text element, as one string."""
    return "\\".join(texts(element, charset))


def numbers(element: Element | None) -> list[int | float]:
    """The values of a binary number element (US, FD, ...); bytes left over are dropped."""
    if element is None or not element.value or element.vr not in NUMBER_CODES:
        return []
    code = NUMBER_CODES[element.vr]
    count = len(element.value) // struct.calcsize(code)
    order = "<" if element.little else ">"
    return list(struct.unpack_from(f"{order}{count}{code}", element.value))


def whole(element: Element | None, default: int) -> int:
    """The first value of a binary element where it is a whole number that fits 32 bits."""
    found = numbers(element)
    good = found and isinstance(found[0], int) and abs(found[0]) < 2**31
    return int(found[0]) if good else default


def integer(words: str) -> int | None:
    """The integer of an IS value (PS3.5 6.2), None where it is none."""
    return int(words) if _INTEGER.fullmatch(words) else None


def decimal(words: str) -> float | None:
    """The finite number of a DS value, None where it is none."""
    try:
        value = float(words)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def day(words: str) -> date | None:
    """The date of a DA value, None where it is impossible."""
    match = _DATE.fullmatch(words)
    if not match:
        return None
    try:
        return date(*(int(part) for part in match.groups()))
    except ValueError:
        return None
