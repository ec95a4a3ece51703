"""A request's body as it comes in: counted or chunked, compressed or not, never whole in memory."""

import zlib
from collections.abc import Iterator
from typing import Any

from sharing.archive.errors import UnsupportedMedia, UploadTooLarge

from .parts import BadBody

PIECE = 256 * 1024
FREE = 64 * 1024 * 1024
RATIO = 200
"""A compressed body may expand to so many times its size, and to 64 MiB in any case."""


def body(request: Any, *, most: int) -> Iterator[bytes]:
    """The request's body in pieces of up to 256 KiB, `most` bytes in all.

    Django reads nothing of a chunked body under WSGI (ticket 35838), so this reads what the server
    gives. Raises UnsupportedMedia for a content encoding other than gzip, at once; while reading
    UploadTooLarge, and BadBody when the client stopped early.
    """
    encoding = request.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in ("", "identity", "gzip", "x-gzip"):
        raise UnsupportedMedia()
    came = _came(request, most)
    return _expanded(came, most) if encoding.endswith("gzip") else came


def _came(request: Any, most: int) -> Iterator[bytes]:
    stream = request.environ["wsgi.input"]
    declared = request.environ.get("CONTENT_LENGTH") or ""
    if declared.isdecimal():
        return _counted(stream, int(declared), most)
    if not declared and (request.environ.get("wsgi.input_terminated") or _is_chunked(request)):
        return _to_the_end(stream, most)
    raise BadBody("The request has no body.")


def _is_chunked(request: Any) -> bool:
    return "chunked" in request.headers.get("Transfer-Encoding", "").lower()


def _counted(stream: Any, length: int, most: int) -> Iterator[bytes]:
    if length > most:
        raise UploadTooLarge()
    rest = length
    while rest:
        piece = stream.read(min(PIECE, rest))
        if not piece:
            raise BadBody()
        rest -= len(piece)
        yield piece


def _to_the_end(stream: Any, most: int) -> Iterator[bytes]:
    seen = 0
    while piece := stream.read(PIECE):
        seen += len(piece)
        if seen > most:
            raise UploadTooLarge()
        yield piece


def _expanded(came: Iterator[bytes], most: int) -> Iterator[bytes]:
    """Gzip members one after another (RFC 1952 2.2), capped while they expand."""
    inflate, taken, given = zlib.decompressobj(31), 0, 0
    for chunk in came:
        taken += len(chunk)
        rest = chunk
        while rest:
            if inflate.eof:
                inflate = zlib.decompressobj(31)
            piece, rest = _inflated(inflate, rest)
            given += len(piece)
            if given > min(most, max(FREE, RATIO * taken)):
                raise UploadTooLarge()
            if piece:
                yield piece
    if not inflate.eof:
        raise BadBody()


def _inflated(inflate: Any, data: bytes) -> tuple[bytes, bytes]:
    """One piece, and the input that is left: the trailer at least, while output waits."""
    try:
        piece = inflate.decompress(data, PIECE)
    except zlib.error:
        raise BadBody() from None
    if inflate.eof:
        return piece, inflate.unused_data
    return piece, inflate.unconsumed_tail
