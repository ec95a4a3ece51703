"""Reading multipart/related bodies (RFC 2046 5.1, RFC 2387) of any size, a piece at a time.

What is legal is taken: preamble, epilogue, padding after a boundary, folded headers, parts without
headers or without content. A line break is CR LF and nothing else (RFC 2046 4.1.1), so a body of
bare line feeds has no part. A line that only begins as a boundary does is content.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sharing.archive.errors import UploadTooLarge
from sharing.archive.rules import MAX_PART_HEADER_BYTES
from sharing.kernel.errors import BadValue

PADDING = 256
"""Blanks that may stand between a boundary and the end of its line."""

_REST = re.compile(rb"(--)?[ \t]{0,%d}(\r\n|\Z)" % PADDING)
_BOUNDARY = re.compile(rb"[\x20-\x7e]{0,69}[\x21-\x7e]")
_FOLD = re.compile(r"\r\n[ \t]+")
_FIELD = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*:[ \t]*(.*?)[ \t]*", re.DOTALL)
_QUOTED = r'"(?:[^"\\]|\\.)*"'
_COMMENT = re.compile(rf"({_QUOTED})|\((?:[^()\\]|\\.)*\)")
_PARAMETER = re.compile(rf';[ \t]*(?:([^\s=;"]+)[ \t]*=[ \t]*({_QUOTED}|[^;"]*))?[ \t]*')


class BadBody(BadValue):
    """The request's body is not what its headers say."""

    message = "The body is not a complete multipart message."


@dataclass(frozen=True)
class MediaType:
    """A media type in lower case, and its parameters with names in lower case, unquoted."""

    name: str
    parameters: Mapping[str, str]

    @classmethod
    def parse(cls, text: str) -> "MediaType":
        """From a header's value; what can't be read has the name "" (RFC 2045 5.1)."""
        plain = _COMMENT.sub(lambda found: found[1] or " ", text).strip() if "(" in text else text
        name, mark, rest = plain.partition(";")
        given: dict[str, str] = {}
        at, rest = 0, mark + rest
        while at < len(rest):
            found = _PARAMETER.match(rest, at)
            if found is None:
                return cls("", {})
            if found[1]:
                given.setdefault(found[1].lower(), _unquoted(found[2]))
            at = found.end()
        return cls(name.strip().lower(), given)


def _unquoted(value: str) -> str:
    value = value.strip()
    return re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value


@dataclass(frozen=True)
class Part:
    """One part: its headers by lower-case name, and its content, to be read once and in order."""

    headers: Mapping[str, str]
    pieces: Iterator[bytes] | Iterator[memoryview]

    @property
    def media(self) -> MediaType:
        """The part's own media type; its name is "" where none is said."""
        return MediaType.parse(self.headers.get("content-type", ""))


class Parts:
    """The parts of a body that comes in `chunks`, one after another.

    Memory is one chunk. Raises BadBody where the body ends before its last boundary or a part's
    headers are none, UploadTooLarge past `most` parts or `header` bytes of headers.
    """

    def __init__(
        self,
        chunks: Iterator[bytes],
        boundary: bytes,
        *,
        most: int,
        header: int | None = None,
    ) -> None:
        if not _BOUNDARY.fullmatch(boundary):
            raise BadBody("The content type has no boundary.")
        self._chunks, self._most, self._longest = chunks, most, header or MAX_PART_HEADER_BYTES
        self._mark = b"\r\n--" + boundary
        # The first boundary may stand at the very beginning: as if a line had ended before.
        self._buffer, self._at, self._last, self._done = b"\r\n", 0, False, False

    def __iter__(self) -> Iterator[Part]:
        """Each part; one that was not read to its end is skipped over."""
        self._drop(self._content())  # the preamble
        count = 0
        while not self._last:
            count += 1
            if count > self._most:
                raise UploadTooLarge()
            part = Part(self._headers(), self._content())
            yield part
            self._drop(part.pieces)
        self._drop(self._epilogue())

    @staticmethod
    def _drop(pieces: Iterator[object]) -> None:
        for _ in pieces:
            pass

    def _content(self) -> Iterator[memoryview]:
        """What stands before the next boundary line, which is passed."""
        while True:
            found = self._buffer.find(self._mark, self._at)
            if found < 0:
                yield from self._upto(len(self._buffer) - self._held())
                if not self._more():
                    raise BadBody()
            else:
                yield from self._upto(found)
                if self._boundary():
                    return
                yield from self._upto(self._at + len(self._mark))

    def _upto(self, end: int) -> Iterator[memoryview]:
        if end > self._at:
            start, self._at = self._at, end
            yield memoryview(self._buffer)[start:end]

    def _held(self) -> int:
        """How many of the last bytes may be the beginning of a boundary."""
        start = max(self._at, len(self._buffer) - len(self._mark) + 1)
        found = self._buffer.find(b"\r", start)
        while found >= 0:
            if self._mark.startswith(self._buffer[found:]):
                return len(self._buffer) - found
            found = self._buffer.find(b"\r", found + 1)
        return 0

    def _more(self) -> bool:
        """One chunk more behind what was not given out yet; False at the end of the body."""
        chunk = next(self._chunks, None)
        if chunk is None:
            self._done = True
            return False
        rest = self._buffer[self._at :]
        self._buffer, self._at = (rest + chunk if rest else chunk), 0
        return True

    def _ensure(self, count: int) -> None:
        """Have that many bytes at hand, if the body has them."""
        while len(self._buffer) - self._at < count and not self._done:
            self._more()

    def _boundary(self) -> bool:
        """Pass the boundary line that begins here, up to its line end; False where it is none."""
        line = self._line(0)
        if line is None or (not line[1] and not line[2]):
            return False
        self._last = line[1] is not None
        self._at = line.end() - len(line[2])
        return True

    def _line(self, ahead: int) -> re.Match[bytes] | None:
        """The rest of the boundary line that begins `ahead` bytes from here."""
        self._ensure(ahead + len(self._mark) + 2 + PADDING + 2)
        start = self._at + ahead
        if not self._buffer.startswith(self._mark, start):
            return None
        return _REST.match(self._buffer, start + len(self._mark))

    def _headers(self) -> dict[str, str]:
        """The part's header fields, from the line end of its boundary to its content."""
        edge = 2 + self._longest + len(self._mark) + 4
        self._ensure(edge)
        last = self._at + edge - len(self._mark)
        blank = self._buffer.find(b"\r\n\r\n", self._at, last)
        mark = self._buffer.find(self._mark, self._at, last + len(self._mark) - 4)
        if mark >= 0 and (blank < 0 or mark < blank):  # no blank line, no content (RFC 2046 5.1.1)
            blank = mark
        elif blank < 0:
            raise UploadTooLarge() if len(self._buffer) >= last else BadBody()
        raw = self._buffer[self._at + 2 : blank]
        self._at = blank
        if mark != blank:
            # The blank line's end may at once be the boundary's beginning.
            self._at += 2 if self._line(2) else 4
        return _fields(raw.decode("latin-1"))

    def _epilogue(self) -> Iterator[None]:
        """Read and forget: a body that stops here was cut all the same."""
        self._at = len(self._buffer)
        while self._more():
            self._at = len(self._buffer)
            yield None


def _fields(raw: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in _FOLD.sub(" ", raw).split("\r\n") if raw else ():
        field = _FIELD.fullmatch(line)
        if field is None:
            raise BadBody()
        found.setdefault(field[1].lower(), field[2])
    return found
