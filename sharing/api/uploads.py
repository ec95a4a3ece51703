"""Resumable uploads (tus 1.0: core, creation, termination) and the batches they belong to."""

import base64
import re
from collections.abc import Iterator
from typing import Any

from django.http import HttpResponse, HttpResponseBase, JsonResponse, UnreadablePostError
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from sharing.archive.errors import BadUpload
from sharing.archive.rules import MAX_ARCHIVE_BYTES
from sharing.archive.services import uploading

from .gate import uploads as guard

VERSION = "1.0.0"
PIECE = 256 * 1024
_LENGTH = re.compile(r"\d{1,15}")


@require_http_methods(["POST", "OPTIONS"])
@guard
def uploads(request: Any) -> HttpResponseBase:
    """Announce a file, or ask what this server can do."""
    if request.method == "OPTIONS":
        return _answer(
            204,
            **{
                "Tus-Version": VERSION,
                "Tus-Extension": "creation,termination",
                "Tus-Max-Size": str(MAX_ARCHIVE_BYTES),
            },
        )
    if not _speaks(request):
        return _answer(412, **{"Tus-Version": VERSION})
    told = _metadata(request.headers.get("Upload-Metadata", ""))
    upload = uploading.open_upload(
        request.actor,
        batch_id=told.get("batch", ""),
        name=told.get("relativePath") or told.get("filename", ""),
        length=_number(request, "Upload-Length"),
        at=timezone.now(),
    )
    return _answer(201, Location=reverse("api:upload", args=[upload.public_id]))


@require_http_methods(["HEAD", "PATCH", "DELETE"])
@guard
def upload(request: Any, upload_id: str) -> HttpResponseBase:
    """Where an upload stands, its next piece, or its end."""
    if not _speaks(request):
        return _answer(412, **{"Tus-Version": VERSION})
    if request.method == "PATCH":
        return _append(request, upload_id)
    if request.method == "DELETE":
        uploading.drop_upload(request.actor, public_id=upload_id)
        return _answer(204)
    found = uploading.find_upload(request.actor, upload_id)
    sizes = {"Upload-Offset": str(found.offset), "Upload-Length": str(found.length)}
    return _answer(200, **sizes)


def _append(request: Any, upload_id: str) -> HttpResponseBase:
    if request.content_type != "application/offset+octet-stream":
        return _answer(415)
    offset = uploading.append(
        request.actor,
        public_id=upload_id,
        offset=_number(request, "Upload-Offset"),
        pieces=_body(request),
        at=timezone.now(),
    )
    return _answer(204, **{"Upload-Offset": str(offset)})


def _body(request: Any) -> Iterator[bytes]:
    """What comes until the end, or until the client is gone."""
    while True:
        try:
            piece = request.read(PIECE)
        except UnreadablePostError:
            return
        if not piece:
            return
        yield piece


def _speaks(request: Any) -> bool:
    return request.headers.get("Tus-Resumable") == VERSION


def _answer(status: int, **headers: str) -> HttpResponse:
    response = HttpResponse(status=status)
    for name, value in {"Tus-Resumable": VERSION, "Cache-Control": "no-store", **headers}.items():
        response[name] = value
    return response


def _number(request: Any, header: str) -> int:
    text = request.headers.get(header, "")
    if not _LENGTH.fullmatch(text):
        raise BadUpload(f"{header} must be a number of bytes.")
    return int(text)


def _metadata(text: str) -> dict[str, str]:
    """Pairs of a key and a base64 value (tus 1.0, Upload-Metadata). Raises BadUpload."""
    found = {}
    for pair in text.split(","):
        key, _, value = pair.strip().partition(" ")
        try:
            found[key] = base64.b64decode(value, validate=True).decode("utf-8")
        except ValueError:  # not base64, not ASCII, not UTF-8
            raise BadUpload("Upload-Metadata is not base64 text.") from None
    return {key: "".join(c for c in value if c.isprintable()) for key, value in found.items()}


@require_POST
@guard
def batches(request: Any) -> HttpResponseBase:
    """A new batch, of `patient` where one is chosen; where to send to, and where its receipt is."""
    patient = request.GET.get("patient", "")
    batch = uploading.open_batch(request.actor, patient=patient, at=timezone.now())
    return JsonResponse(_places(batch.public_id), status=201)


@require_http_methods(["GET", "HEAD"])
@guard
def batch(request: Any, batch_id: str) -> HttpResponseBase:
    """The receipt so far."""
    found = uploading.receipt(request.actor, batch_id=batch_id)
    counts = ("sent", "stored", "duplicates", "conflicts", "held", "rejected", "ignored")
    body = _places(batch_id) | {
        "state": found.state,
        "by": found.by,
        "at": found.at.isoformat(),
        **{name: getattr(found, name) for name in counts},
        "fingerprint": found.fingerprint,
        "items": [_item(item) for item in found.items],
        "studies": [
            {"id": s.public_id, "study_uid": s.study_uid, "state": s.state} for s in found.studies
        ],
    }
    return JsonResponse(body)


def _item(item: Any) -> dict[str, str]:
    names = ("name", "outcome", "code", "reason", "sop_uid")
    return {name: str(getattr(item, name)) for name in names}


@require_POST
@guard
def close(request: Any, batch_id: str) -> HttpResponseBase:
    """No more files come: the batch will be received."""
    uploading.close_batch(request.actor, public_id=batch_id, at=timezone.now())
    return JsonResponse(_places(batch_id) | {"state": "receiving"}, status=202)


def _places(batch_id: str) -> dict[str, str]:
    return {
        "id": batch_id,
        "url": reverse("api:upload-batch", args=[batch_id]),
        "receipt_url": f"/upload/{batch_id}/receipt/",
    }
