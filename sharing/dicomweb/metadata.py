"""WADO-RS metadata: ready documents, as they lie, plain or gzip (PS3.18 10.4.1.1.6)."""

from collections.abc import Iterator
from typing import Any

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone

from sharing.archive.metadata import gzipped
from sharing.archive.services.describing import (
    Described,
    describe,
    describe_instance,
    document,
    joined,
    joined_length,
    pieces,
)
from sharing.archive.services.locating import Asker
from sharing.archive.services.retrieving import guarded
from sharing.kernel.purposes import Action

from .accept import JSON, XML, takes_gzip
from .gate import IN_ONE_PIECE, json_array, needs, root, unchanged, where
from .native import xml_metadata
from .results import form_of


@needs("dicomweb.read")
def metadata_view(request: Any, **path: str) -> HttpResponseBase:
    """GET .../metadata of a study, a series or an instance."""
    if form_of(request) == XML:
        return xml_metadata(request, path)
    asker = Asker(request.actor, Action.IMAGES, timezone.now(), request.request_id)
    if "instance" in path:
        version, json = describe_instance(asker, where(path), mount=root("{}"))
        etag = f'"{version}"'
        return _coded(unchanged(request, etag) or json_array((json,), etag))
    found = describe(asker, where(path), mount=root("{}"))
    packed = takes_gzip(request.META.get("HTTP_ACCEPT_ENCODING", ""))
    etag = f'"{found.version}{"-gzip" if packed else ""}"'
    response = unchanged(request, etag) or _described(request, found, packed=packed)
    response["ETag"] = etag
    return _coded(response)


def _described(request: Any, found: Described, *, packed: bool) -> HttpResponseBase:
    make = _one if len(found.sheets) == 1 else _several
    response = make(request, found, packed=packed)
    if packed:
        response["Content-Encoding"] = "gzip"
    return response


def _several(request: Any, found: Described, *, packed: bool) -> HttpResponseBase:
    length = joined_length(found.sheets)
    texts = joined(found.sheets)
    chunks = gzipped(texts) if packed else texts
    if length <= IN_ONE_PIECE:
        return HttpResponse(b"".join(chunks), content_type=JSON)
    response = _streamed(request, found, chunks)
    if not packed:
        response["Content-Length"] = str(length)
    return response


def _one(request: Any, found: Described, *, packed: bool) -> HttpResponseBase:
    handle, length = document(found.sheets[0], packed=packed)
    if length <= IN_ONE_PIECE:
        with handle:
            return HttpResponse(handle.read(), content_type=JSON)
    if request.method == "HEAD":
        handle.close()
    response = _streamed(request, found, pieces(handle))
    response["Content-Length"] = str(length)
    return response


def _streamed(request: Any, found: Described, chunks: Iterator[bytes]) -> HttpResponseBase:
    watched = guarded(chunks, request.actor, found.study, timezone.now)
    return StreamingHttpResponse(watched, content_type=JSON)


def _coded(response: HttpResponseBase) -> HttpResponseBase:
    response.headers["Vary"] = "Authorization, Cookie, Accept, Accept-Encoding"
    return response
