"""Person names (PS3.5 6.2.1): split, shown, searched. Pure."""

import unicodedata
from dataclasses import dataclass

_LETTERS = str.maketrans({"ß": "ss", "ø": "o", "đ": "d", "ł": "l", "æ": "ae", "œ": "oe", "ı": "i"})


@dataclass(frozen=True)
class PersonName:
    """The parts of a PN value; a part that is not there is an empty string."""

    family: str
    given: str
    middle: str
    prefix: str
    suffix: str
    ideographic: str
    phonetic: str

    @classmethod
    def parse(cls, value: str) -> "PersonName":
        """Of "family^given^middle^prefix^suffix=ideographic=phonetic"; never raises."""
        first = value.split("\\")[0]
        groups = [group.strip() for group in (*first.split("="), "", "", "")[:3]]
        parts = [part.strip() for part in (*groups[0].split("^"), "", "", "", "", "")[:5]]
        family, given, middle, prefix, suffix = parts
        return cls(family, given, middle, prefix, suffix, groups[1], groups[2])


def display_name(value: str) -> tuple[str, str]:
    """("LIN Xiaoyan", "林晓燕"): the name in Latin letters, and in its own script, or ""."""
    name = PersonName.parse(value)
    latin = " ".join(part for part in (name.family.upper(), name.given, name.middle) if part)
    native = _joined(name.ideographic) or _joined(name.phonetic)
    if latin and not native and not _is_latin(latin):
        return "", _joined("^".join((name.family, name.given)))
    return latin, native


def search_key(value: str) -> str:
    """All groups in one line, casefolded and without accents, to compare with folded queries."""
    folded = fold(value.replace("^", " ").replace("=", " ").replace("\\", " "))
    native = "".join(PersonName.parse(value).ideographic.split("^"))
    return " ".join(dict.fromkeys([*folded.split(), *fold(native).split()]))


def fold(words: str) -> str:
    """Casefolded, compatibility forms unified, Latin accents stripped ("Müller" -> "muller")."""
    lowered = unicodedata.normalize("NFKC", words).casefold().translate(_LETTERS)
    kept = [_bare(letter) for letter in unicodedata.normalize("NFC", lowered)]
    return " ".join("".join(kept).split())


def _bare(letter: str) -> str:
    """Strip accents from Latin, Greek and Cyrillic only: elsewhere the marks are letters."""
    parts = unicodedata.normalize("NFD", letter)
    if ord(parts[0]) < 0x0530:
        return "".join(part for part in parts if not unicodedata.combining(part))
    return letter


def _joined(group: str) -> str:
    parts = [part.strip() for part in group.split("^")[:3]]
    glue = " " if any(_is_alphabetic(part) for part in parts) else ""
    return glue.join(part for part in parts if part)


def _is_alphabetic(part: str) -> bool:
    """Scripts that put a space between names: all but Han, kana and Hangul."""
    return any(letter.isalpha() and ord(letter) < 0x1100 for letter in part)


def _is_latin(words: str) -> bool:
    return all(ord(letter) < 0x1100 for letter in words if letter.isalpha())
