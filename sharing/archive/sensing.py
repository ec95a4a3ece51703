"""Which studies a rule for labels means. Pure.

Words are compared without case, accents and punctuation. A Latin word or phrase stands for whole
words (`HIV` is not found in `ARCHIVE`); one that ends with * stands for all that begin so. Chinese,
Japanese and Korean have no spaces: such words are found anywhere.
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

MOST_WORDS = 60
"""Of one rule; each of them may have 60 characters."""


@dataclass(frozen=True)
class RuleFacts:
    """One rule: all that it names must fit, of each kind one. Nothing named fits everything."""

    key: int
    label: str
    words: tuple[str, ...] = ()
    modalities: frozenset[str] = frozenset()
    regions: frozenset[str] = frozenset()
    departments: tuple[str, ...] = ()
    under_age: int | None = None

    @property
    def says_something(self) -> bool:
        """Whether it names anything at all."""
        named = self.words or self.modalities or self.regions or self.departments
        return bool(named) or self.under_age is not None

    def means(self, seen: "Seen") -> bool:
        """Whether a study that shows this is meant. What a study does not say fits nothing."""
        return (
            (self.under_age is None or (seen.age is not None and seen.age < self.under_age))
            and (not self.modalities or bool(self.modalities & seen.modalities))
            and (not self.regions or bool(self.regions & seen.regions))
            and (not self.words or said(self.words, seen.texts))
            and (not self.departments or said(self.departments, seen.departments))
        )


@dataclass(frozen=True)
class Seen:
    """What a study shows to the rules; `texts` are its descriptions, the study's and the series'.

    `departments`: Institutional Department Name (0008,1040), Requesting Service (0032,1033).
    """

    texts: frozenset[str] = frozenset()
    modalities: frozenset[str] = frozenset()
    regions: frozenset[str] = frozenset()
    departments: frozenset[str] = frozenset()
    age: int | None = None


def said(words: Iterable[str], texts: Iterable[str]) -> bool:
    """Whether one of the words stands in one of the texts."""
    return any(_stands(word, text) for text in texts if text for word in words)


@lru_cache(maxsize=65536)
def _stands(word: str, text: str) -> bool:
    begins = word.rstrip().endswith("*")
    wanted, within = plain(word), plain(text)
    if not wanted:
        return False
    if not wanted.isascii() and any(_without_spaces(letter) for letter in wanted):
        return wanted.replace(" ", "") in within.replace(" ", "")
    return f" {wanted}{'' if begins else ' '}" in f" {within} "


@lru_cache(maxsize=8192)
def plain(text: str) -> str:
    """Small letters and figures, words apart by one space: `Fertilité, 2.` is `fertilite 2`."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    letters = (c for c in apart if not unicodedata.combining(c))
    return " ".join("".join(c if c.isalnum() else " " for c in letters).split())


def _without_spaces(letter: str) -> bool:
    """Whether the letter is of a script that sets no spaces between words."""
    name = unicodedata.name(letter, "")
    return name.startswith(("CJK", "HIRAGANA", "KATAKANA", "HANGUL"))


def age_on(born: date | None, day: date | None) -> int | None:
    """Full years; None where one of the days is unknown."""
    if born is None or day is None or day < born:
        return None
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def column(words: Iterable[str], most: int) -> str:
    """The words as a column keeps them, |A|B|, as many as fit."""
    kept = "|"
    for word in dict.fromkeys(filter(None, words)):
        if len(kept) + len(word) + 1 <= most:
            kept += f"{word}|"
    return kept
