"""The plain facts of one object that lists and searches need (PS3.18 10.6.3.3)."""

import re
from dataclasses import dataclass
from datetime import date

from pydicom._uid_dict import UID_dictionary

from .charset import Charset
from .elements import PIXEL_TAGS, Element
from .values import day, find, integer, text, texts, whole

_TIME = re.compile(r"([01]\d|2[0-3])([0-5]\d([0-5]\d|60)?(\.\d{1,6})?)?")
# Characters by VR (PS3.5 6.2); a person's name has three groups of 64.
LONGEST = {"AE": 16, "SH": 16, "PN": 194, "CS": 255}
COLUMN = 255
EXTRA_CLASSES = {
    "1.2.840.10008.5.1.4.1.1.66.7": "Label Map Segmentation Storage",
    "1.2.840.10008.5.1.4.1.1.66.8": "Height Map Segmentation Storage",
}


@dataclass(frozen=True)
class Facts:
    """Values ready for columns: text is unicode of at most 255 characters, without NUL; dates and
    numbers are None where absent or impossible.
    """

    patient_id: str
    issuer_of_patient_id: str
    patient_name: str
    patient_birth_date: date | None
    patient_sex: str
    study_date: date | None
    study_time: str
    accession_number: str
    study_description: str
    referring_physician: str
    study_id: str
    modality: str
    series_number: int | None
    series_description: str
    body_part: str
    laterality: str
    institution: str
    instance_number: int | None
    rows: int
    columns: int
    frames: int
    bits_allocated: int
    samples: int
    photometric: str
    image_type: str
    sop_class_name: str
    station_ae: str


class Reader:
    """Looks values up at the top level of one data set and collects warnings."""

    def __init__(self, elements: tuple[Element, ...], charset: Charset) -> None:
        self._by_tag = {element.tag: element for element in elements}
        self.charset = charset
        self.warnings: list[str] = []

    def warn(self, code: str) -> None:
        if code not in self.warnings:
            self.warnings.append(code)

    def element(self, tag: int) -> Element | None:
        return self._by_tag.get(tag)

    def has(self, tag: int) -> bool:
        return tag in self._by_tag

    def text(self, tag: int) -> str:
        element = self._by_tag.get(tag)
        doubt = element and element.value and self.charset.doubts(element.value)
        if doubt:
            self.warn(doubt)
        words = text(element, self.charset)
        if len(words) > LONGEST.get(element.vr if element else "", 64):
            self.warn("overlong_value")
        return words[:COLUMN]

    def first(self, tag: int) -> str:
        return next(iter(texts(self._by_tag.get(tag), self.charset)), "")

    def day(self, tag: int) -> date | None:
        words = self.first(tag)
        found = day(words)
        if words and not found:
            self.warn("bad_date")
        return found

    def time(self, tag: int) -> str:
        words = self.first(tag).replace(":", "")
        if words and not _TIME.fullmatch(words):
            self.warn("bad_time")
            return ""
        return words

    def integer(self, tag: int) -> int | None:
        """An IS value that fits a 32-bit column."""
        words = self.first(tag)
        found = integer(words)
        if words and (found is None or abs(found) >= 2**31):
            self.warn("bad_number")
            return None
        return found

    def number(self, tag: int, default: int = 0) -> int:
        return max(0, whole(self._by_tag.get(tag), default))


def facts_of(read: Reader, elements: tuple[Element, ...], sop_class: str, frames: int) -> Facts:
    """The Facts of a data set; impossible values become None and a warning in `read`."""
    issuer = read.text(0x00100021) or qualified_issuer(elements)
    return Facts(
        patient_id=read.text(0x00100020),
        issuer_of_patient_id=issuer,
        patient_name=read.text(0x00100010),
        patient_birth_date=read.day(0x00100030),
        patient_sex=read.text(0x00100040),
        study_date=read.day(0x00080020),
        study_time=read.time(0x00080030),
        accession_number=read.text(0x00080050),
        study_description=read.text(0x00081030),
        referring_physician=read.text(0x00080090),
        study_id=read.text(0x00200010),
        modality=read.text(0x00080060),
        series_number=read.integer(0x00200011),
        series_description=read.text(0x0008103E),
        body_part=read.text(0x00180015),
        laterality=read.text(0x00200060) or read.text(0x00200062),
        institution=read.text(0x00080080),
        instance_number=read.integer(0x00200013),
        rows=read.number(0x00280010),
        columns=read.number(0x00280011),
        frames=frames,
        bits_allocated=read.number(0x00280100),
        samples=read.number(0x00280002, 1 if any(read.has(tag) for tag in PIXEL_TAGS) else 0),
        photometric=read.text(0x00280004),
        image_type=read.text(0x00080008),
        sop_class_name=class_name(sop_class),
        station_ae=read.text(0x00080055),
    )


def class_name(uid: str) -> str:
    """The name of a SOP class, or its UID where the dictionary lacks it."""
    entry = UID_dictionary.get(uid)
    return entry[0] if entry else EXTRA_CLASSES.get(uid, uid)


def qualified_issuer(elements: tuple[Element, ...]) -> str:
    """Universal Entity ID of Issuer of Patient ID Qualifiers (0010,0024)>(0040,0032)."""
    sequence = find(elements, 0x00100024)
    if sequence is None or not sequence.items:
        return ""
    universal = find(sequence.items[0], 0x00400032)
    return text(universal, Charset(("ascii",), declared=True, known=True))
