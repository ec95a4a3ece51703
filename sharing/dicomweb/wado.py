"""WADO-RS: retrieving (PS3.18 10.4). Each view: who and what, one fence, then the form."""

from collections.abc import Iterator
from typing import Any

from django.http import HttpResponseBase, StreamingHttpResponse
from django.utils import timezone

from sharing.archive.services.rendering import PDF_CLASS
from sharing.archive.services.retrieving import (
    Opened,
    Stored,
    Watch,
    guarded,
    objects,
    open_images,
    ready,
)
from sharing.archive.services.transcoding import able_among, object_in
from sharing.archive.services.values import BulkValue, bulk_value, file_range
from sharing.kernel.purposes import Action

from .accept import (
    DICOM,
    MEDIA,
    OCTETS,
    PDF,
    Form,
    frame_form,
    object_forms,
    value_form,
    wanted,
)
from .frames import streamed, watched
from .gate import needs, root, tag, unchanged, where
from .multipart import Outgoing, answer
from .ranges import ranged

PIXEL_DATA, DOCUMENT = "7FE00010", "00420011"


def _open(
    request: Any, path: dict[str, str], action: Action = Action.IMAGES, *, raw: bool = False
) -> Opened:
    return open_images(
        request.actor,
        where(path),
        at=timezone.now(),
        action=action,
        request_id=request.request_id,
        raw=raw,
    )


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
    if not multipart and forms[0].stored and found[0].file_length is not None:
        return _file(request, opened, found[0], etag)
    watch = Watch(request.actor, opened.study.public_id, timezone.now, Action.DOWNLOAD)
    parts = [
        Outgoing(
            form.content_type,
            _object(watch, stored, form, lazy=len(found) > 1),
            _length(stored, form),
        )
        for stored, form in zip(found, forms, strict=True)
    ]
    response = answer(parts, DICOM) if multipart else _single(parts[0], found[0])
    response["ETag"] = etag
    return response


def _file(request: Any, opened: Opened, stored: Stored, etag: str) -> HttpResponseBase:
    """One object as it is stored, or a range of it."""
    study = opened.study.public_id
    content_type = f"{DICOM}; transfer-syntax={stored.transfer_syntax}"

    def cut(start: int, stop: int) -> Iterator[bytes]:
        chunks = file_range(stored, start, stop)
        return guarded(chunks, request.actor, study, timezone.now, Action.DOWNLOAD)

    total = stored.file_length or 0
    return _named(ranged(request, cut, total=total, content_type=content_type, etag=etag), stored)


def _named(response: HttpResponseBase, stored: Stored) -> HttpResponseBase:
    """The name of a file is made here, never taken from the object."""
    response["Content-Disposition"] = f'attachment; filename="{stored.sop_uid}.dcm"'
    return response


def _object(watch: Watch, stored: Stored, form: Form, *, lazy: bool) -> Iterator[bytes]:
    """The pieces of one object. One that leaves alone is begun now, so that it may be refused."""
    if form.stored:
        chunks = stored.file()
    elif lazy:
        chunks = (piece for each in (stored,) for piece in object_in(each, form.syntax))
    else:
        chunks = object_in(stored, form.syntax)
    return watch.over(chunks)


def _length(stored: Stored, form: Form) -> int | None:
    return stored.file_length if form.stored else None


def _single(part: Outgoing, stored: Stored) -> HttpResponseBase:
    """One object as a file whose length only its end tells."""
    response = StreamingHttpResponse(part.chunks, content_type=part.content_type)
    if part.length is not None:
        response["Content-Length"] = str(part.length)
    return _named(response, stored)


@needs("dicomweb.read")
def bulk_view(request: Any, **path: str) -> HttpResponseBase:
    """GET a BulkDataURI (PS3.18 10.4.1.1.5): little endian, whatever the file's byte order.

    An encapsulated PDF is had by its own media type, too, a compressed icon only so (8.7.3.3).
    """
    opened = _open(request, path, raw=True)
    stored = objects(opened)[0]
    address = "{}/studies/{study}/series/{series}/instances/{instance}/bulkdata/{bulk}".format(
        root(opened.study.custodian), **path
    )
    if path["bulk"] == PIXEL_DATA and stored.encapsulated:
        return _pixels(request, stored, address)
    value = bulk_value(stored, path["bulk"])
    media, multipart = _value_form(request, stored, path["bulk"], value)
    etag = tag(stored.sha256, path["bulk"], media, multipart)
    if answer_304 := unchanged(request, etag):
        return answer_304
    ready([stored])

    def cut(start: int, stop: int) -> Iterator[bytes]:
        return watched(request, stored, value.pieces(start, stop))

    if multipart:
        part = Outgoing(media, cut(0, value.length), value.length, address)
        response: HttpResponseBase = answer([part], media.partition(";")[0])
        response["ETag"] = etag
    else:
        response = ranged(request, cut, total=value.length, content_type=media, etag=etag)
    response["Content-Disposition"] = "attachment"
    return response


def _value_form(request: Any, stored: Stored, place: str, value: BulkValue) -> tuple[str, bool]:
    """The content type of a bulk value, and whether it leaves in a multipart body."""
    wants, ranged = wanted(request), "HTTP_RANGE" in request.META
    if value.compressed:
        own = stored.transfer_syntax
        media, multipart = value_form(wants, MEDIA.get(own, OCTETS), syntax=own, ranged=ranged)
        return f"{media}; transfer-syntax={own}", multipart
    is_pdf = place == DOCUMENT and stored.sop_class_uid == PDF_CLASS
    return value_form(wants, OCTETS, *((PDF,) if is_pdf else ()), ranged=ranged)


def _pixels(request: Any, stored: Stored, address: str) -> HttpResponseBase:
    """Encapsulated pixel data as bulk data: its frames, one part each (PS3.18 8.7.3.3)."""
    form = frame_form(wanted(request), stored, count=stored.frames, able=able_among([stored]))
    etag = tag(stored.sha256, PIXEL_DATA, form)
    if answer_304 := unchanged(request, etag):
        return answer_304
    response = streamed(request, stored, form, range(stored.frames), location=address)
    response["ETag"] = etag
    return response
