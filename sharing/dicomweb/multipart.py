"""Multipart bodies (RFC 2387) in both directions, never whole in memory."""

import secrets
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.http import StreamingHttpResponse
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser

from sharing.archive.errors import UploadTooLarge
from sharing.kernel.errors import BadValue

PIECE = 256 * 1024


class BadBody(BadValue):
    """The request's body is not what its headers say."""

    message = "The body is not a complete multipart message."


@dataclass(frozen=True)
class Outgoing:
    """One part of an answer; `length` is None where it is known only at its end."""

    content_type: str
    chunks: Iterable[bytes]
    length: int | None


def answer(parts: list[Outgoing], media: str) -> StreamingHttpResponse:
    """The parts as a streamed multipart/related answer, with its length where it is known."""
    boundary = secrets.token_hex(16)
    heads = [_head(boundary, part) for part in parts]
    tail = f"\r\n--{boundary}--\r\n".encode()
    response = StreamingHttpResponse(
        _stream(heads, parts, tail),
        content_type=f'multipart/related; type="{media}"; boundary={boundary}',
    )
    lengths = [part.length for part in parts]
    if None not in lengths:
        total = sum(map(len, heads)) + len(tail) + sum(length or 0 for length in lengths)
        response["Content-Length"] = str(total)
    return response


def answer_as_made(parts: Iterable[Outgoing], media: str) -> StreamingHttpResponse:
    """The same for parts that are made while they are sent: how many, only the end tells."""
    boundary = secrets.token_hex(16)

    def stream() -> Iterator[bytes]:
        for part in parts:
            yield _head(boundary, part)
            yield from part.chunks
        yield f"\r\n--{boundary}--\r\n".encode()

    return StreamingHttpResponse(
        stream(), content_type=f'multipart/related; type="{media}"; boundary={boundary}'
    )


def _head(boundary: str, part: Outgoing) -> bytes:
    length = "" if part.length is None else f"Content-Length: {part.length}\r\n"
    return (
        f"\r\n--{boundary}\r\nContent-Type: {part.content_type}\r\n{length}"
        "MIME-Version: 1.0\r\n\r\n"
    ).encode()


def _stream(heads: list[bytes], parts: list[Outgoing], tail: bytes) -> Iterator[bytes]:
    for head, part in zip(heads, parts, strict=True):
        yield head
        yield from part.chunks
    yield tail


def body(request: Any, *, most: int) -> Iterator[bytes]:
    """The request's body in pieces, of known length or chunked.

    Django reads nothing of a chunked body under WSGI (ticket 35838), so this reads what the server
    gives. Raises UploadTooLarge, and BadBody when the client stopped early.
    """
    stream = request.environ["wsgi.input"]
    declared = request.environ.get("CONTENT_LENGTH") or ""
    if declared:
        yield from _counted(stream, int(declared), most)
    elif request.environ.get("wsgi.input_terminated") or _is_chunked(request):
        yield from _to_the_end(stream, most)
    else:
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


class Parts:
    """The parts of a multipart body, pulled one after another out of a push parser."""

    def __init__(self, chunks: Iterator[bytes], boundary: bytes, *, most: int) -> None:
        self._chunks, self._most = chunks, most
        self._events: deque[tuple[str, bytes]] = deque()
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": lambda: self._events.append(("begin", b"")),
                "on_part_data": lambda data, start, end: self._events.append(
                    ("data", data[start:end])
                ),
                "on_part_end": lambda: self._events.append(("end", b"")),
                "on_end": lambda: self._events.append(("done", b"")),
            },
        )

    def __iter__(self) -> Iterator[Iterator[bytes]]:
        """The pieces of each part; a part that was not read to its end is skipped over."""
        count = 0
        while self._next()[0] != "done":
            count += 1
            if count > self._most:
                raise UploadTooLarge()
            pieces = self._pieces()
            yield pieces
            for _ in pieces:
                pass

    def _pieces(self) -> Iterator[bytes]:
        while True:
            kind, data = self._next()
            if kind == "end":
                return
            yield data

    def _next(self) -> tuple[str, bytes]:
        while not self._events:
            piece = next(self._chunks, None)
            if piece is None:
                raise BadBody()
            try:
                self._parser.write(piece)
            except MultipartParseError as wrong:
                raise BadBody() from wrong
        return self._events.popleft()
