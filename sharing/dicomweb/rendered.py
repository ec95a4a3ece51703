"""WADO-RS: rendered resources and thumbnails (PS3.18 10.4.1.1.3, 10.4.1.1.4, 8.3.5.1)."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.utils import timezone

from sharing.archive.errors import MarkedOnly, NotAcceptable, NotRenderable
from sharing.archive.services.rendering import (
    PDF_CLASS,
    Drawable,
    drawables,
    noted,
    open_drawable,
    small_picture,
)
from sharing.archive.services.retrieving import Opened, guarded, open_images
from sharing.dicom.drawing import GIF, LARGEST, How
from sharing.kernel.errors import BadValue

from .accept import accepts, picture_form, wanted
from .frames import frame_list
from .gate import needs, tag, unchanged, where
from .multipart import Outgoing, answer_as_made

PDF = "application/pdf"
_FUNCTIONS = {"linear": "LINEAR", "linear-exact": "LINEAR_EXACT", "sigmoid": "SIGMOID"}
_NUMBER = re.compile(r"[+-]?\d{1,9}(\.\d{1,9})?", re.ASCII)
_PROFILES = ("no", "yes", "srgb", "adobergb", "rommrgb", "displayp3")
_Made = Iterator[bytes]


@needs("dicomweb.read")
def rendered_view(request: Any, **path: str) -> HttpResponseBase:
    """GET .../rendered of a study, a series, an instance or of frames."""
    how, notes, warning = parameters(request.GET)
    wants = wanted(request)
    if "instance" not in path:
        return _warned(_all(request, _open(request, path), wants, how, notes), warning)
    found = _one_instance(request, path)
    if found.stored.sop_class_uid == PDF_CLASS and accepts(wants, PDF, "*/*", "application/*"):
        return _document(request, found)
    numbers = frame_list(path["frames"]) if "frames" in path else []
    for number in numbers:
        found.stored.frame_length(number - 1)  # each must be there before the first one leaves
    media, multipart = picture_form(wants, many=len(numbers) > 1)
    etag = tag(found.stored.sha256, numbers, media, multipart, how, sorted(notes), found.mark)
    if answer_304 := unchanged(request, etag):
        return answer_304
    how = noted(found, replace(how, media=media), notes)
    if not multipart:
        response: HttpResponseBase = HttpResponse(_one(found, numbers, how), content_type=media)
    else:
        made = (found.picture(n - 1, how) for n in numbers or [found.representative + 1])
        response = _several(request, found.stored.study, made, media)
    response["ETag"] = etag
    return _warned(response, warning)


def _one(found: Drawable, numbers: list[int], how: How) -> bytes:
    """One frame; or, of an instance of several frames as GIF, all of them."""
    if not numbers and how.media == GIF and found.stored.frames > 1:
        return found.film(how)
    index = numbers[0] - 1 if numbers else found.representative
    return found.picture(index, how)


def _all(
    request: Any, opened: Opened, wants: Any, how: How, notes: frozenset[str]
) -> HttpResponseBase:
    """A picture of every instance that has one; those that have none are left out."""
    found = drawables(opened)
    media, _ = picture_form(wants, many=True)
    etag = tag(opened.version, media, how, sorted(notes), opened.mark)
    if answer_304 := unchanged(request, etag):
        return answer_304
    how = replace(how, media=media)
    made = _pictures(found, lambda each: _one(each, [], noted(each, how, notes)))
    response = _several(request, opened.study.public_id, made, media)
    response["ETag"] = etag
    return response


def _pictures(found: Iterator[Drawable], draw: Callable[[Drawable], bytes]) -> _Made:
    for each in found:
        if each.stored.frames:
            try:
                picture = draw(each)
            except NotRenderable:
                continue
            yield picture


def _several(request: Any, study: str, made: _Made, media: str) -> HttpResponseBase:
    """Pictures in a multipart body, each made when its turn comes. Raises NotRenderable."""
    first = next(made, None)
    if first is None:
        raise NotRenderable()

    def parts() -> Iterator[Outgoing]:
        yield Outgoing(media, (first,), len(first))
        for picture in guarded(made, request.actor, study, timezone.now):
            yield Outgoing(media, (picture,), len(picture))

    return answer_as_made(parts(), media)


def _document(request: Any, found: Drawable) -> HttpResponseBase:
    """The PDF itself; a browser is told to save it, never to show it as a page of ours.

    Raises MarkedOnly: a document is handed out as it was sent, and bears no mark.
    """
    if found.mark:
        raise MarkedOnly()
    etag = tag(found.stored.sha256, PDF)
    if answer_304 := unchanged(request, etag):
        return answer_304
    response = HttpResponse(found.pdf(), content_type=PDF)
    response["Content-Disposition"] = f'attachment; filename="{found.stored.sop_uid}.pdf"'
    response["ETag"] = etag
    return response


@needs("dicomweb.read")
def thumbnail_view(request: Any, **path: str) -> HttpResponseBase:
    """GET .../thumbnail of a study, a series, an instance or a frame; `viewport` is taken."""
    found = _one_instance(request, path) if "instance" in path else _open(request, path)
    media, _ = picture_form(wanted(request), many=False)
    numbers = frame_list(path["frames"]) if "frames" in path else []
    if len(numbers) > 1:
        raise NotAcceptable()
    how = How(size=_viewport(request.GET.get("viewport"))[0], media=media)
    version = found.stored.sha256 if isinstance(found, Drawable) else found.version
    etag = tag(version, "thumbnail", numbers, how, found.mark)
    if isinstance(found, Drawable) and numbers:
        found.stored.frame_length(numbers[0] - 1)  # it must be there
    if answer_304 := unchanged(request, etag):
        return answer_304
    if isinstance(found, Drawable):
        small = found.small(numbers[0] - 1 if numbers else None, how)
    else:
        small = small_picture(found, how)
    response = HttpResponse(small, content_type=media)
    response["ETag"] = etag
    return response


def _one_instance(request: Any, path: dict[str, str]) -> Drawable:
    return open_drawable(
        request.actor, where(path), at=timezone.now(), request_id=request.request_id
    )


def _open(request: Any, path: dict[str, str]) -> Opened:
    return open_images(request.actor, where(path), at=timezone.now(), request_id=request.request_id)


def parameters(query: Any) -> tuple[How, frozenset[str], str]:
    """The rendering parameters, the kinds of annotation, and a warning of what is ignored.

    Raises BadValue.
    """
    size, region = _viewport(query.get("viewport"))
    how = How(
        window=_window(query.get("window")),
        size=size,
        region=region,
        quality=_quality(query.get("quality")),
    )
    profile = (query.get("iccprofile") or "no").lower()
    if profile not in _PROFILES:
        raise BadValue("The ICC profile is none of those that the standard names.")
    warning = "" if profile == "no" else "no ICC profile is embedded"
    return how, _notes(query.get("annotation")), warning


def _viewport(text: str | None) -> tuple[tuple[int, int] | None, Any]:
    """`vw,vh` and, where given, `sx,sy,sw,sh` (PS3.18 8.3.5.1.3); missing ones have defaults."""
    if not text:
        return None, None
    words = text.split(",")
    if len(words) > 6 or len(words) < 2:
        raise BadValue("The viewport is not a width, a height, and a region.")
    width, height = _numbers(words[:2])
    if not (1 <= width <= LARGEST and 1 <= height <= LARGEST):
        raise BadValue(f"A viewport has sides of 1 to {LARGEST} pixels.")
    left, top, across, down = ([*words[2:], "", "", "", ""])[:4]
    x, y = _numbers([left or "0", top or "0"])
    w, h = _numbers([across or "999999999", down or "999999999"])
    if x < 0 or y < 0 or w == 0 or h == 0:
        raise BadValue("The region of a viewport has no pixel.")
    region = (x, y, w, h) if len(words) > 2 else None
    return (int(width), int(height)), region


def _window(text: str | None) -> tuple[float, float, str] | None:
    """`center,width,function`; without a function a linear one (PS3.18 8.3.5.1.4)."""
    if not text:
        return None
    words = text.split(",")
    if len(words) not in (2, 3):
        raise BadValue("The window is not a centre, a width and a function.")
    center, width = _numbers(words[:2])
    function = _FUNCTIONS.get((words[2] if len(words) == 3 else "linear").lower())
    if function is None or width <= 0 or (function == "LINEAR" and width < 1):
        raise BadValue("The window is not a centre, a width and a function.")
    return center, width, function


def _quality(text: str | None) -> int:
    if not text:
        return 90
    if not re.fullmatch(r"[0-9]{1,3}", text) or not 1 <= int(text) <= 100:
        raise BadValue("The quality is not a number from 1 to 100.")
    return int(text)


def _notes(text: str | None) -> frozenset[str]:
    words = frozenset(word.strip() for word in (text or "").lower().split(",")) - {""}
    if not words <= {"patient", "technique"}:
        raise BadValue("The annotation is neither patient nor technique.")
    return words


def _numbers(words: list[str]) -> list[float]:
    if not all(_NUMBER.fullmatch(word.strip()) for word in words):
        raise BadValue("A number in the query is not a number.")
    return [float(word) for word in words]


def _warned(response: HttpResponseBase, warning: str) -> HttpResponseBase:
    if warning:
        response["Warning"] = f'299 portal "{warning}"'
    return response
