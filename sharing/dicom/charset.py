"""Decode text by Specific Character Set (0008,0005), PS3.3 C.12.1.1.2; bad bytes never raise."""

import codecs
import re
from dataclasses import dataclass

from pydicom.charset import decode_bytes, python_encoding
from pydicom.valuerep import PN_DELIMS, TEXT_VR_DELIMS

_NAME_DELIMITERS = PN_DELIMS | {0x3D, 0x5C}
_TEXT_DELIMITERS = TEXT_VR_DELIMS | {0x5C}

TEXT_VRS = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UT"})
LONG_TEXT_VRS = frozenset({"LT", "ST", "UT", "UR"})
# pydicom leaves the designation of GB2312 (ISO 2022 IR 58) in the text that it decodes.
_DESIGNATION = re.compile("\x1b[\x20-\x2f]+[\x30-\x7e]")
_FOREIGN_RUN = re.compile(rb"[\x80-\xff]{4,}")


@dataclass(frozen=True)
class Charset:
    """The codecs of one data set; `guess` is used where nothing usable is declared."""

    codecs: tuple[str, ...]
    declared: bool
    known: bool
    guess: str | None = None

    def decode(self, raw: bytes, vr: str) -> str:
        """Text of a whole value (backslashes included), replacement characters for bad bytes."""
        if vr not in TEXT_VRS or (raw.isascii() and b"\x1b" not in raw):
            return raw.decode("ascii", "replace")
        if not self.declared or not self.known:
            return self._guess(raw)
        if len(self.codecs) == 1 and b"\x1b" not in raw:
            return raw.decode(self.codecs[0], "replace")
        return self._switching(raw, vr)

    def _guess(self, raw: bytes) -> str:
        for codec in (self.guess, "utf-8"):
            text = _strictly(raw, codec) if codec else None
            if text is not None:
                return text
        return raw.decode("ascii", "replace")

    def _switching(self, raw: bytes, vr: str) -> str:
        """ISO 2022 code extensions; pydicom knows the escape sequences."""
        try:
            delimiters = _NAME_DELIMITERS if vr == "PN" else _TEXT_DELIMITERS
            text = decode_bytes(raw, list(self.codecs), delimiters)
            return _DESIGNATION.sub("", text)
        except (UnicodeError, LookupError, ValueError, UserWarning):  # where warnings are errors
            return raw.decode(self.codecs[0], "replace")

    def doubts(self, raw: bytes) -> str | None:
        """A warning code where the bytes do not fit what is declared."""
        if raw.isascii():
            return None
        if not self.declared:
            return "charset_undeclared"
        if not self.known:
            return "charset_unknown"
        if self.codecs == ("latin_1",) and _FOREIGN_RUN.search(raw):
            return "charset_suspect"  # four accented letters in a row: no Western name has them
        if len(self.codecs) == 1 and _strictly(raw, self.codecs[0]) is None:
            return "charset_suspect"
        return None


def charset_of(raw: bytes | None, default: str | None, parent: Charset | None = None) -> Charset:
    """The Charset for the value of (0008,0005); `default` is a DICOM term or a codec's name."""
    terms = [t.strip() for t in (raw or b"").decode("ascii", "replace").strip("\0 ").split("\\")]
    if not any(terms):
        return parent or Charset(("ascii",), declared=False, known=True, guess=_codec(default))
    found = [_codec(term) if term else "latin_1" for term in terms]
    good = tuple(codec for codec in found if codec)
    known = len(good) == len(found)
    return Charset(good or ("ascii",), declared=True, known=known, guess=_codec(default))


def _codec(term: str | None) -> str | None:
    if not term:
        return None
    name = python_encoding.get(term) or python_encoding.get(term.replace("_", " "))
    try:
        name = name or codecs.lookup(term).name
    except (LookupError, ValueError):  # a NUL within the term is a ValueError
        return None
    return "latin_1" if name in ("iso8859", "iso8859-1") else name


def _strictly(raw: bytes, codec: str) -> str | None:
    try:
        return raw.decode(codec)
    except (UnicodeError, LookupError):
        return None
