"""What a search asks for, read from its address (PS3.18 8.3.4, 10.6.1)."""

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from pydicom.datadict import dictionary_VR, keyword_for_tag, tag_for_keyword

from sharing.archive.matching import EMPTY, is_universal
from sharing.archive.services.searching import MOST, Level, Query, searchable
from sharing.dicom import levels
from sharing.dicom.json_model import BINARY
from sharing.kernel.errors import BadValue
from sharing.kernel.uids import UID

_SWITCHES = ("fuzzymatching", "emptyvaluematching", "multiplevaluematching")
_OWN = frozenset({"limit", "offset", "includefield", "accept", "charset", *_SWITCHES})
_PATH = {
    "study": "StudyInstanceUID",
    "series": "SeriesInstanceUID",
    "instance": "SOPInstanceUID",
}
_TAG = re.compile(r"[0-9A-Fa-f]{8}")
_STANDARD = {
    Level.STUDY: levels.STUDY,
    Level.SERIES: levels.STUDY | levels.SERIES,
}


@dataclass(frozen=True)
class Question:
    """The query; whether a key was left out; the tags that are wanted beyond the usual ones."""

    query: Query
    level: Level
    ignored: bool = False
    everything: bool = False
    tags: frozenset[str] = field(default_factory=frozenset)

    def wants(self, tag: str) -> bool:
        """Whether an attribute of the stored metadata belongs into the answer."""
        standard = _STANDARD.get(self.level)
        return (self.everything or tag in self.tags) and (standard is None or tag in standard)


def question(request: Any, path: dict[str, str], level: Level) -> Question:
    """Of a request. Raises BadValue."""
    keys: dict[str, str] = {}
    stored: dict[tuple[str, ...], str] = {}
    several = _flag(request, "multiplevaluematching")
    ignored = False
    for name, values in request.GET.lists():
        if name in _OWN or not name:
            continue
        tags = _attribute(name)
        value = _value(tags, values, several=several)
        keyword = ".".join(_keyword(tag) for tag in tags)
        if searchable(keyword, level):
            keys[keyword] = value
        elif tags and "study" in path and _is_stored(tags, level) and _is_a_key(tags[-1], value):
            stored[tags] = value
        else:
            ignored = True
    named = {_PATH[name]: UID.parse(path[name]) for name in _PATH if name in path}
    included, everything, unknown = _included(request)
    wanted = included | {tags[0] for tags in stored}
    query = Query(
        keys=keys | named,
        also={keyword: keys[keyword] for keyword in named if keyword in keys},
        custodian=path.get("organization", ""),
        limit=_number(request.GET.get("limit"), default=MOST),
        offset=_number(request.GET.get("offset"), default=0),
        fuzzy=_flag(request, "fuzzymatching"),
        empty=_flag(request, "emptyvaluematching"),
        several=several,
        stored=stored,
        include=everything or bool(wanted),
    )
    return Question(query, level, ignored or unknown, everything, frozenset(wanted))


def _is_stored(tags: tuple[str, ...], level: Level) -> bool:
    """Below a named study: what tells of a series there, of an instance anything."""
    return level == Level.INSTANCE or (level == Level.SERIES and tags[0] in levels.SERIES)


def _is_a_key(tag: str, value: str) -> bool:
    """Whether such a value can be matched: of a sequence and of bytes no value can, so that they
    are only asked for, and a sequence for being empty (PS3.4 C.2.2.2).
    """
    vr = _vr(tag)
    if vr == "SQ":
        return is_universal(value) or value == EMPTY
    return is_universal(value) or not (vr in BINARY or vr == "OB or OW")


def _value(tags: tuple[str, ...], values: list[str], *, several: bool) -> str:
    """One value; a key that is given twice is a list where its VR may be one."""
    if len(values) == 1:
        return values[0]
    vr = _vr(tags[-1]) if tags else ""
    if vr not in ("UI", "CS") and not several:
        raise BadValue("A matching key is given more than once.")
    return "\\".join(values)


def _included(request: Any) -> tuple[set[str], bool, bool]:
    """The tags that `includefield` names, repeated or in lists; whether all are, and whether a word
    of it names no attribute.
    """
    fields = ",".join(request.GET.getlist("includefield")).split(",")
    words = [word.strip() for word in fields if word.strip()]  # lists may hold blanks (5.1.3)
    tags = [_attribute(word) for word in words if word != "all"]
    return {found[0] for found in tags if found}, "all" in words, () in tags


@lru_cache(maxsize=1024)
def _attribute(name: str) -> tuple[str, ...]:
    """The tags of an attribute by keyword, hexadecimal, or either with points below sequences; none
    where it is unknown, or stands below what is no sequence.
    """
    found = []
    for word in name.split("."):
        tag = int(word, 16) if _TAG.fullmatch(word) else tag_for_keyword(word)
        if tag is None:
            return ()
        found.append(f"{tag:08X}")
    return tuple(found) if all(_vr(tag) in ("SQ", "") for tag in found[:-1]) else ()


@lru_cache(maxsize=1024)
def _keyword(tag: str) -> str:
    return keyword_for_tag(int(tag, 16))


def _vr(tag: str) -> str:
    try:
        return dictionary_VR(int(tag, 16))
    except KeyError:
        return ""


def _flag(request: Any, name: str) -> bool:
    text = request.GET.get(name, "false")
    if text not in ("true", "false"):
        raise BadValue("A switch of the search is neither true nor false.")
    return text == "true"


def _number(text: str | None, *, default: int) -> int:
    if text is None:
        return default
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise BadValue("A limit or offset is not a number.")
    return int(text)
