"""What the client accepts (RFC 9110 12.5, PS3.18 8.7), and which form of an object fits it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from sharing.archive.errors import NotAcceptable
from sharing.archive.services.retrieving import Stored
from sharing.archive.services.transcoding import Able
from sharing.dicom.decode import RLE
from sharing.dicom.drawing import GIF, JPEG, PNG
from sharing.dicom.scan import EXPLICIT_BE, EXPLICIT_LE, IMPLICIT_LE
from sharing.dicom.transcode import TARGETS

OCTETS, DICOM, MULTIPART = "application/octet-stream", "application/dicom", "multipart/related"
JSON, XML, PLAIN_JSON = "application/dicom+json", "application/dicom+xml", "application/json"
_J = "1.2.840.10008.1.2.4."
MEDIA = {
    **dict.fromkeys((f"{_J}50", f"{_J}51", f"{_J}57", f"{_J}70"), "image/jpeg"),
    **dict.fromkeys((f"{_J}80", f"{_J}81"), "image/jls"),
    **dict.fromkeys((f"{_J}90", f"{_J}91"), "image/jp2"),
    **dict.fromkeys((f"{_J}92", f"{_J}93"), "image/jpx"),
    **dict.fromkeys((f"{_J}201", f"{_J}202", f"{_J}203"), "image/jphc"),
    RLE: "image/dicom-rle",
}
"""The media type of a stored frame by its transfer syntax (PS3.18 table 8.7.3-5)."""
DEFAULTS = {
    "image/jpeg": f"{_J}70",
    "image/jls": f"{_J}80",
    "image/jp2": f"{_J}90",
    "image/jphc": f"{_J}201",
    "image/dicom-rle": RLE,
}
"""The syntax that a media type stands for where none is named (PS3.18 table 8.7.3-5)."""
ALIASES = {"image/x-jls": "image/jls", "image/x-dicom-rle": "image/dicom-rle"}
NEVER = (IMPLICIT_LE, EXPLICIT_BE)
VIDEO = f"{_J}10"
_PART = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*")+')
_CODING = re.compile(
    r"\s*(gzip|x-gzip|\*)\s*(?:;\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*)?\Z", re.IGNORECASE
)
_PARAMETER = re.compile(r';\s*([\w-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;\s"]*)')


@dataclass(frozen=True)
class Wanted:
    """One acceptable form: whether in a multipart body, of which type, in which syntax."""

    media: str
    syntax: str
    quality: float
    multipart: bool
    listed: bool = True  # said so, and not just */*
    but: frozenset[str] = frozenset()  # what a range does not mean: less wanted by name

    def first(self, *media: str) -> str:
        """The first of these types that is meant, by its name or by a range; "" where none is."""
        ranges = ("*/*", f"{media[0].partition('/')[0]}/*")
        may = self.media in ranges and ranges[1] not in self.but
        meant = (one for one in media if may and one not in self.but)
        return self.media if self.media in media else next(meant, "")


def wanted(request: Any) -> list[Wanted]:
    """What is acceptable, best first; the query parameter `accept` goes before the header, which
    counts where nothing of the parameter fits (PS3.18 8.7.8.1).
    """
    header = request.META.get("HTTP_ACCEPT") or ""
    asked = request.GET.get("accept") if request.META.get("QUERY_STRING") else None
    if not asked:
        return list(_wanted(header or "*/*"))
    # A plus sign stands for a blank in forms, and for itself everywhere else (RFC 3986).
    plus = re.sub(r"(?<=\w) (?=\w)", "+", asked)
    return [*_wanted(plus), *_wanted(header)]


@lru_cache(maxsize=256)
def _wanted(text: str) -> tuple[Wanted, ...]:
    """A viewer sends the same header a hundred times each second.

    What is named more narrowly has the quality that is said there (RFC 9110 12.5.1).
    """
    found = [one for part in _PART.findall(text[:4096]) for one in _parsed(part)]
    named = [one for one in found if not one.multipart and not one.syntax]
    taken = [
        replace(one, but=frozenset(less.media for less in named if less.quality < one.quality))
        for one in found
        if one.quality > 0
    ]
    return tuple(sorted(taken, key=lambda one: -one.quality))


def _parsed(part: str) -> Iterator[Wanted]:
    media = part.partition(";")[0].strip().lower()
    given = {name.lower(): value.strip('"') for name, value in _PARAMETER.findall(part)}
    syntax = given.get("transfer-syntax", "")
    quality = _quality(given.get("q", "1"))
    if media in (MULTIPART, "multipart/*"):
        media, _, inner = given.get("type", "*/*").lower().partition(";")
        # Some write the parameters of the parts' type into its quotes.
        syntax = syntax or dict(_PARAMETER.findall(f";{inner}")).get("transfer-syntax", "")
        yield Wanted(media.strip(), syntax, quality, multipart=True)
    elif media:
        whatever = media == "*/*"
        yield Wanted(media, syntax, quality, multipart=whatever, listed=not whatever)


def _quality(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


@dataclass(frozen=True)
class Form:
    """The form that was chosen: decoded to plain pixels, or as it is stored."""

    multipart: bool
    media: str
    syntax: str
    stored: bool

    @property
    def content_type(self) -> str:
        """As the header of a part, or of the whole answer."""
        return f"{self.media}; transfer-syntax={self.syntax}"


def frame_form(wants: list[Wanted], stored: Stored, *, count: int, able: Able) -> Form:
    """How frames leave. Raises NotAcceptable."""
    for want in wants:
        if not want.multipart and count > 1:
            continue
        form = _frame_form(want, stored, able)
        if form is not None:
            return form
    raise NotAcceptable()


def _frame_form(want: Wanted, stored: Stored, able: Able) -> Form | None:
    own = stored.transfer_syntax
    media = MEDIA.get(own, "")
    asked = ALIASES.get(want.media, want.media)
    meant = asked == media or (asked == "image/*" and media not in want.but)
    if media and meant and want.syntax in ("", "*", own):
        return Form(want.multipart, media, own, stored=True)
    if asked in DEFAULTS:
        return _encoded(want, stored, asked, able)
    if not want.first(OCTETS):
        return None
    as_stored = own in MEDIA or own.startswith(VIDEO)
    if as_stored and want.syntax in ("*", own):
        return Form(want.multipart, OCTETS, own, stored=True)
    if want.syntax in ("", "*", EXPLICIT_LE):
        return Form(want.multipart, OCTETS, EXPLICIT_LE, stored=False)
    return _encoded(want, stored, OCTETS, able)


def _encoded(want: Wanted, stored: Stored, media: str, able: Able) -> Form | None:
    """Encoded anew in the syntax asked for, or in the one that the media type stands for."""
    syntax = DEFAULTS.get(media, "") if want.syntax in ("", "*") else want.syntax
    if media != OCTETS and MEDIA.get(syntax) != media:
        return None
    if syntax not in TARGETS or not able(stored, syntax):
        return None
    return Form(want.multipart, media, syntax, stored=False)


def object_forms(wants: list[Wanted], objects: list[Stored], able: Able) -> tuple[bool, list[Form]]:
    """Whether whole objects leave in a multipart body, and the form of each. NotAcceptable."""
    for want in wants:
        if not want.first(DICOM):
            continue
        forms = [_object_form(want, stored, able) for stored in objects]
        if all(forms) and (want.multipart or len(objects) == 1):
            return want.multipart, [form for form in forms if form]
    raise NotAcceptable()


def _object_form(want: Wanted, stored: Stored, able: Able) -> Form | None:
    """Without a syntax Explicit VR Little Endian is meant, for video what is stored (8.7.3.5).

    Implicit VR and Big Endian never leave (PS3.18 8.7.3). What has no pixels is not compressed.
    """
    own = stored.transfer_syntax
    may_leave = own not in NEVER
    if may_leave and (want.syntax in ("*", own) or (not want.syntax and own.startswith(VIDEO))):
        return Form(want.multipart, DICOM, own, stored=True)
    if want.syntax in ("", "*", EXPLICIT_LE):
        return Form(want.multipart, DICOM, EXPLICIT_LE, stored=own == EXPLICIT_LE)
    if want.syntax in TARGETS and not stored.frames:
        return Form(want.multipart, DICOM, EXPLICIT_LE, stored=own == EXPLICIT_LE)
    if want.syntax in TARGETS and able(stored, want.syntax):
        return Form(want.multipart, DICOM, want.syntax, stored=False)
    return None


def value_form(
    wants: list[Wanted], *kinds: str, syntax: str = EXPLICIT_LE, ranged: bool
) -> tuple[str, bool]:
    """The media type of a bulk value, of those that it has, and whether it leaves in a multipart
    body. Raises NotAcceptable.

    Who asks for a range of whatever there is gets it: there is none of a multipart body.
    """
    for want in wants:
        media = want.first(*kinds)
        if media and want.syntax in ("", "*", syntax):
            return media, want.multipart and (want.listed or not ranged)
    raise NotAcceptable()


PICTURES, PDF = (JPEG, PNG, GIF), "application/pdf"


def picture_form(wants: list[Wanted], *, many: bool) -> tuple[str, bool]:
    """The media type of pictures, and whether they leave in a multipart body.

    Several pictures need one, a single one only where nothing else is wanted. NotAcceptable.
    """
    for want in wants:
        media = want.first(*PICTURES)
        if media and (want.multipart or not many):
            return media, many or (want.multipart and want.listed)
    raise NotAcceptable()


def renderings_form(wants: list[Wanted]) -> tuple[str, bool]:
    """Of many objects in a multipart body: the media type of pictures, "" where none are wanted,
    and whether documents are (PS3.18 table 8.7.4-1: each category has its own). NotAcceptable.
    """
    several = [want for want in wants if want.multipart]
    media = next(filter(None, (want.first(*PICTURES) for want in several)), "")
    documents = any(want.first(PDF) for want in several)
    if not media and not documents:
        raise NotAcceptable()
    return media, documents


def takes_pdf(wants: list[Wanted]) -> bool:
    """Whether a PDF alone would do, without a multipart body around it."""
    return any(want.first(PDF) and not (want.multipart and want.listed) for want in wants)


def takes_json(want: Wanted) -> bool:
    """Whether it means DICOM JSON, which never leaves in parts (PS3.18 8.7.3.2)."""
    single = not (want.multipart and want.listed)
    return single and bool(want.first(JSON) or want.media == PLAIN_JSON)


def accepts(wants: list[Wanted], *media: str) -> bool:
    """Whether a single-part answer of one of these types would do."""
    return any(want.media in media and (not want.multipart or not want.listed) for want in wants)


@lru_cache(maxsize=256)
def takes_gzip(header: str) -> bool:
    """Whether Accept-Encoding takes gzip: as it says of gzip, else of all (RFC 9110 12.5.3)."""
    found = filter(None, (_CODING.match(word) for word in header[:1024].split(",")))
    said = {one[1].lower().removeprefix("x-"): float(one[2] or 1) > 0 for one in found}
    return said.get("gzip", said.get("*", False))
