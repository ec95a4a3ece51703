"""Stored objects and frames in another transfer syntax, encoded in bounded children."""

from collections.abc import Callable, Iterable, Iterator

from sharing.archive.errors import NotRenderable
from sharing.archive.sql import rows
from sharing.dicom.child import CHILD
from sharing.dicom.described import image_described, json_of
from sharing.dicom.errors import CannotRender
from sharing.dicom.recompress import as_syntax
from sharing.dicom.scan import EXPLICIT_LE
from sharing.dicom.transcode import HTJ2K_ANY, HTJ2K_LOSSLESS, HTJ2K_RPCL, can_become

from .renditions import ready_frame
from .retrieving import Stored

_FACTS = """SELECT i.sop_uid, i.transfer_syntax, i.metadata FROM archive_study
JOIN archive_instance i ON i.organization_id = archive_study.organization_id AND i.sop_uid = %s
WHERE archive_study.public_id = %s"""
HTJ2K = (HTJ2K_LOSSLESS, HTJ2K_RPCL, HTJ2K_ANY)
Able = Callable[[Stored, str], bool]


def able_among(objects: Iterable[Stored]) -> Able:
    """Whether one of these objects can be written in a syntax, by its stored facts alone.

    Asked when a client wants a syntax that is not the stored one; the facts are read then.
    """
    held = {(stored.study, stored.sop_uid): stored for stored in objects}
    known: dict[str, set[str]] = {}

    def able(stored: Stored, syntax: str) -> bool:
        if syntax not in known:
            known[syntax] = _able(held.values(), syntax)
        return stored.sop_uid in known[syntax]

    return able


def _able(objects: Iterable[Stored], syntax: str) -> set[str]:
    found: set[str] = set()
    images = [stored for stored in objects if stored.frames]
    for stored in images:
        for sop_uid, own, column in rows(_FACTS, (stored.sop_uid, stored.study)):
            json = json_of(column)
            image = image_described(json, own) if json else None
            if image is not None and can_become(image, syntax):
                found.add(sop_uid)
    return found


def frame_in(stored: Stored, index: int, syntax: str) -> bytes:
    """Frame `index` (from 0) in that syntax: plain pixels, or a code stream of even length.

    Raises StudyNotFound where there is no such frame, NotRenderable.
    """
    if syntax == EXPLICIT_LE:
        return stored.native_frame(index)
    ready = ready_frame(stored, index) if syntax in HTJ2K else None
    if ready is not None:
        return ready
    try:
        return stored.encoded_frame(index, syntax)
    except CannotRender as wrong:
        raise NotRenderable(wrong.reason) from wrong


def object_in(stored: Stored, syntax: str) -> Iterator[bytes]:
    """The whole object in that syntax, in pieces.

    Raises NotRenderable before the first piece where its first frame can't be written so.
    """
    if syntax == EXPLICIT_LE:
        return _told(stored, stored.explicit_le())
    try:
        return _told(stored, as_syntax(stored.scanned, stored.plain_range, syntax, CHILD))
    except CannotRender as wrong:
        raise NotRenderable(wrong.reason) from wrong


def _told(stored: Stored, chunks: Iterator[bytes]) -> Iterator[bytes]:
    try:
        yield from chunks
    except CannotRender as wrong:
        raise NotRenderable(wrong.reason) from wrong
    finally:
        stored.forget()
