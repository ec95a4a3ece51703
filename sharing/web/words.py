"""How pages write names, dates, ages and grounds. Pure: no request, no database."""

from datetime import date, datetime, timedelta

from sharing.kernel.saying import in_chinese

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
SEXES = {"M": "Male", "F": "Female", "O": "Other"}

GROUNDS = {  # kind of ground -> icon, class of the line
    "consent": ("shield-check", ""),
    "own": ("house-check", "g-own"),
    "shared": ("share", ""),
    "referrer": ("person-lines-fill", "g-own"),
    "emergency": ("exclamation-octagon", "g-glass"),
    "policy": ("file-earmark-text", "g-own"),
    "waiting": ("hourglass-split", "g-wait"),
    "refused": ("x-octagon", "g-no"),
}
STATES = {  # state of a study -> word, icon, class of the chip
    "receiving": ("Receiving", "arrow-down", "c-info"),
    "settling": ("Settling", "hourglass-split", "c-wait"),
    "complete": ("Complete", "check-lg", "c-ok"),
}


def month(number: int) -> str:
    """`Oct`, and `10月` to a Chinese reader: a word of a chart, which no catalogue sees."""
    return f"{number}月" if in_chinese() else MONTHS[number - 1]


def day_of_month(value: date) -> str:
    """`7 Sep`, and `9月7日` to a Chinese reader."""
    in_month = month(value.month)
    return f"{in_month}{value.day}日" if in_chinese() else f"{value.day} {in_month}"


def day(value: date | datetime | None) -> str:
    """`12 Nov 2026`; never 11/12/26. Empty for no date."""
    if value is None:
        return ""
    return f"{value.day} {MONTHS[value.month - 1]} {value.year}"


def moment(value: datetime | None) -> str:
    """`12 Nov 2026, 10:24`, in the 24-hour clock. Empty for no time."""
    if value is None:
        return ""
    return f"{day(value)}, {value:%H:%M}"


def age(born: date | None, on: date) -> str:
    """`55 y`; months below two years, days below one month. Empty when unknown or not yet born."""
    if born is None or born > on:
        return ""
    years = on.year - born.year - ((on.month, on.day) < (born.month, born.day))
    if years >= 2:
        return f"{years} y"
    months = (on.year - born.year) * 12 + on.month - born.month - (on.day < born.day)
    return f"{months} mo" if months else f"{(on - born) // timedelta(days=1)} d"


def latin_name(name: str) -> str:
    """Family name in capitals, then the given ones: `LIN Xiaoyan` (PN, PS3.5 6.2).

    A name without carets was written by a person and stays as it is.
    """
    if "^" not in name:
        return name.strip()
    family, *others = (part.strip() for part in name.split("^"))
    given = " ".join(part for part in others[:2] if part)
    return f"{family.upper()} {given}".strip()


def native_name(name: str) -> str:
    """The ideographic or phonetic name without DICOM's carets: `林晓燕`."""
    return name.replace("^", "").strip()


def initials(name: str) -> str:
    """Two letters for the round mark of a person; titles do not count."""
    words = [w for w in name.replace("^", " ").split() if w.rstrip(".").lower() not in _TITLES]
    return "".join(word[0] for word in words[:2]).upper()


_TITLES = {"dr", "prof", "mr", "mrs", "ms"}


def span(count: int, one: str, many: str = "") -> str:
    """`1 image`, `312 images`, `1,014 images`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


_BROWSERS = (("Edg", "Edge"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
_SYSTEMS = (
    ("Windows", "Windows"),
    ("iPhone", "an iPhone"),
    ("iPad", "an iPad"),
    ("Android", "Android"),
    ("Mac OS", "a Mac"),
    ("Linux", "Linux"),
)


def device(user_agent: str) -> str:
    """`Chrome, Windows`, as a person would know the device again."""
    browser = next((word for sign, word in _BROWSERS if sign in user_agent), "A browser")
    system = next((word for sign, word in _SYSTEMS if sign in user_agent), "")
    return f"{browser}, {system}" if system else browser
