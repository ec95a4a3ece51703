"""What matching keys mean (PS3.4 C.2.2.2, PS3.18 8.3.4.1), apart from any database. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import zip_longest
from typing import Any

from pydicom.datadict import dictionary_VR, keyword_for_tag, tag_for_keyword

from sharing.dicom.names import fold, search_key
from sharing.kernel.errors import BadValue

from . import moments

LAST = "\U0010ffff"
"""Comes after every character that a key may hold."""
EMPTY = '""'
"""The value that asks for empty attributes, where `emptyvaluematching` was asked for."""
_UID = re.compile(r"[0-9.]{1,64}")
_TIME = re.compile(r"([01]\d|2[0-3])([0-5]\d([0-5]\d|60)?(\.\d{1,6})?)?", re.ASCII)
_LISTED = {
    *("AS", "AT", "CS", "DA", "DS", "DT", "FD", "FL", "IS"),
    *("SL", "SS", "SV", "TM", "UI", "UL", "US", "UV"),
}
"""VRs whose values hold no comma, so that one separates alternatives."""
_WILD = re.compile(r"[*?]")


@dataclass(frozen=True)
class Span:
    """From the first to the last, both included; None is an open end."""

    first: Any
    last: Any


@dataclass(frozen=True)
class Entry:
    """A range of `name_keys`: those that begin with `head`, and fit `pattern` if there is one."""

    head: str
    pattern: str | None


def is_universal(value: str) -> bool:
    """Whether the value matches everything (PS3.4 C.2.2.2.3)."""
    return not value.strip("*\\")


def has_wildcard(value: str) -> bool:
    """Whether * or ? stand in it."""
    return bool(_WILD.search(value))


def head_of(value: str) -> str:
    """What comes before the first wildcard."""
    return _WILD.split(value, maxsplit=1)[0]


def listed(value: str) -> list[str]:
    """The words of a list with commas, blanks around them (PS3.18 5.1.3), or backslashes. Raises
    BadValue where there is none.
    """
    words = [word.strip() for word in re.split(r"[,\\]", value)]
    if not any(words):
        raise BadValue("A list in the search is empty.")
    return [word for word in words if word]


def uids(value: str) -> list[str]:
    """A UID, or a list with commas or backslashes (PS3.4 C.2.2.2.2). Raises BadValue."""
    words = listed(value)
    if not all(_UID.fullmatch(word) for word in words):
        raise BadValue("A UID in the search is not a UID.")
    return words


def numbers(words: list[str]) -> list[int]:
    """Whole numbers of 32 bits, as an IS holds (PS3.5 6.2). Raises BadValue."""
    found = [int(word) for word in words if re.fullmatch(r"[+-]?[0-9]{1,11}", word)]
    if len(found) < len(words) or not all(-(2**31) <= number < 2**31 for number in found):
        raise BadValue("A number in the search is not a number.")
    return found


def days(value: str) -> Span:
    """A date or a range of dates with one or two ends (PS3.4 C.2.2.2.5), as 20261124."""
    span = _span(value)
    return Span(_day(span.first), _day(span.last))


def times(value: str) -> Span:
    """A time or a range, so that text compares: "10" to "1059" is from "10" to "1059~".

    Midnight's zeros are left out at the first end, and what is finer than the last end is in.
    """
    span = _span(value)
    first, last = (word and _time(word) for word in (span.first, span.last))
    return Span(_without_zeros(first) if first else None, f"{last}~" if last else None)


def as_moments(day: str, time: str) -> tuple[Span, Span] | None:
    """A date and a time that are both ranges, to be matched as one (PS3.4 C.2.2.2.5); None where
    either is none, or a list, or a time has no date at its end. Raises BadValue.
    """
    if not all("-" in value and not re.search(r"[,\\]", value) for value in (day, time)):
        return None
    dates, hours = days(day), times(time)
    ends = ((hours.first, dates.first), (hours.last, dates.last))
    return None if any(hour and date is None for hour, date in ends) else (dates, hours)


def entries(value: str, *, fuzzy: bool) -> list[Entry]:
    """What all must be among a name's keys: each component group that was given, as a run of whole
    words; with `fuzzy`, each word as the beginning of one, in any order and group.
    """
    runs = [fold(group.replace("^", " ")) for group in value.split("=")]
    runs = [run for run in runs if run.strip("* ")]
    if fuzzy:
        words = [word.strip("*") for run in runs for word in run.split()]
        return [_entry(f"{word}*") for word in words if word]
    return [_entry(run) for run in runs]


def _entry(run: str) -> Entry:
    if not has_wildcard(run):
        return Entry(f"{run} ", None)
    head = head_of(run)
    return Entry(head, None if run == f"{head}*" else f"{run} *")


def in_line(value: str, *, fuzzy: bool) -> list[str]:
    """The patterns that a search key with spaces around it must fit."""
    found = entries(value, fuzzy=fuzzy)
    return [f"* {one.pattern}" if one.pattern else f"* {one.head}*" for one in found]


def fits(text: str, pattern: str) -> bool:
    """Whether the whole text fits a pattern with * and ?; case matters."""
    words = (".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern)
    return re.fullmatch("".join(words), text, re.DOTALL) is not None


def _span(value: str) -> Span:
    first, dash, last = value.partition("-")
    if dash and not first and not last:
        raise BadValue("A range in the search has no end.")
    return Span(first or None, (last or None) if dash else first)


def _day(word: str | None) -> int | None:
    if word is None:
        return None
    match = re.fullmatch(r"(\d{4})(\d\d)(\d\d)", word, re.ASCII)
    try:
        made = date(*(int(part) for part in match.groups())) if match else None
    except ValueError:
        made = None
    if made is None:
        raise BadValue("A date in the search is not of the form YYYYMMDD.")
    return made.year * 10000 + made.month * 100 + made.day


def _time(word: str) -> str:
    if not _TIME.fullmatch(word):
        raise BadValue("A time in the search is not of the form HHMMSS.FFFFFF.")
    return word


def _without_zeros(word: str) -> str:
    whole, _, fraction = word.partition(".")
    fraction = fraction.rstrip("0")
    if fraction:
        return f"{whole}.{fraction}"
    while len(whole) > 2 and whole.endswith("00"):
        whole = whole[:-2]
    return whole


def matches(made: Mapping[str, Any], keys: Mapping[tuple[str, ...], str], **how: bool) -> bool:
    """Whether a DICOM JSON object matches all keys, each on the attribute at a path of tags: all
    but the last are sequences. Keys below one sequence must match in the same item, whichever
    (PS3.4 C.2.2.2.6). `how`: fuzzy, empty, several. Raises BadValue.
    """
    here: dict[str, str] = {}
    below: dict[str, dict[tuple[str, ...], str]] = {}
    for path, value in keys.items():
        if is_universal(value) and not (how["empty"] and value == EMPTY):
            continue
        if len(path) > 1:
            below.setdefault(path[0], {})[path[1:]] = value
        else:
            here[path[0]] = value
    return _at_this_level(made, here, how) and all(
        any(matches(item or {}, inner, **how) for item in _items(made.get(tag)))
        for tag, inner in below.items()
    )


def _at_this_level(made: Mapping[str, Any], keys: dict[str, str], how: dict[str, bool]) -> bool:
    """A date and its time that are both ranges are one range of moments (PS3.4 C.2.2.2.5)."""
    alone = dict(keys)
    for day, value in keys.items():
        time = time_beside(day)
        spans = as_moments(value, keys.get(time, ""))
        if spans is None:
            continue
        del alone[day], alone[time]
        if not _moment(_kept(made, day), _kept(made, time), *spans):
            return False
    return all(_attribute(made.get(tag) or {}, value, **how) for tag, value in alone.items())


@lru_cache(maxsize=256)
def time_beside(day: str) -> str:
    """The tag of the time (TM) that stands beside a date (DA) in its keyword; "" where none does"""
    word = keyword_for_tag(int(day, 16))
    found = tag_for_keyword(f"{word.removesuffix('Date')}Time") if word.endswith("Date") else None
    return f"{found:08X}" if found and dictionary_VR(found) == "TM" else ""


def _moment(kept_days: list[Any], kept_times: list[Any], dates: Span, hours: Span) -> bool:
    """Whether one date with its time is from the first moment to the last."""
    found = zip_longest(map(_plain_day, kept_days), map(_plain_time, kept_times), fillvalue="")
    return any(
        day
        and (dates.first is None or _reached(day, time, dates.first, hours.first))
        and (dates.last is None or _not_over(day, time, dates.last, hours.last))
        for day, time in found
    )


def _reached(day: str, time: str, date: int, hour: str | None) -> bool:
    return day > str(date) or (day == str(date) and (hour is None or time >= hour))


def _not_over(day: str, time: str, date: int, hour: str | None) -> bool:
    return day < str(date) or (day == str(date) and (hour is None or "" < time <= hour))


def _plain_day(kept: Any) -> str:
    """Without the points of a date of old (PS3.5 6.2)."""
    return str(kept or "").replace(".", "")


def _plain_time(kept: Any) -> str:
    """Without the colons of a time of old (PS3.5 6.2)."""
    return str(kept or "").replace(":", "")


def _kept(made: Mapping[str, Any], tag: str) -> list[Any]:
    found: list[Any] = (made.get(tag) or {}).get("Value", [])
    return found


def _items(sequence: Mapping[str, Any] | None) -> Iterable[Mapping[str, Any]]:
    """Those of a sequence; of one that is empty, absent or none all attributes are empty."""
    found = sequence or {}
    return (found.get("vr") == "SQ" and found.get("Value")) or ({},)


def _attribute(element: Mapping[str, Any], value: str, **how: bool) -> bool:
    kept = [one for one in element.get("Value", ()) if one not in ("", None)]
    if how["empty"] and value == EMPTY:
        return not kept
    vr = element.get("vr", "UN")
    words = _alternatives(vr, value, how["several"])
    return any(_one(vr, one, word, how["fuzzy"]) for word in words for one in kept)


def _alternatives(vr: str, value: str, several: bool) -> list[str]:
    if vr in _LISTED:
        return listed(value)
    return value.split("\\") if several else [value]


def _one(vr: str, kept: Any, wanted: str, fuzzy: bool) -> bool:
    if vr == "PN":
        line = f" {search_key('='.join(kept.values()))} "
        return all(fits(line, pattern) for pattern in in_line(wanted, fuzzy=fuzzy))
    if vr == "UI":
        return kept in uids(wanted)
    if vr == "DA":
        return _within(_plain_day(kept), days(wanted), str)
    if vr == "TM":
        return _within(_plain_time(kept), times(wanted), str)
    if vr == "DT":
        return _during(str(kept), wanted)
    if isinstance(kept, int | float):
        return _number(wanted) == kept
    return fits(str(kept), wanted)


def _within(kept: str, span: Span, form: Any) -> bool:
    after = span.first is None or kept >= form(span.first)
    return after and (span.last is None or kept <= form(span.last))


def _during(kept: str, wanted: str) -> bool:
    try:
        first, last = moments.ends(wanted)
    except ValueError:
        raise BadValue("A date and time in the search is malformed.") from None
    return moments.within(kept, first, last)


def _number(word: str) -> float:
    try:
        return float("" if "_" in word else word)
    except ValueError:
        raise BadValue("A number in the search is not a number.") from None
