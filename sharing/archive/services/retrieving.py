"""Handing out what is stored: whole objects, frames, pictures, metadata; the caller came through
the fence (`locating.locate`), and all paths below are resolved inside that one study."""

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, ClassVar, TypeVar

from django.db.models import QuerySet

from sharing.archive.errors import BlobUnavailable, NotRenderable, StudyNotFound
from sharing.archive.frames import ranges_of, unpacked
from sharing.archive.models import Instance, Series
from sharing.archive.sql import rows
from sharing.blobs import BlobMissing, store
from sharing.blobs.store import pieces
from sharing.dicom.child import CHILD, thumbnail_in_child
from sharing.dicom.decode import image_of
from sharing.dicom.egress import SAFE_START, as_explicit_le, part10
from sharing.dicom.errors import BadDicom, CannotRender
from sharing.dicom.frames import as_native_le
from sharing.dicom.render import Picture, picture_of
from sharing.dicom.scan import DEFLATED, EXPLICIT_LE, IMPLICIT_LE, Scanned, plain, scan
from sharing.kernel.purposes import Action
from sharing.partners.services import still_acting
from sharing.tenants.rules import Actor

from .finding import still_allowed
from .locating import INSTANCE, Asker, Where, locate
from .looking import STREAM, note

Chunk = TypeVar("Chunk")
PLAIN = (IMPLICIT_LE, EXPLICIT_LE)
RECHECK_SECONDS = 0.6
"""Streams ask again so often, so that the last byte leaves within a second of a revocation."""
BEGIN_SECONDS = 0.1
"""No part of an answer begins on an older answer than this: thousands of parts can't each ask."""


@dataclass(frozen=True)
class OpenStudy:
    """What of a study the ways below it need to know."""

    pk: int
    public_id: str
    study_uid: str
    custodian: str
    changed_at: str

    COLUMNS: ClassVar = (
        "archive_study.id, archive_study.public_id, archive_study.study_uid, o.code, "
        "CAST(archive_study.changed_at AS varchar)"
    )


@dataclass(frozen=True)
class Opened:
    """A study that the actor may see the images of, logged, and the part of it that was meant."""

    study: OpenStudy
    where: Where
    mark: str = ""
    """What its pictures must say of their reader (`locating.mark_of`)."""

    @cached_property
    def version(self) -> str:
        """Changes when anything of the study does; the source of entity tags."""
        text = f"{self.study.public_id}|{self.study.changed_at}|{self.where}"
        return hashlib.sha256(text.encode()).hexdigest()[:32]


def open_images(
    actor: Actor,
    where: Where,
    *,
    at: datetime,
    action: Action = Action.IMAGES,
    request_id: str = "",
    raw: bool = False,
) -> Opened:
    """The study of a path, through the fence and into the log. Raises StudyNotFound, MarkedOnly.

    `action` is DOWNLOAD for whole objects: who may view does not hold a copy by that.
    """
    asker = Asker(actor, action, at, request_id, raw)
    row, mark = locate(asker, where, columns=OpenStudy.COLUMNS)
    return Opened(OpenStudy(*row), where, mark)


def open_instance(actor: Actor, where: Where, *, at: datetime, request_id: str = "") -> "Stored":
    """One instance of a path, as `open_images`, with its place, its frames as they are stored.

    Raises StudyNotFound, MarkedOnly.
    """
    asker = Asker(actor, Action.IMAGES, at, request_id, raw=True)
    named = (where.series_uid, where.sop_uid)
    return Stored(*locate(asker, where, columns=PLACE, joins=INSTANCE, named=named).row)


def objects(opened: Opened) -> list["Stored"]:
    """The stored objects meant, in reading order. Raises StudyNotFound."""
    where = opened.where
    named = {"se.series_uid": where.series_uid, "i.sop_uid": where.sop_uid}
    given = {column: uid for column, uid in named.items() if uid}
    query = _OBJECTS.format("".join(f" AND {column} = %s" for column in given))
    placed = rows(query, [opened.study.pk, *given.values()])
    found = [Stored(opened.study.public_id, *row) for row in placed]
    if not found:
        raise StudyNotFound()
    return found


def ready(found: Iterable["Stored"]) -> None:
    """Raise BlobUnavailable before the first byte leaves, when a blob is gone or cut short."""
    ends: dict[str, int] = {}
    for stored in found:
        ends[stored.blob] = max(ends.get(stored.blob, 0), stored.offset + stored.length)
    for blob, end in ends.items():
        try:
            held = store().size(blob)
        except (BlobMissing, OSError) as error:
            raise BlobUnavailable() from error
        if held < end:
            raise BlobUnavailable()


def meant(opened: Opened) -> QuerySet[Instance]:
    """The instances of the path, in reading order; there may be none."""
    where, rows = opened.where, Instance.objects.filter(series__study_id=opened.study.pk)
    if where.series_uid:
        rows = rows.filter(series__series_uid=where.series_uid)
    if where.sop_uid:
        rows = rows.filter(sop_uid=where.sop_uid)
    return rows.order_by("series__number", "series_id", "number", "pk")


def thumbnail_of(opened: Opened) -> bytes:
    """A JPEG of 128 x 128 for a study, a series or an instance.

    Raises StudyNotFound, NotRenderable.
    """
    if opened.where.sop_uid:
        return objects(opened)[0].thumbnail()
    rows = Series.objects.filter(study_id=opened.study.pk)
    if opened.where.series_uid:
        rows = rows.filter(series_uid=opened.where.series_uid)
    made = list(rows.order_by("number", "pk").values_list("thumbnail", flat=True))
    if not made:
        raise StudyNotFound()
    ready = next((bytes(jpeg) for jpeg in made if jpeg), None)
    return ready or _middle(opened).thumbnail()


def _middle(opened: Opened) -> "Stored":
    """Before a study has settled there is no thumbnail yet, but there may be images."""
    images = [stored for stored in objects(opened) if stored.frames]
    if not images:
        raise NotRenderable()
    return images[len(images) // 2]


@dataclass
class Watch:
    """Asks again and again, while an answer is sent, whether the actor still may: one for all of
    its parts, because thousands of small ones are each sent before anybody would ask.
    """

    actor: Actor
    study: str
    clock: Callable[[], datetime]
    action: Action = Action.IMAGES
    begin_seconds: float = BEGIN_SECONDS
    unnamed: bool = False
    """Of a copy that names nobody."""
    asked: float = field(default_factory=time.monotonic)

    def over(self, chunks: Iterator[Chunk]) -> Iterator[Chunk]:
        """The same chunks, but cut within a second of the actor's loss of the study, or of the
        role; and not begun at all after it. Raises StudyNotFound in the middle, which breaks the
        connection: never a whole-looking answer.
        """
        self._look(self.begin_seconds)
        for chunk in chunks:
            self._look(RECHECK_SECONDS)
            yield chunk

    def _look(self, seconds: float) -> None:
        """Ask, where the last answer is older than that."""
        if time.monotonic() - self.asked <= seconds:
            return
        self.asked, at = time.monotonic(), self.clock()
        present = still_acting(self.actor, at=at)
        may = present is not None and still_allowed(
            present,
            public_id=self.study,
            at=at,
            action=self.action,
            deidentified=self.unnamed,
        )
        if not may:
            raise StudyNotFound()
        if self.action == Action.DOWNLOAD and not self.unnamed:
            note(self.actor, public_id=self.study, kind=STREAM, at=at)


def guarded(
    chunks: Iterator[Chunk],
    actor: Actor,
    study: str,
    clock: Callable[[], datetime],
    action: Action = Action.IMAGES,
) -> Iterator[Chunk]:
    """An answer in one part, watched."""
    return Watch(actor, study, clock, action).over(chunks)


@dataclass(frozen=True)
class Stored:
    """One instance: where its bytes lie, and what can be made of them."""

    study: str
    series_uid: str
    sop_uid: str
    sop_class_uid: str
    transfer_syntax: str
    frames: int
    blob: str
    offset: int
    length: int
    sha256: str
    layout: bytes | None
    sound: bool

    COLUMNS: ClassVar = (
        "series__series_uid", "sop_uid", "sop_class_uid", "transfer_syntax", "frames",
        "blob", "offset", "length", "sha256", "layout", "sound",
    )  # fmt: skip

    @property
    def deflated(self) -> bool:
        """Whether the data set is deflated, so that no offset counts in the stored file."""
        return self.transfer_syntax in DEFLATED

    @property
    def encapsulated(self) -> bool:
        """Whether its pixel data are code streams in items, by its frame table."""
        return self.layout is not None and bytes(self.layout[1:2]) == b"\1"

    def read(self, offset: int, length: int) -> bytes:
        """A range of the stored file. Raises BlobUnavailable; never answers with fewer bytes."""
        try:
            found = store().read(self.blob, self.offset + offset, length)
        except (BlobMissing, OSError) as error:
            raise BlobUnavailable() from error
        if len(found) != length:
            raise BlobUnavailable()
        return found

    def file(self) -> Iterator[bytes]:
        """The file as it was stored, its preamble zeroed (PS3.10 7.5), in pieces."""
        if not self.sound:
            yield from part10(self.scanned, self.read, size=self.length)
            return
        yield SAFE_START
        try:
            yield from pieces(store(), self.blob, self.offset + 132, self.length - 132)
        except (BlobMissing, OSError) as error:
            raise BlobUnavailable() from error

    @property
    def file_length(self) -> int | None:
        """How many bytes `file` gives; None where only reading it tells."""
        return self.length if self.sound else None

    def explicit_le(self) -> Iterator[bytes]:
        """The object in Explicit VR Little Endian, in pieces. Raises NotRenderable."""
        try:
            yield from as_explicit_le(self.scanned, self.plain_range, CHILD)
        except CannotRender as wrong:
            raise NotRenderable(wrong.reason) from wrong

    def frame(self, index: int) -> Iterator[bytes]:
        """Frame `index` (from 0) as stored, in pieces. Raises StudyNotFound where there is none."""
        parts = ranges_of(self.layout, index)
        if parts is None:
            raise StudyNotFound()
        for offset, length in parts:
            if self.deflated:
                yield self.plain_range(offset, length)
            else:
                yield from self._pieces(offset, length)

    def _pieces(self, offset: int, length: int) -> Iterator[bytes]:
        for start in range(offset, offset + length, 1024 * 1024):
            yield self.read(start, min(1024 * 1024, offset + length - start))

    def frame_length(self, index: int) -> int:
        """How many bytes `frame` gives. Raises StudyNotFound."""
        parts = ranges_of(self.layout, index)
        if parts is None:
            raise StudyNotFound()
        return sum(length for _, length in parts)

    def native_frame(self, index: int) -> bytes:
        """Frame `index` as plain little endian pixels. Raises StudyNotFound, NotRenderable."""
        stored = b"".join(self.frame(index))
        if self.plain:
            return stored
        try:
            return as_native_le(self.scanned, stored, index, CHILD)
        except CannotRender as wrong:
            raise NotRenderable(wrong.reason) from wrong

    def encoded_frame(self, index: int, syntax: str) -> bytes:
        """Frame `index` encoded anew. Raises StudyNotFound, CannotRender."""
        return CHILD.encoded(image_of(self.scanned), b"".join(self.frame(index)), index, syntax)

    @property
    def plain(self) -> bool:
        """Whether a frame's stored bytes are its little endian pixels already.

        An even table means whole bytes; frames of 1 bit may begin inside one.
        """
        even = self.layout is None or self.layout[:1] == b"\1"
        return even and self.transfer_syntax in PLAIN

    def thumbnail(self, index: int | None = None) -> bytes:
        """A small picture, of the middle frame unless told otherwise. Raises NotRenderable."""
        try:
            return thumbnail_in_child(self.gathered(self.frames // 2 if index is None else index))
        except CannotRender as wrong:
            if wrong.code == "no_such_frame":
                raise StudyNotFound() from wrong
            raise NotRenderable(wrong.reason) from wrong

    def gathered(self, index: int) -> Picture:
        """What a picture of frame `index` is made of. Raises CannotRender."""
        return picture_of(self.scanned, self.plain_range, unpacked(self.layout), index)

    @cached_property
    def scanned(self) -> Scanned:
        """The data set, parsed again. Raises BlobUnavailable when the bytes changed."""
        try:
            return scan(BlobStream(self), size=self.length)  # type: ignore[arg-type]
        except BadDicom as wrong:
            raise BlobUnavailable() from wrong

    def forget(self) -> None:
        """Let go of what was parsed: a study of thousands is sent one after another."""
        for name in ("scanned", "_inflated"):
            self.__dict__.pop(name, None)

    def plain_range(self, offset: int, length: int) -> bytes:
        """A range as the data set's own offsets count."""
        if not self.deflated:
            return self.read(offset, length)
        self._inflated.seek(offset)
        return self._inflated.read(length)

    @cached_property
    def _inflated(self) -> Any:
        return plain(BlobStream(self), size=self.length)  # type: ignore[arg-type]


_COLUMNS = "se.series_uid, " + ", ".join(f'i."{column}"' for column in Stored.COLUMNS[1:])
PLACE = f"archive_study.public_id, {_COLUMNS}"
_OBJECTS = f"""SELECT {_COLUMNS} FROM archive_series se
JOIN archive_instance i ON i.series_id = se.id WHERE se.study_id = %s{{}}
ORDER BY se.number, se.id, i.number, i.id"""  # noqa: S608 - our own names


class BlobStream:
    """A stored object as a stream that can be sought, for the parser."""

    def __init__(self, stored: Stored) -> None:
        self._stored, self._at = stored, 0

    def seek(self, offset: int, whence: int = 0) -> int:
        """As io.IOBase.seek, from the start or the end."""
        self._at = offset if whence == 0 else self._stored.length + offset
        return self._at

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes."""
        rest = self._stored.length - self._at
        found = self._stored.read(self._at, rest if size < 0 else min(size, rest))
        self._at += len(found)
        return found
