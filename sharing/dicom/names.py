"""Person names (PS3.5 6.2.1): split, shown, searched. Pure."""

import os
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

_LETTERS = str.maketrans({"ß": "ss", "ø": "o", "đ": "d", "ł": "l", "æ": "ae", "œ": "oe", "ı": "i"})
_U_UMLAUT = ("v", "u", "yu")
"""How people without the letter write the ü of pinyin."""


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


def name_keys(value: str) -> list[str]:
    """Where the name can be entered: from each word of each group on to the group's end, folded,
    with a space after each word. A search for whole words, or for the beginning of one, is then a
    range of keys. A group of Chinese characters can be entered by its pinyin, too.
    """
    groups = [fold(group.replace("^", " ")) for group in value.split("\\")[0].split("=")[:3]]
    joined = [fold(group.replace("^", "")) for group in value.split("\\")[0].split("=")[1:2]]
    spoken = [words for group in value.split("\\")[0].split("=")[:2] for words in _pinyin(group)]
    entries: dict[str, None] = {}
    for group in (*groups, *joined, *spoken):
        words = group.split()
        for start in range(len(words)):
            entries[(" ".join(words[start:]) + " ")[:400]] = None
    return list(entries)


def _pinyin(group: str) -> list[str]:
    """ "林^晓燕" as "lin xiaoyan"; a family name in each of its readings, as people are called."""
    parts = [part.strip() for part in group.split("^") if part.strip()]
    if not parts or not all(_is_han(letter) for part in parts for letter in part):
        return []
    if len(parts) == 1 and 2 <= len(parts[0]) <= 3:  # not divided: the first is the family's
        parts = [parts[0][:1], parts[0][1:]]
    readings = [_readings(part, every=number == 0) for number, part in enumerate(parts[:3])]
    return [" ".join(words) for words in product(*readings)][:8]


@lru_cache(maxsize=4096)
def _readings(part: str, *, every: bool) -> tuple[str, ...]:
    # Words of everyday language are no names, and their dictionary takes 40 MB.
    os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")
    from pypinyin import Style, pinyin

    heard = pinyin(part, style=Style.NORMAL, heteronym=every, errors="ignore")
    syllables = [one[: 4 if every else 1] for one in heard]
    made = ["".join(word) for word in product(*syllables)][:4]
    spelt = [word.replace("v", vowel) for word in made for vowel in _U_UMLAUT]
    return tuple(dict.fromkeys(spelt)) if any(made) else ()


def _is_han(letter: str) -> bool:
    return "\u3400" <= letter <= "\u9fff" or "\uf900" <= letter <= "\ufaff"


def fold(words: str) -> str:
    """Casefolded, compatibility forms unified, Latin accents stripped ("Müller" -> "muller")."""
    if words.isascii():  # nothing else would change it
        return " ".join(words.lower().split())
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
