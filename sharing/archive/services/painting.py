"""The first picture of a viewer: the middle image of a series, small, carried by the page itself.

For who was let in to the study's images just now (`finding.open_study`). Drawn for the first who
opens the series and kept beside its document, so that it costs nothing the second time.
"""

from dataclasses import replace

from sharing.archive import documents
from sharing.archive.errors import BlobUnavailable, NotRenderable, StudyNotFound
from sharing.archive.models import Instance, Series, Study
from sharing.dicom.described import Json
from sharing.dicom.drawing import How, marked_file
from sharing.kernel.errors import BadValue

from .rendering import Drawable
from .retrieving import Stored

SIDE = 512
MOST_BYTES = 40 * 1024
QUALITIES = (80, 65, 50, 35)
MOST_PIXELS = 4 * 1024 * 1024
"""A page waits for no larger image to be decoded: its viewer asks for the picture by itself."""
_STRETCHED = 0.01


def first_paint(*, series: Series, frame: int, mark: str) -> bytes | None:
    """A JPEG of that frame (from 1) of the series' middle image; None where it can't be had soon.

    `mark`: what it must say of its reader.
    """
    made = documents.picture(series.pk, series.version)
    if made is None and (made := _drawn(series, frame - 1)):
        documents.keep_picture(series.pk, series.version, made)
    return marked_file(made, mark) if made and mark else made


def middle_syntaxes(study: Study) -> dict[str, str]:
    """The transfer syntax of the middle image of each series, by its UID."""
    middles = Series.objects.filter(study=study).exclude(middle="").values("middle")
    images = Instance.objects.filter(series__study=study, sop_uid__in=middles)
    return dict(images.values_list("sop_uid", "transfer_syntax"))


def _drawn(series: Series, index: int) -> bytes | None:
    row = Instance.objects.filter(series_id=series.pk, sop_uid=series.middle)
    found = row.values_list(*Stored.COLUMNS, "metadata").first()
    if found is None:
        return None
    image = Drawable(Stored("", *found[:-1]), found[-1])
    if not 0 < _pixels(image.json) <= MOST_PIXELS:
        return None
    try:
        return _small_enough(image, index, _box(image.json))
    except (NotRenderable, StudyNotFound, BlobUnavailable, BadValue):
        return None


def _small_enough(image: Drawable, index: int, how: How) -> bytes:
    """The best of some qualities that keeps the page small."""
    made = b""
    for quality in QUALITIES:
        made = image.picture(index, replace(how, quality=quality))
        if len(made) <= MOST_BYTES:
            break
    return made


def _box(json: Json | None) -> How:
    """As the live viewport shows it: in the shape that the distances of pixels give it."""
    rows, columns = (_first(json, tag) for tag in ("00280010", "00280011"))
    down, across = _spacing(json)
    tall, wide = rows * down, columns * across
    scale = min(SIDE / tall, SIDE / wide, max(rows / tall, columns / wide))
    size = (max(1, round(wide * scale)), max(1, round(tall * scale)))
    return How(size=size, exact=abs(down / across - 1) > _STRETCHED)


def _spacing(json: Json | None) -> tuple[float, float]:
    """Pixel Spacing (0028,0030): between rows, between columns; even where it says nothing."""
    values = (json or {}).get("00280030", {}).get("Value") or ()
    numbers = [float(each) for each in values if isinstance(each, int | float)]
    ok = len(numbers) == 2 and all(0.01 < each < 100 for each in numbers)
    return (numbers[0], numbers[1]) if ok else (1.0, 1.0)


def _pixels(json: Json | None) -> float:
    return _first(json, "00280010") * _first(json, "00280011")


def _first(json: Json | None, tag: str) -> float:
    value = ((json or {}).get(tag, {}).get("Value") or (0,))[0]
    return float(value) if isinstance(value, int | float) else 0.0
