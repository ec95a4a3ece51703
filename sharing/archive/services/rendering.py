"""Pictures of what is stored: without a decoder where the pixels lie plain, else in a child."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from django.db.models import Q

from sharing.archive.errors import NotRenderable, StudyNotFound
from sharing.archive.models import Instance
from sharing.dicom.child import film_in_child, render_in_child, thumbnail_in_child
from sharing.dicom.described import Json, described, json_of
from sharing.dicom.drawing import How, marked_file
from sharing.dicom.errors import CannotRender
from sharing.dicom.render import Picture, render, thumbnail
from sharing.dicom.values import find
from sharing.kernel.errors import BadValue
from sharing.kernel.purposes import Action
from sharing.tenants.rules import Actor

from .locating import INSTANCE, Asker, Where, locate
from .retrieving import PLACE, Opened, Stored, meant, thumbnail_of

MOST_PICTURES = 1000
MOST_FILM_BYTES = 128 * 1024 * 1024
MOST_FILM_PIXELS = 64 * 1024 * 1024
MOST_FILM_FRAMES = 500
PDF_CLASS, PDF_DOCUMENT = "1.2.840.10008.5.1.4.1.1.104.1", 0x00420011


class NoSuchRegion(BadValue):
    """The asked part of the image has no pixel."""

    message = "The region lies outside the image."


@dataclass(frozen=True)
class Drawable:
    """One stored instance and the ready-made facts that its pictures are made of."""

    stored: Stored
    metadata: bytes | memoryview
    mark: str = ""

    @cached_property
    def json(self) -> Json | None:
        """Its data set, None where that is too large to be read for a picture."""
        return json_of(self.metadata)

    @property
    def representative(self) -> int:
        """The frame (from 0) that stands for all: (0028,6010), else the first."""
        values = (self.json or {}).get("00286010", {}).get("Value") or (1,)
        number = values[0] if isinstance(values[0], int) else 1
        return number - 1 if 1 <= number <= self.stored.frames else 0

    @property
    def milliseconds(self) -> int:
        """How long a frame is shown: Frame Time, else the rates, else a tenth of a second."""
        json = self.json or {}
        frame_time = _number(json, "00181063")
        rate = _number(json, "00082144") or _number(json, "00180040")
        shown = frame_time or (1000 / rate if rate else 100)
        return max(20, min(round(shown), 5000))

    def picture(self, index: int, how: How) -> bytes:
        """Frame `index` (from 0) as a picture file.

        Raises StudyNotFound for a frame that is not there, NotRenderable, NoSuchRegion.
        """
        how = replace(how, mark=self.mark)
        ready = self._ready(index)
        if ready is None:
            return _asked(lambda: render_in_child(self._gathered(index), how))
        return _asked(lambda: render(ready, how))

    def film(self, how: How) -> bytes:
        """All frames as one GIF. Raises NotRenderable where that would be too large."""
        how = replace(how, mark=self.mark)
        count = self.stored.frames
        lengths = sum(self.stored.frame_length(index) for index in range(count))
        if count > MOST_FILM_FRAMES or lengths > MOST_FILM_BYTES:
            raise NotRenderable("The images are too many for one picture.")
        pictures = [self._ready(index) or self._gathered(index) for index in range(count)]
        image = pictures[0].image
        columns, rows = how.size or (image.columns, image.rows)
        if min(columns, image.columns) * min(rows, image.rows) * count > MOST_FILM_PIXELS:
            raise NotRenderable("The images are too large for one picture.")
        return _asked(lambda: film_in_child(pictures, how, self.milliseconds))

    def small(self, index: int | None, how: How) -> bytes:
        """The thumbnail of a frame, of the middle one unless told otherwise."""
        index = self.stored.frames // 2 if index is None else index
        ready = self._ready(index)
        if ready is None:
            made = _asked(lambda: thumbnail_in_child(self._gathered(index), how))
        else:
            made = _asked(lambda: thumbnail(ready, how))
        return _with_mark(made, how, self.mark)

    def pdf(self) -> bytes:
        """The document of an Encapsulated PDF. Raises NotRenderable."""
        if self.stored.sop_class_uid != PDF_CLASS:
            raise NotRenderable()
        element = find(self.stored.scanned.elements, PDF_DOCUMENT)
        if element is None:
            raise NotRenderable()
        document = element.value  # a small one was read already
        if document is None:
            document = self.stored.plain_range(element.offset, element.length)
        if not document.startswith(b"%PDF-"):
            raise NotRenderable()
        return document

    def _ready(self, index: int) -> Picture | None:
        """A picture of plain pixels, whose size the frame table bounds; no parser, no decoder."""
        if self.json is None or self.stored.deflated:
            return None
        facts = described(self.json, self.stored.transfer_syntax, index)
        if facts is None or self.stored.frame_length(index) < facts[0].decoded_bytes:
            return None
        return Picture(*facts, b"".join(self.stored.frame(index)), index)

    def _gathered(self, index: int) -> Picture:
        return _asked(lambda: self.stored.gathered(index))


def open_drawable(actor: Actor, where: Where, *, at: datetime, request_id: str = "") -> Drawable:
    """The one instance of a path, by one query, with its place and its facts.

    Raises StudyNotFound.
    """
    asker = Asker(actor, Action.IMAGES, at, request_id)
    named = (where.series_uid, where.sop_uid)
    row, mark = locate(asker, where, columns=f"{PLACE}, i.metadata", joins=INSTANCE, named=named)
    return Drawable(Stored(*row[:-1]), row[-1], mark)


def renderable(opened: Opened, *, pictures: bool, documents: bool) -> list[tuple[int, bool]]:
    """Of the instances meant the images, the Encapsulated PDFs, or both, in reading order: the key
    of each, and whether it is a document. Raises StudyNotFound where nothing at all is meant.
    """
    images = Q(frames__gt=0) if pictures else Q(pk__in=())
    kinds = images | Q(sop_class_uid=PDF_CLASS) if documents else images
    found = meant(opened).filter(kinds).values_list("pk", "sop_class_uid")[:MOST_PICTURES]
    made = [(key, documents and sop_class == PDF_CLASS) for key, sop_class in found]
    if not made and not meant(opened).exists():
        raise StudyNotFound()
    return made


def drawable(opened: Opened, key: int) -> Drawable | None:
    """The instance of this key, of those meant; None where it is gone by now."""
    row = Instance.objects.filter(pk=key).values_list(*Stored.COLUMNS, "metadata").first()
    if row is None:
        return None
    return Drawable(Stored(opened.study.public_id, *row[:-1]), row[-1], opened.mark)


def small_picture(opened: Opened, how: How) -> bytes:
    """The thumbnail of a study or a series, as asked for. Raises StudyNotFound, NotRenderable."""
    if how == How():
        return _with_mark(thumbnail_of(opened), how, opened.mark)
    images = meant(opened).filter(frames__gt=0)
    series = images.values_list("series_id", flat=True).first()
    keys = list(images.filter(series=series).values_list("pk", flat=True)) if series else []
    found = drawable(opened, keys[len(keys) // 2]) if keys else None
    if found is None:
        raise NotRenderable() if meant(opened).exists() else StudyNotFound()
    return found.small(None, how)


def _with_mark(picture: bytes, how: How, mark: str) -> bytes:
    """A small picture is drawn without, to be kept; the mark comes on the way out."""
    return marked_file(picture, mark, how.media) if mark else picture


def _asked(draw: Callable[[], Any]) -> Any:
    """Errors of the drawing room in words of this one."""
    try:
        return draw()
    except CannotRender as wrong:
        if wrong.code == "no_such_frame":
            raise StudyNotFound() from wrong
        if wrong.code == "no_such_region":
            raise NoSuchRegion() from wrong
        raise NotRenderable(wrong.reason) from wrong


def noted(found: Drawable, how: How, kinds: frozenset[str]) -> How:
    """The same with what DICOM says of the patient, of the technique, written into the picture."""
    if not kinds or found.json is None:
        return how
    patient = _lines(found.json, _PATIENT) if "patient" in kinds else ()
    technique = _lines(found.json, _TECHNIQUE) if "technique" in kinds else ()
    return replace(how, notes=(patient, technique))


_PATIENT = (
    ("", "00100010"), ("", "00100020"), ("born ", "00100030"), ("", "00100040"),
)  # fmt: skip
_TECHNIQUE = (
    ("", "00080080"), ("", "00081030"), ("", "0008103E"), ("", "00080060"), ("", "00080020"),
    ("kVp ", "00180060"), ("mA ", "00181151"), ("TR ", "00180080"), ("TE ", "00180081"),
    ("mm ", "00180050"), ("series ", "00200011"), ("image ", "00200013"),
)  # fmt: skip


def _lines(json: Json, wanted: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    made = ((word, _words(json.get(tag, {}))) for word, tag in wanted)
    return tuple(f"{word}{text}"[:64] for word, text in made if text)


def _words(element: Json) -> str:
    first = (element.get("Value") or ("",))[0]
    if isinstance(first, dict):
        text = str(first.get("Alphabetic") or next(iter(first.values()), ""))
        return text.replace("^", " ").strip()
    if element.get("vr") == "DA" and isinstance(first, str) and len(first) == 8:
        return f"{first[:4]}-{first[4:6]}-{first[6:]}"
    return "" if first is None else f"{first:g}" if isinstance(first, float) else str(first)


def _number(json: Json, tag: str) -> float:
    value = (json.get(tag, {}).get("Value") or (0,))[0]
    return float(value) if isinstance(value, int | float) and value > 0 else 0.0
