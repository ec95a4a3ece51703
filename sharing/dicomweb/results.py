"""Answers to searches: DICOM JSON, or parts of native XML (PS3.18 8.7.3, 10.6.3), gzipped where
that is accepted."""

import hashlib
from typing import Any

from django.http import HttpResponse
from isal import isal_zlib

from sharing.archive.documents import Sheet
from sharing.archive.errors import NotAcceptable
from sharing.archive.services.describing import document
from sharing.dicom.xml_model import to_xml

from .accept import JSON, XML, takes_gzip, takes_json, wanted

_WORTH = 1400
"""An answer of one packet is sent as it is."""


def form_of(request: Any) -> str:
    """The media type that is preferred of the two. Raises NotAcceptable."""
    for want in wanted(request):
        if takes_json(want):
            return JSON
        if want.multipart and want.first(XML):
            return XML
    raise NotAcceptable()


def results(request: Any, form: str, objects: list[str], warnings: list[str]) -> HttpResponse:
    """All objects, in the form that `form_of` chose, each warning with code 299."""
    if form == JSON:
        body, media = f"[{','.join(objects)}]".encode(), JSON
    else:
        body, media = _parts([to_xml(text.encode()) for text in objects])
    small = _gzipped(request, body)
    response = _coded(body if small is None else small, media, packed=small is not None)
    if warnings:
        response.headers["Warning"] = ", ".join(f'299 portal "{words}"' for words in warnings)
    return response


def ready(request: Any, sheet: Sheet) -> HttpResponse:
    """The same in JSON, of objects that lie together ready."""
    packed = takes_gzip(request.META.get("HTTP_ACCEPT_ENCODING", ""))
    handle, _ = document(sheet, packed=packed)
    with handle:
        return _coded(handle.read(), JSON, packed=packed)


def _coded(body: bytes, media: str, *, packed: bool) -> HttpResponse:
    response = HttpResponse(body, content_type=media)
    if packed:
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Vary"] = "Accept-Encoding"
    return response


def _parts(objects: list[bytes]) -> tuple[bytes, str]:
    """A multipart/related body, and its media type. The boundary is that of no other content."""
    boundary = hashlib.sha256(b"".join(objects)).hexdigest()[:40].encode()
    head = b"--%s\r\nContent-Type: %s\r\n\r\n" % (boundary, XML.encode())
    body = b"".join(head + one + b"\r\n" for one in objects) + b"--%s--\r\n" % boundary
    return body, f'multipart/related; type="{XML}"; boundary={boundary.decode()}'


def _gzipped(request: Any, body: bytes) -> bytes | None:
    if len(body) < _WORTH or not takes_gzip(request.META.get("HTTP_ACCEPT_ENCODING", "")):
        return None
    squeezed: bytes = isal_zlib.compress(body, 1, 31)
    return squeezed
