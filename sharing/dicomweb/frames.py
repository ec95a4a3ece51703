"""WADO-RS frames: what a viewer asks for by the hundred (PS3.18 10.4.1.1.2).

One query for the fence, the path and the place; then one read, in the form that fits.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone

from sharing.archive.services.retrieving import (
    Stored,
    Watch,
    guarded,
    open_instance,
    ready,
)
from sharing.archive.services.transcoding import able_among, frame_in
from sharing.dicom.scan import EXPLICIT_LE
from sharing.kernel.errors import BadValue

from .accept import Form, frame_form, wanted
from .gate import IN_ONE_PIECE, needs, tag, unchanged, where
from .multipart import Outgoing, answer, joined

MOST_FRAMES = 1000


@needs("dicomweb.read")
def frames_view(request: Any, **path: str) -> HttpResponseBase:
    """GET .../frames/1,2,3."""
    stored = open_instance(
        request.actor, where(path), at=timezone.now(), request_id=request.request_id
    )
    numbers = frame_list(path["frames"])
    form = frame_form(wanted(request), stored, count=len(numbers), able=able_among([stored]))
    etag = tag(stored.sha256, path["frames"], form.multipart, form.content_type)
    length = sum(stored.frame_length(number - 1) for number in numbers)  # each must be there
    if answer_304 := unchanged(request, etag):
        return answer_304
    as_it_lies = form.stored or (form.syntax == EXPLICIT_LE and stored.plain)
    if as_it_lies and length <= IN_ONE_PIECE:
        response: HttpResponseBase = _whole(stored, form, numbers)
    else:
        response = streamed(request, stored, form, [number - 1 for number in numbers])
    response["ETag"] = etag
    return response


def _whole(stored: Stored, form: Form, numbers: list[int]) -> HttpResponse:
    bodies = [b"".join(stored.frame(number - 1)) for number in numbers]
    if form.multipart:
        return joined(form.content_type, bodies, form.media)
    return HttpResponse(bodies[0], content_type=form.content_type)


def streamed(
    request: Any, stored: Stored, form: Form, indices: Sequence[int], *, location: str = ""
) -> StreamingHttpResponse:
    """The frames of these indices (from 0) in pieces, so that memory stays flat; `location`: what
    each part says of its place.
    """
    ready([stored])
    first, *others = indices
    watch = Watch(request.actor, stored.study, timezone.now)
    parts = [_frame(watch, stored, form, first)]
    parts += [_frame(watch, stored, form, index, lazy=True) for index in others]
    if form.multipart:
        return answer([replace(part, location=location) for part in parts], form.media)
    response = StreamingHttpResponse(parts[0].chunks, content_type=form.content_type)
    response["Content-Length"] = str(parts[0].length)
    return response


def _frame(watch: Watch, stored: Stored, form: Form, index: int, *, lazy: bool = False) -> Outgoing:
    """One frame. `lazy` decodes it when its turn comes: a thousand plain frames fill no memory."""
    length = stored.frame_length(index)
    if form.stored:
        return Outgoing(form.content_type, watch.over(stored.frame(index)), length)
    if lazy:
        later = (frame_in(stored, number, form.syntax) for number in (index,))
        return Outgoing(form.content_type, watch.over(later), None)
    pixels = frame_in(stored, index, form.syntax)
    return Outgoing(form.content_type, (pixels,), len(pixels))


def watched(request: Any, stored: Stored, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The same chunks, cut when the actor may no longer view the study's images."""
    return guarded(chunks, request.actor, stored.study, timezone.now)


def frame_list(text: str) -> list[int]:
    """Frame numbers from 1. Raises BadValue."""
    words = text.split(",")
    if len(words) > MOST_FRAMES or not all(re.fullmatch(r"[1-9]\d{0,8}", w) for w in words):
        raise BadValue("The list of frames is not a list of numbers from 1.")
    return [int(word) for word in words]
