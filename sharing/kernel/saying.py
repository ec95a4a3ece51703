"""English sentences that rules, the log and forms made, said in the reader's language.

A sentence with names in it is found by its pattern: `Patient refused {whom} for {purpose}`.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from django.utils.translation import get_language, gettext
from django.utils.translation import trans_real as catalogues

ENGLISH = "en"
_HOLE = re.compile(r"\{(\w+)\}")
_DAY = re.compile(
    r"\b(\d{1,2}) (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) (\d{4})\b(, (?=\d\d:\d\d))?"
)
_AGE = re.compile(r"(\d+) (y|mo|d)")
_AGES = {"y": "岁", "mo": "个月", "d": "天"}
_REFERENCE = re.compile(r"(C-\d+ v\d+) (.+)")
_SENTENCE = re.compile(r"(?<=\.) (?=[A-Z])")
_JOINED = re.compile(r"(, | and | or )")
_JOINS = {", ": "、", " and ": "和", " or ": "或"}
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
MOST_KNOWN = 2_000


def in_chinese() -> bool:
    """Whether the reader's language is Chinese: names are then written in it, where known."""
    return (get_language() or ENGLISH).startswith("zh")


def said(text: str) -> str:
    """The text in the reader's language; as it is where the catalogue does not have it."""
    language = get_language() or ENGLISH
    if language == ENGLISH or not text.strip():
        return text
    return _said(text, language)


@lru_cache(maxsize=MOST_KNOWN)
def _said(text: str, language: str) -> str:
    return _known(text, language) or _DAY.sub(_day, text)


@lru_cache(maxsize=MOST_KNOWN)
def _known(text: str, language: str) -> str:
    """What the catalogue has of it, or of its small letter, or a day; else nothing."""
    if day := _DAY.fullmatch(text):
        return _day(day)
    small = text[:1].lower() + text[1:]
    return _found(text, language) or (_found(small, language) if small != text else "")


def _found(text: str, language: str) -> str:
    found = gettext(text)
    if found != text:
        return found
    if several := _sentences(text, language) or _listed(text, language):
        return several
    if about := _REFERENCE.fullmatch(text):
        return f"{about[1]} {said(about[2])}"
    for pattern, names, told in _patterns(language):
        if match := pattern.fullmatch(text):
            parts = zip(names, match.groups(), strict=True)
            return _filled(told, {name: said(part) for name, part in parts})
    age = _AGE.fullmatch(text)
    return age[1] + _AGES[age[2]] if age else ""


def _sentences(text: str, language: str) -> str:
    """Several sentences, where each of them is known; else nothing."""
    parts = _SENTENCE.split(text)
    told = [_known(part, language) for part in parts] if len(parts) > 1 else []
    return "".join(told) if all(told) else ""


def _listed(text: str, language: str) -> str:
    """`read reports, view images and download`, where each of them is known; else nothing."""
    parts = _JOINED.split(text)
    told = [_known(part, language) for part in parts[::2]] if len(parts) > 1 else []
    if not told or not all(told):
        return ""
    joins = [*(_JOINS[join] for join in parts[1::2]), ""]
    return "".join(word + join for word, join in zip(told, joins, strict=True))


def _filled(told: str, parts: dict[str, str]) -> str:
    return _HOLE.sub(lambda hole: parts.get(hole[1], hole[0]), told)


def _day(found: re.Match[str]) -> str:
    return f"{found[3]}年{_MONTHS.index(found[2]) + 1}月{found[1]}日{' ' if found[4] else ''}"


@lru_cache
def _patterns(language: str) -> Sequence[tuple[re.Pattern[str], list[str], str]]:
    """Those of the catalogue, the one with most of its own words first."""
    catalogue: Any = vars(catalogues.translation(language))["_catalog"]  # it has no other way in
    texts = {
        key: told for key, told in catalogue.items()
        if isinstance(key, str) and isinstance(told, str) and _HOLE.search(key)
    }  # fmt: skip
    ordered = sorted(texts, key=lambda key: len(_HOLE.sub("", key)), reverse=True)
    return [(_compiled(key), _HOLE.findall(key), texts[key]) for key in ordered]


def _compiled(text: str) -> re.Pattern[str]:
    words = _HOLE.split(text)
    holes = [_hole(name, before) for before, name in zip(words[::2], words[1::2], strict=False)]
    parts = [re.escape(part) for part in words[::2]]
    return re.compile("".join(a + b for a, b in zip(parts, [*holes, ""], strict=True)), re.DOTALL)


def _hole(name: str, before: str) -> str:
    """A number, some words, or (right behind another hole) what may be missing: `, until ...`."""
    if name.startswith("count"):
        return r"([\d,]+)"
    return "(.+?)" if before else r"(|(?<!^)[,.;]? .+|^.+?)"
