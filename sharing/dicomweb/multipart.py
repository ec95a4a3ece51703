"""Multipart answers (RFC 2387), streamed; parts.py reads the multipart bodies of requests."""

import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.http import HttpResponse, StreamingHttpResponse

SMALL = 16 * 1024


@dataclass(frozen=True)
class Outgoing:
    """One part of an answer; `length` is None where it is known only at its end. `location`: the
    address of what is in it, where a part must name it (PS3.18 10.4.3.3.5).
    """

    content_type: str
    chunks: Iterable[bytes]
    length: int | None
    location: str = ""


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


def joined(content_type: str, bodies: Iterable[bytes], media: str) -> HttpResponse:
    """Small bodies of one type as a multipart/related answer in one piece."""
    boundary = secrets.token_hex(16)
    pieces: list[bytes] = []
    for body in bodies:
        pieces += (_head(boundary, Outgoing(content_type, (), len(body))), body)
    pieces.append(f"\r\n--{boundary}--\r\n".encode())
    return HttpResponse(
        b"".join(pieces),
        content_type=f'multipart/related; type="{media}"; boundary={boundary}',
    )


def _head(boundary: str, part: Outgoing) -> bytes:
    length = "" if part.length is None else f"Content-Length: {part.length}\r\n"
    place = f"Content-Location: {part.location}\r\n" if part.location else ""
    return (
        f"\r\n--{boundary}\r\nContent-Type: {part.content_type}\r\n{length}{place}"
        "MIME-Version: 1.0\r\n\r\n"
    ).encode()


def _stream(heads: list[bytes], parts: list[Outgoing], tail: bytes) -> Iterator[bytes]:
    def all_chunks() -> Iterator[bytes]:
        for head, part in zip(heads, parts, strict=True):
            yield head
            yield from part.chunks
        yield tail

    return gathered(all_chunks())


def gathered(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes, small chunks joined: each chunk is a way through the server of its own."""
    held: list[bytes] = []
    for chunk in chunks:
        if len(chunk) >= SMALL:
            if held:
                yield b"".join(held)
                held = []
            yield chunk
            continue
        held.append(chunk)
        if len(held) >= 64:
            yield b"".join(held)
            held = []
    if held:
        yield b"".join(held)
