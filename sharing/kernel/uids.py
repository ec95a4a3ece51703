"""DICOM unique identifiers as types: inside the house, the type is the proof (PS3.5 9)."""

import re
from typing import Self

from .errors import BadValue

_UID = re.compile(r"(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))*\Z")
_LENIENT = re.compile(r"[0-9]+(\.[0-9]+)*\Z")
MAX_LENGTH = 64


class UID(str):
    """A well-formed UID: digits in components joined by dots, 64 characters at most."""

    __slots__ = ()
    label = "UID"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return `text` as this type; trailing padding (NUL, space) is dropped.

        Components with leading zeros are against PS3.5 9.1 but occur in real archives and are
        kept. Raises BadValue, which never repeats the text.
        """
        stripped = text.rstrip("\0 ")
        if len(stripped) > MAX_LENGTH or not _LENIENT.match(stripped):
            raise BadValue(f"The {cls.label} is not a DICOM UID.")
        return cls(stripped)

    @property
    def strict(self) -> bool:
        """Whether the UID also keeps the rule about leading zeros (PS3.5 9.1)."""
        return _UID.match(self) is not None


class StudyUID(UID):
    """(0020,000D)."""

    __slots__ = ()
    label = "Study Instance UID"


class SeriesUID(UID):
    """(0020,000E)."""

    __slots__ = ()
    label = "Series Instance UID"


class SOPInstanceUID(UID):
    """(0008,0018)."""

    __slots__ = ()
    label = "SOP Instance UID"
