"""What somebody types into the one search box, understood: words of a name or a number, kinds of
images, days. Pure.
"""

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta

KINDS = {  # what is typed -> Modality (0008,0060), PS3.3 C.7.3.1.1.1
    "angiography": ("XA",),
    "mammo": ("MG",),
    "mammography": ("MG",),
    "mri": ("MR",),
    "pet": ("PT",),
    "sonography": ("US",),
    "ultrasound": ("US",),
    "x-ray": ("CR", "DX"),
    "xray": ("CR", "DX"),
    "超声": ("US",),
    "核磁": ("MR",),
    "磁共振": ("MR",),
    "胸片": ("CR", "DX"),
    "钼靶": ("MG",),
}
CODES = frozenset(
    [
        "CR",
        "CT",
        "DX",
        "ECG",
        "ES",
        "MG",
        "MR",
        "NM",
        "OP",
        "OT",
        "PT",
        "PX",
        "RF",
        "RG",
        "SM",
        "SR",
        "US",
        "XA",
        "XC",
    ]
)
"""Only in capitals: Mr Us and Mrs Ct are people."""
MONTHS = {name.lower(): number for number, name in enumerate(calendar.month_abbr) if name}
_DAY = re.compile(r"(\d{4})[-./年]?(\d{2})[-./月]?(\d{2})日?")
_MONTH = re.compile(r"(\d{4})[-./年](\d{1,2})月?")
_SPOKEN = re.compile(r"(?:(\d{1,2}) )?([a-z]{3})[a-z]* (\d{4})", re.IGNORECASE)


@dataclass(frozen=True)
class Typed:
    """`text`: a name, an identifier or an accession number; the days are both included."""

    text: str = ""
    modalities: tuple[str, ...] = ()
    since: date | None = None
    until: date | None = None


def understood(query: str) -> Typed:
    """`lin CT 2026-11` is CT studies of November 2026 of somebody whose name has a word lin."""
    rest, days = _days(query)
    found = {word: _kinds(word) for word in rest.split()}
    modalities = dict.fromkeys(code for codes in found.values() for code in codes)
    text = " ".join(word for word in rest.split() if not found[word])
    return Typed(text, tuple(modalities), *days)


def _kinds(word: str) -> tuple[str, ...]:
    return (word,) if word in CODES else KINDS.get(word.lower(), ())


def _days(query: str) -> tuple[str, tuple[date | None, date | None]]:
    """What is left of the query without the first date in it, and the days that it names."""
    spoken = _SPOKEN.search(query)
    if spoken and spoken[2].lower() in MONTHS:
        span = _span(int(spoken[3]), MONTHS[spoken[2].lower()], int(spoken[1] or 0))
        if span:
            return query.replace(spoken[0], " ", 1), span
    for word in query.split():
        day, month = _DAY.fullmatch(word), _MONTH.fullmatch(word)
        parts = day or month
        span = _span(*(int(part) for part in parts.groups())) if parts else None
        if span:
            return query.replace(word, " ", 1), span
    return query, (None, None)


def _span(year: int, month: int, day: int = 0) -> tuple[date, date] | None:
    """A day, or all of a month; nothing where the calendar has no such day."""
    try:
        first = date(year, month, day or 1)
    except ValueError:
        return None
    if day:
        return first, first
    return first, (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)
