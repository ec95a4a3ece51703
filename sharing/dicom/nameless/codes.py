"""Codes that stay: those of the standard's own context groups, with the standard's own meaning."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from sharing.dicom.charset import Charset
from sharing.dicom.elements import Element
from sharing.dicom.values import find, text

VALUE, SCHEME, MEANING = 0x00080100, 0x00080102, 0x00080104
MACRO = range(0x00080100, 0x00080130)
"""Code Sequence Macro (PS3.3 table 8.8-1): versions, mapping resources, equivalent codes."""


def known_code(item: tuple[Element, ...], charset: Charset) -> tuple[str, str, str] | None:
    """Value, scheme and meaning of a code item; None where the standard knows no such code."""
    value, scheme = (text(find(item, tag), charset) for tag in (VALUE, SCHEME))
    if scheme in ("SRT", "SNM3"):
        scheme, value = "SCT", _in_snomed(value)
    meaning = _meanings(scheme).get(value)
    return None if meaning is None else (value, scheme, meaning)


def _in_snomed(value: str) -> str:
    from pydicom.sr._snomed_dict import mapping

    return mapping["SRT"].get(value, "")


@lru_cache(maxsize=32)
def _meanings(scheme: str) -> dict[str, str]:
    return dict(_entries(scheme))


def _entries(scheme: str) -> Iterator[tuple[str, str]]:
    # Loaded where a copy is made: it takes a process 16 MB, and as long as all of numpy.
    from pydicom.sr._concepts_dict import concepts

    known: Any = concepts.get(scheme, {})
    for codes in known.values():
        for value, (meaning, _) in codes.items():
            if len(value) <= 16 and (value + meaning).isascii() and "\\" not in meaning:
                yield value, meaning[:64]
