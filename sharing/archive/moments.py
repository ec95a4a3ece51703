"""Dates and times in one value, the VR DT (PS3.5 6.2), as keys and as what is stored. Pure.

Parts may be left out from the right: then all of the year, day or minute is meant. A hyphen makes a
range and an offset from UTC alike; where it can be an offset it is one (PS3.4 C.2.2.2.5.3).
"""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import datetime, timedelta

_PARTS = r"(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?(?:(?<=\d{14})\.(\d{1,6}))?"
_OFFSET = r"([+-](?:0\d|1[0-4])[0-5]\d)?"
_ONE = re.compile(_PARTS + _OFFSET, re.ASCII)
_TWO = re.compile(f"({_PARTS}{_OFFSET})?-({_PARTS}{_OFFSET})?", re.ASCII)
_GROUPS = 9  # of one end of a range, the end itself among them


@dataclass(frozen=True)
class Moment:
    """The first and the last instant that a DT means, by its clock; and its clock's offset."""

    first: datetime
    last: datetime
    ahead: timedelta | None

    @classmethod
    def parse(cls, text: str) -> "Moment":
        """Raises ValueError."""
        match = _ONE.fullmatch(text)
        if match is None:
            raise ValueError
        *parts, fraction, offset = match.groups()
        return cls(_filled(parts, fraction), _filled(parts, fraction, last=True), _ahead(offset))


def _filled(parts: list[str | None], fraction: str | None, *, last: bool = False) -> datetime:
    """What was left out is the least there is, or the most. Raises ValueError."""
    default = (0, 12, 31, 23, 59, 59) if last else (0, 1, 1, 0, 0, 0)
    found = [int(part or rest) for part, rest in zip(parts, default, strict=True)]
    year, month, day, hour, minute, second = found
    if parts[2] is None:
        day = min(day, monthrange(year, month)[1])
    micro = int((fraction or "").ljust(6, "9" if last else "0"))
    return datetime(year, month, day, hour, minute, min(second, 59), micro)  # noqa: DTZ001 - a clock's


def _ahead(offset: str | None) -> timedelta | None:
    if offset is None:
        return None
    made = timedelta(hours=int(offset[1:3]), minutes=int(offset[3:]))
    return -made if offset[0] == "-" else made


def ends(value: str) -> tuple[Moment | None, Moment | None]:
    """Of a single value or a range, whose one end may be open. Raises ValueError."""
    if _ONE.fullmatch(value):
        only = Moment.parse(value)
        return only, only
    match = _TWO.fullmatch(value)
    if match is None or value == "-":
        raise ValueError
    first, last = (match[group] and Moment.parse(match[group]) for group in (1, 1 + _GROUPS))
    return first or None, last or None


def within(kept: str, first: Moment | None, last: Moment | None) -> bool:
    """Whether a stored DT begins in the range; one that is malformed never does.

    Where only one of two says its offset they are compared as their clocks showed them.
    """
    try:
        begins = Moment.parse(kept)
        after = first is None or begins.first - _between(begins, first) >= first.first
        return after and (last is None or begins.first - _between(begins, last) <= last.last)
    except (ValueError, OverflowError):
        return False


def _between(one: Moment, other: Moment) -> timedelta:
    """How far one clock is ahead of the other."""
    if one.ahead is None or other.ahead is None:
        return timedelta()
    return one.ahead - other.ahead
