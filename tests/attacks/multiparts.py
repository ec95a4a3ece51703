"""Multipart bodies for the reader's tests: legal ones as a grammar, others by mutation."""

import email
import email.policy
from collections.abc import Iterator

from hypothesis import strategies as st

from sharing.dicomweb.parts import Parts

Found = list[tuple[dict[str, str], bytes]]
_LETTERS = "0123456789abcXYZ'()+_,-./:=?"
boundaries = st.text(_LETTERS, min_size=1, max_size=70).map(str.encode)
_pieces = st.sampled_from(
    [b"", b"\r", b"\n", b"\r\n", b"-", b"--", b"\r\n-", b"\r\n--", b"\0" * 9, b"DICM", b" ", b"\t"]
)
_names = st.sampled_from(["Content-Type", "Content-Location", "X-Other", "MIME-Version"])
_values = st.text(' ;="/abcXYZ019.-', max_size=30).map(str.strip)


@st.composite
def legal(draw: st.DrawFn) -> tuple[bytes, bytes, Found]:
    """A body that RFC 2046 allows, its boundary, and the parts that are in it."""
    boundary = draw(boundaries)
    padding = st.text(" \t", max_size=4).map(str.encode)
    parts = [draw(_part(boundary)) for _ in range(draw(st.integers(1, 4)))]
    body = draw(st.sampled_from([b"", b"\r\n"])) or draw(_preamble(boundary))
    for headers, content in parts:
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode()
        body += b"--" + boundary + draw(padding) + b"\r\n" + lines + b"\r\n" + content + b"\r\n"
    body += b"--" + boundary + b"--" + draw(padding) + draw(st.sampled_from([b"", b"\r\nend"]))
    low = [({k.lower(): v for k, v in headers.items()}, content) for headers, content in parts]
    return body, boundary, low


def _contents(boundary: bytes) -> st.SearchStrategy[bytes]:
    some = st.one_of(_pieces, st.binary(max_size=40), st.just(b"\r\n--" + boundary[:-1]))
    mark = b"--" + boundary

    def is_free(content: bytes) -> bool:
        lines = (b"\n" + content.replace(b"\r", b"\n")).split(b"\n")
        return not any(line.startswith(mark) for line in lines)

    return st.lists(some, max_size=8).map(b"".join).filter(is_free)


def _part(boundary: bytes) -> st.SearchStrategy[tuple[dict[str, str], bytes]]:
    return st.tuples(st.dictionaries(_names, _values, max_size=3), _contents(boundary))


def _preamble(boundary: bytes) -> st.SearchStrategy[bytes]:
    return _contents(boundary).map(lambda text: text + b"\r\n")


def chunked(raw: bytes, size: int) -> Iterator[bytes]:
    """The bytes in pieces of that size, as a socket may give them."""
    return (raw[start : start + size] for start in range(0, len(raw), size))


def ours(raw: bytes, boundary: bytes, size: int) -> Found:
    """What our reader finds."""
    parts = Parts(chunked(raw, size), boundary, most=1000)
    return [(dict(part.headers), b"".join(part.pieces)) for part in parts]


def theirs(raw: bytes, boundary: bytes) -> Found:
    """What Python's own e-mail parser finds."""
    head = b'Content-Type: multipart/related; boundary="' + boundary + b'"\r\n\r\n'
    message = email.message_from_bytes(head + raw, policy=email.policy.HTTP)
    return [
        (
            {name.lower(): str(value) for name, value in part.raw_items()},
            part.get_payload(decode=True) or b"",
        )
        for part in message.get_payload()
    ]
