"""What a store request holds, of whatever media type: an Incoming for each object (PS3.18 10.5.1).

A part that can't be taken becomes an Incoming too, one that fails when it is read: it gets its line
in the receipt, and nothing that was sent goes unmentioned.
"""

from collections.abc import Iterator
from typing import Any

from sharing.archive.errors import UnsupportedMedia
from sharing.archive.rules import MAX_ARCHIVE_BYTES, MAX_FILES_AT_ONCE
from sharing.archive.services.receiving import Incoming
from sharing.dicom.errors import BadDicom

from .body import body
from .parts import MediaType, Part, Parts

DICOM = "application/dicom"


def submission(request: Any) -> Iterator[Incoming]:
    """The objects of the request, read as they are asked for.

    Raises UnsupportedMedia and BadBody before anything is read where the headers say enough.
    """
    media = MediaType.parse(request.META.get("CONTENT_TYPE", ""))
    chunks = body(request, most=MAX_ARCHIVE_BYTES)
    if media.name == DICOM:
        return iter([Incoming("part 1", chunks)])
    kind = MediaType.parse(media.parameters.get("type", DICOM)).name
    if media.name != "multipart/related" or kind != DICOM:
        raise UnsupportedMedia()
    boundary = media.parameters.get("boundary", "").encode("latin-1", "replace")
    parts = Parts(chunks, boundary, most=MAX_FILES_AT_ONCE)
    return (_object(f"part {number}", part) for number, part in enumerate(parts, 1))


def _object(name: str, part: Part) -> Incoming:
    if part.media.name in ("", DICOM):
        return Incoming(name, part.pieces)
    return Incoming(name, failing("wrong_media_type"))


def failing(code: str) -> Iterator[bytes]:
    """Bytes that can't be had: whoever reads them gets BadDicom with this code."""
    raise BadDicom(code)
    yield b""
