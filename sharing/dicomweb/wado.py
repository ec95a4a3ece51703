"""WADO-RS: retrieving (PS3.18 10.4). Each view: who and what, one fence, then the form."""

import re
from collections.abc import Iterator
from typing import Any

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone

from sharing.archive.services.retrieving import (
    Opened,
    Stored,
    guarded,
    metadata,
    objects,
    open_images,
    ready,
)
from sharing.archive.services.transcoding import able_among, frame_in, object_in
from sharing.kernel.errors import BadValue
from sharing.kernel.purposes import Action

from .accept import (
    DICOM,
    OCTETS,
    Form,
    frame_form,
    object_forms,
    require_json,
    wanted,
)
from .gate import json_array, needs, root, tag, unchanged, where
from .multipart import Outgoing, answer

MOST_FRAMES = 1000


def _open(request: Any, path: dict[str, str], action: Action = Action.IMAGES) -> Opened:
    return open_images(
        request.actor,
        where(path),
        at=timezone.now(),
        action=action,
        request_id=request.request_id,
    )


@needs("dicomweb.read")
def metadata_view(request: Any, **path: str) -> HttpResponseBase:
    """GET .../metadata of a study, a series or an instance."""
    opened = _open(request, path)
    require_json(wanted(request))
    etag = tag(opened.version, "metadata")
    if answer_304 := unchanged(request, etag):
        return answer_304
    return json_array(metadata(opened, root=root(opened.study.organization.code)), etag)


@needs("dicomweb.read")
def objects_view(request: Any, **path: str) -> HttpResponseBase:
    """GET a study, a series or an instance as DICOM files: a copy, so a consent must say so."""
    opened = _open(request, path, Action.DOWNLOAD)
    found = objects(opened)
    multipart, forms = object_forms(wanted(request), found, able_among(found))
    etag = tag(opened.version, multipart, *dict.fromkeys(forms))
    if answer_304 := unchanged(request, etag):
        return answer_304
    ready(found)
    parts = [
        Outgoing(
            form.content_type,
            _object(request, opened, stored, form, lazy=len(found) > 1),
            _length(stored, form),
        )
        for stored, form in zip(found, forms, strict=True)
    ]
    response = answer(parts, DICOM) if multipart else _single(parts[0], found[0])
    response["ETag"] = etag
    return response


def _object(
    request: Any, opened: Opened, stored: Stored, form: Form, *, lazy: bool
) -> Iterator[bytes]:
    """The pieces of one object. One that leaves alone is begun now, so that it may be refused."""
    if form.stored:
        chunks = stored.file()
    elif lazy:
        chunks = (piece for each in (stored,) for piece in object_in(each, form.syntax))
    else:
        chunks = object_in(stored, form.syntax)
    study = opened.study.public_id
    return guarded(chunks, request.actor, study, timezone.now, Action.DOWNLOAD)


def _length(stored: Stored, form: Form) -> int | None:
    return stored.file_length if form.stored else None


def _single(part: Outgoing, stored: Stored) -> StreamingHttpResponse:
    """One object as a file: the name is made here, never taken from the object."""
    response = StreamingHttpResponse(part.chunks, content_type=DICOM)
    if part.length is not None:
        response["Content-Length"] = str(part.length)
    response["Content-Disposition"] = f'attachment; filename="{stored.sop_uid}.dcm"'
    return response


@needs("dicomweb.read")
def frames_view(request: Any, **path: str) -> HttpResponseBase:
    """GET .../frames/1,2,3."""
    opened = _open(request, path)
    stored = objects(opened)[0]
    numbers = _frame_list(path["frames"])
    form = frame_form(wanted(request), stored, count=len(numbers), able=able_among([stored]))
    etag = tag(stored.sha256, path["frames"], form)
    if answer_304 := unchanged(request, etag):
        return answer_304
    ready([stored])
    first, *others = numbers
    parts = [_frame(request, opened, stored, form, first - 1)]
    parts += [_frame(request, opened, stored, form, number - 1, lazy=True) for number in others]
    if form.multipart:
        response = answer(parts, form.media)
    else:
        response = StreamingHttpResponse(parts[0].chunks, content_type=form.content_type)
        response["Content-Length"] = str(parts[0].length)
    response["ETag"] = etag
    return response


def _frame(
    request: Any, opened: Opened, stored: Stored, form: Form, index: int, *, lazy: bool = False
) -> Outgoing:
    """One frame. `lazy` decodes it when its turn comes: a thousand plain frames fill no memory."""
    length = stored.frame_length(index)
    if form.stored:
        return Outgoing(form.content_type, _watched(request, opened, stored.frame(index)), length)
    if lazy:
        later = (frame_in(stored, number, form.syntax) for number in (index,))
        return Outgoing(form.content_type, _watched(request, opened, later), None)
    pixels = frame_in(stored, index, form.syntax)
    return Outgoing(form.content_type, (pixels,), len(pixels))


def _watched(request: Any, opened: Opened, chunks: Iterator[bytes]) -> Iterator[bytes]:
    return guarded(chunks, request.actor, opened.study.public_id, timezone.now)


def _frame_list(text: str) -> list[int]:
    """Frame numbers from 1. Raises BadValue."""
    words = text.split(",")
    if len(words) > MOST_FRAMES or not all(re.fullmatch(r"[1-9]\d{0,8}", w) for w in words):
        raise BadValue("The list of frames is not a list of numbers from 1.")
    return [int(word) for word in words]


@needs("dicomweb.read")
def bulk_view(request: Any, **path: str) -> HttpResponseBase:
    """GET a BulkDataURI (PS3.18 10.4.1.1.6)."""
    opened = _open(request, path)
    stored = objects(opened)[0]
    etag = tag(stored.sha256, path["bulk"])
    if answer_304 := unchanged(request, etag):
        return answer_304
    raw = stored.bulk(path["bulk"])
    if any(not want.multipart and want.media == OCTETS for want in wanted(request)):
        response: HttpResponseBase = HttpResponse(raw, content_type=OCTETS)
    else:
        response = answer([Outgoing(OCTETS, (raw,), len(raw))], OCTETS)
    response["Content-Disposition"] = "attachment"
    response["ETag"] = etag
    return response
