"""WADO-RS: rendered resources and thumbnails (PS3.18 10.4.1.1.3, 10.4.1.1.4, 8.3.5.1)."""

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.utils import timezone

from sharing.archive.errors import MarkedOnly, NotRenderable
from sharing.archive.services.rendering import (
    PDF_CLASS,
    Drawable,
    drawable,
    noted,
    open_drawable,
    renderable,
    small_picture,
)
from sharing.archive.services.retrieving import Opened, guarded, open_images
from sharing.dicom.drawing import GIF, LARGEST, How
from sharing.kernel.errors import BadValue

from .accept import PDF, PICTURES, Wanted, picture_form, renderings_form, takes_pdf, wanted
from .frames import frame_list
from .gate import needs, tag, unchanged, where
from .multipart import Outgoing, answer_as_made

_FUNCTIONS = {"linear": "LINEAR", "linear-exact": "LINEAR_EXACT", "sigmoid": "SIGMOID"}
_NUMBER = re.compile(r"[+-]?\d{1,9}(\.\d{1,9})?", re.ASCII)
_PROFILES = ("no", "yes", "srgb", "adobergb", "rommrgb", "displayp3")
_Made = Iterator[tuple[str, bytes]]


@needs("dicomweb.read")
def rendered_view(request: Any, **path: str) -> HttpResponseBase:
    """GET .../rendered of a study, a series, an instance or of frames."""
    how, notes, warning = parameters(request.GET)
    wants = wanted(request)
    if "instance" not in path:
        return _warned(_all(request, path, wants, how, notes), warning)
    found = _one_instance(request, path)
    is_document = found.stored.sop_class_uid == PDF_CLASS and "frames" not in path
    if is_document and any(want.first(PDF) for want in wants):
        return _document(request, found, alone=takes_pdf(wants))
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
        made = ((media, found.picture(n - 1, how)) for n in numbers or [found.representative + 1])
        response = _several(request, found.stored.study, made)
    response["ETag"] = etag
    return _warned(response, warning)


def _one(found: Drawable, numbers: list[int], how: How) -> bytes:
    """One frame; or, of an instance of several frames as GIF, all of them."""
    if not numbers and how.media == GIF and found.stored.frames > 1:
        return found.film(how)
    index = numbers[0] - 1 if numbers else found.representative
    return found.picture(index, how)


def _all(
    request: Any, path: dict[str, str], wants: list[Wanted], how: How, notes: frozenset[str]
) -> HttpResponseBase:
    """What is rendered of every instance that can be: a picture, or the document that it holds.

    Raises NotAcceptable, NotRenderable, MarkedOnly.
    """
    opened = _open(request, path)
    if document := _only_document(opened, wants):
        return _document(request, document)
    media, documents = renderings_form(wants)
    shown = renderable(opened, pictures=bool(media), documents=documents)
    if opened.mark and shown and all(is_document for _, is_document in shown):
        raise MarkedOnly()
    etag = tag(opened.version, media, documents, how, sorted(notes), opened.mark)
    if answer_304 := unchanged(request, etag):
        return answer_304
    how = replace(how, media=media)
    response = _several(request, opened.study.public_id, _renderings(opened, shown, how, notes))
    response["ETag"] = etag
    return response


def _only_document(opened: Opened, wants: list[Wanted]) -> Drawable | None:
    """The one document, where it may leave alone and nothing else that is wanted is beside it."""
    beside = any(want.multipart and want.first(*PICTURES) for want in wants)
    shown = renderable(opened, pictures=beside, documents=True) if takes_pdf(wants) else []
    return drawable(opened, shown[0][0]) if len(shown) == 1 and shown[0][1] else None


def _renderings(
    opened: Opened, shown: list[tuple[int, bool]], how: How, notes: frozenset[str]
) -> _Made:
    """Those that can be rendered; a document bears no mark, so it stays where one is needed."""
    for key, is_document in shown:
        each = None if is_document and opened.mark else drawable(opened, key)
        try:
            if each is None:
                continue
            made = each.pdf() if is_document else _one(each, [], noted(each, how, notes))
        except NotRenderable:
            continue
        yield (PDF if is_document else how.media), made


def _several(request: Any, study: str, made: _Made) -> HttpResponseBase:
    """Each part with its media type, made when its turn comes; the answer's type is that of the
    first (RFC 2387 3.1). Raises NotRenderable.
    """
    first = next(made, None)
    if first is None:
        raise NotRenderable()

    def parts() -> Iterator[Outgoing]:
        for media, raw in chain((first,), guarded(made, request.actor, study, timezone.now)):
            yield Outgoing(media, (raw,), len(raw))

    return answer_as_made(parts(), first[0])


def _document(request: Any, found: Drawable, *, alone: bool = True) -> HttpResponseBase:
    """The PDF itself; a browser is told to save it, never to show it as a page of ours.

    Raises MarkedOnly: a document is handed out as it was sent, and bears no mark.
    """
    if found.mark:
        raise MarkedOnly()
    etag = tag(found.stored.sha256, PDF, alone)
    if answer_304 := unchanged(request, etag):
        return answer_304
    if alone:
        response: HttpResponseBase = HttpResponse(found.pdf(), content_type=PDF)
        response["Content-Disposition"] = f'attachment; filename="{found.stored.sop_uid}.pdf"'
    else:
        response = _several(request, found.stored.study, iter([(PDF, found.pdf())]))
    response["ETag"] = etag
    return response


@needs("dicomweb.read")
def thumbnail_view(request: Any, **path: str) -> HttpResponseBase:
    """GET .../thumbnail of a study, a series, an instance or of frames; `viewport` is taken.

    One picture, whatever it stands for (PS3.18 10.4.3.3): of several the middle one.
    """
    found = _one_instance(request, path) if "instance" in path else _open(request, path)
    media, _ = picture_form(wanted(request), many=False)
    numbers = frame_list(path["frames"]) if "frames" in path else []
    how = How(size=_viewport(request.GET.get("viewport"))[0], media=media)
    version = found.stored.sha256 if isinstance(found, Drawable) else found.version
    etag = tag(version, "thumbnail", numbers, how, found.mark)
    if isinstance(found, Drawable):
        for number in numbers:
            found.stored.frame_length(number - 1)  # each must be there
    if answer_304 := unchanged(request, etag):
        return answer_304
    if isinstance(found, Drawable):
        small = found.small(numbers[len(numbers) // 2] - 1 if numbers else None, how)
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
