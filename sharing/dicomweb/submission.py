"""What a store request holds, of whatever media type: an Incoming for each object (PS3.18 10.5.1).

A part that can't be taken becomes an Incoming too, one that fails when it is read: it gets its line
in the receipt, and nothing that was sent goes unmentioned.
"""

from collections.abc import Iterator
from typing import Any

from sharing.archive.errors import UnsupportedMedia
from sharing.archive.rules import MAX_FILES_AT_ONCE
from sharing.archive.services.receiving import Incoming

from .accept import DICOM, JSON, MULTIPART, XML
from .apart import failing, instances
from .body import body
from .parts import MediaType, Part, Parts


def submission(request: Any, *, most: int) -> Iterator[Incoming]:
    """The objects of the request, of `most` bytes in all, read as they are asked for.

    Raises UnsupportedMedia and BadBody before anything is read where the headers say enough.
    """
    media = MediaType.parse(request.META.get("CONTENT_TYPE", ""))
    kind = MediaType.parse(media.parameters.get("type", DICOM)).name
    if media.name == MULTIPART and kind in (DICOM, JSON, XML):
        boundary = media.parameters.get("boundary", "").encode("latin-1", "replace")
        chunks = body(request, most=most)
        parts = Parts(chunks, boundary, most=MAX_FILES_AT_ONCE)
        if kind != DICOM:
            return instances(parts, kind, request.build_absolute_uri())
        return (_object(f"part {number}", part) for number, part in enumerate(parts, 1))
    if media.name == DICOM:
        return iter([Incoming("part 1", body(request, most=most))])
    if media.name == JSON:  # no bulk data, so it needs no parts
        whole = Part({"content-type": JSON}, body(request, most=most))
        return instances([whole], JSON, request.build_absolute_uri())
    raise UnsupportedMedia()


def _object(name: str, part: Part) -> Incoming:
    if part.media.name in ("", DICOM):
        return Incoming(name, part.pieces)
    return Incoming(name, failing("wrong_media_type"))
