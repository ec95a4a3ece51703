"""What is sent, file by file, into packs: nothing is in the database yet, nothing is promised."""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from functools import partial
from io import BytesIO
from itertools import chain
from typing import BinaryIO, NamedTuple, cast

from sharing.archive.frames import packed
from sharing.archive.metadata import compressed
from sharing.archive.packs import Pack, Piece, Written
from sharing.archive.rules import (
    MAX_ARCHIVE_BYTES,
    MAX_FILE_BYTES,
    MAX_PACK_BYTES,
    REASONS,
    Outcome,
)
from sharing.archive.sql import chunks, marks, rows
from sharing.archive.summaries import summary
from sharing.blobs import BlobMissing, scratch, store
from sharing.blobs.store import PIECE, new_key
from sharing.dicom.digest import Digest
from sharing.dicom.errors import REASONS as DICOM_REASONS
from sharing.dicom.errors import BadDicom, BadMedia
from sharing.dicom.facts import Facts
from sharing.dicom.media import Entry, EntryStream, entries
from sharing.dicom.swift import digested
from sharing.tenants.models import Organization

from .refusing import refused

_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_MODALITY = re.compile(r"[A-Z0-9_]{1,16}")


@dataclass(frozen=True)
class Incoming:
    """One sent file: a label that never becomes a path, and its bytes, read once in order.

    A door that finds the file can't be taken lets `pieces` raise BadDicom: that is its line. The
    bytes of a piece must not change afterwards. The UIDs are what the door knows of it, for the
    line of a file that can't be read.
    """

    name: str
    pieces: Iterable[Piece]
    sop_class_uid: str = ""
    sop_uid: str = ""


@dataclass(frozen=True)
class New:
    """All that the rows of a new instance need."""

    study_uid: str
    series_uid: str
    sop_uid: str
    sop_class_uid: str
    transfer_syntax: str
    facts: Facts
    modality: str
    warnings: tuple[str, ...]
    written: Written
    layout: bytes | None
    sound: bool
    metadata: bytes
    summary: str


@dataclass
class Item:
    """One line of the receipt, and what is to be stored for it."""

    name: str
    outcome: Outcome
    code: str = ""
    reason: str = ""
    sop_class_uid: str = ""
    sop_uid: str = ""
    study_uid: str = ""
    series_uid: str = ""
    new: New | None = None
    blob: str = ""
    mends: bool = False  # a duplicate of what the store has lost

    def settle(self, outcome: Outcome, code: str = "") -> None:
        """What becomes of it after all."""
        self.outcome, self.code, self.reason = outcome, code, REASONS.get(code, "")

    @property
    def stored(self) -> New:
        """The new instance of an item that has one."""
        if self.new is None:
            raise ValueError("nothing was read of this item")
        return self.new

    @property
    def facts(self) -> Facts:
        """What the new instance says."""
        return self.stored.facts


class Held(NamedTuple):
    """What the organization holds under a SOP Instance UID."""

    sha256: str
    blob: str
    offset: int
    length: int


@dataclass
class Intake:
    """Takes files one after another; `items` is what it leaves, once it is closed.

    All objects of a delivery go into one pack, rolled over when it is large. What becomes of them
    is decided pack by pack: the same two queries whether it holds one object or a thousand.
    """

    organization: Organization
    study_uid: str | None
    archives: bool
    stack: ExitStack
    items: list[Item] = field(default_factory=list)
    _seen: dict[str, str] = field(default_factory=dict)
    _sizes: dict[str, int] = field(default_factory=dict)
    _open: list[Item] = field(default_factory=list)
    _spool: Pack | None = None
    _aside: Pack | None = None
    _waiting: list[Item] = field(default_factory=list)
    _keys: list[tuple[str, Pack]] = field(default_factory=list)

    def take(self, file: Incoming) -> None:
        """Receive one file, or all files of a ZIP. What is wrong with it ends in its item."""
        if not self.archives:
            self._take_object(file.name, file.pieces)
            line = self.items[-1]
            if not line.sop_uid:
                line.sop_class_uid, line.sop_uid = file.sop_class_uid, file.sop_uid
            return
        pieces = iter(file.pieces)
        first = next(pieces, b"")
        whole = chain((first,), pieces)
        if bytes(first[:4]) in _ZIP:
            self._take_archive(file.name, whole)
        else:
            self._take_object(file.name, whole)

    def close(self) -> None:
        """Decide what is still open. Everything kept is durable when this returns."""
        self._seal()
        if self._aside is not None:
            self._keep(self._aside, self._waiting)
        for key, pack in self._keys:
            pack.keep(key)

    def _take_archive(self, name: str, pieces: Iterable[Piece]) -> None:
        with scratch() as handle, closing(Pack(handle)) as pack:
            try:
                written = pack.append(pieces, most=MAX_ARCHIVE_BYTES)
                pack.wait()
                for entry in entries(pack.part(written)):  # type: ignore[arg-type]
                    self._take_entry(f"{name}: {entry.name}", entry)
            except (BadMedia, BadDicom) as wrong:
                self.refuse(name, wrong.code, wrong.reason)

    def _take_entry(self, name: str, entry: Entry) -> None:
        if entry.kind == "refused":
            code = entry.reason or "malformed"
            self.refuse(name, code, DICOM_REASONS[code])
        elif entry.kind == "file" and entry.stream is not None:
            self._take_object(name, _read(entry.stream))
        else:
            self._add(Item(name, Outcome.IGNORED, entry.kind))

    def _take_object(self, name: str, pieces: Iterable[Piece]) -> None:
        pack = self._spool = self._spool or self._new_pack()
        start = pack.size
        try:
            written = pack.append(pieces, most=MAX_FILE_BYTES)
            item = self._item(name, pack, written)
        except BadDicom as wrong:
            pack.take_back(start)
            if wrong.code == "directory":
                item = Item(name, Outcome.IGNORED, "dicomdir")
            else:
                item = Item(name, Outcome.REJECTED, wrong.code, wrong.reason)
            item.sop_class_uid, item.sop_uid = wrong.sop_class_uid, wrong.sop_uid
            self._add(item)
        except BadMedia as wrong:
            pack.take_back(start)
            if wrong.code != "zip_damaged":
                raise
            self.refuse(name, wrong.code, wrong.reason)
        else:
            self._add(item)
            if item.outcome == Outcome.REJECTED:
                pack.take_back(start)
            else:
                self._open.append(item)
            if pack.size >= MAX_PACK_BYTES:
                self._seal()

    def _item(self, name: str, pack: Pack, written: Written) -> Item:
        """What the object says. Raises BadDicom."""
        read = digested(
            written.pieces,
            size=written.length,
            whole=partial(_whole, pack, written),
            default_charset=self.organization.default_charset or None,
        )
        written.pieces = []
        item = Item(
            name, Outcome.STORED, sop_class_uid=read.sop_class_uid, sop_uid=read.sop_uid,
            study_uid=read.study_uid, series_uid=read.series_uid,
        )  # fmt: skip
        if self.study_uid and read.study_uid != self.study_uid:
            item.settle(Outcome.REJECTED, "wrong_study")
        else:
            item.new = _new(read, written)
        return item

    def _seal(self) -> None:
        """Decide what becomes of the objects of the pack, and leave their bytes where they belong.

        Nearly always all of them are new and the pack is as it should be. Else those to be kept
        move to a fresh one, so that no pack holds bytes that nobody asked for.
        """
        pack, items = self._spool, self._open
        self._spool, self._open = None, []
        if pack is None:
            return
        pack.wait()
        self._decide(items)
        stays = [item for item in items if item.outcome == Outcome.STORED or item.mends]
        for item in items:
            if item.outcome == Outcome.CONFLICT:
                self._aside = self._aside or self._new_pack()
                self._move(item, pack, self._aside)
        if not stays:
            return
        if len(stays) < len(items):
            fresh = self._new_pack()
            for item in stays:
                self._move(item, pack, fresh)
            pack = fresh
        self._keep(pack, stays)

    def _decide(self, items: Sequence[Item]) -> None:
        """Same bytes are a success, once; other bytes under a known UID wait for a person."""
        uids = [item.sop_uid for item in items]
        gone = refused(self.organization.pk, uids)
        held = self._held(uids)
        for item in items:
            uid, sha256 = item.sop_uid, item.stored.written.sha256
            before = held.get(uid)
            known = self._seen.get(uid) or (before.sha256 if before else None)
            if uid in gone:
                item.settle(Outcome.REJECTED, "rejected_before")
            elif known is None:
                self._seen[uid] = sha256
            elif known != sha256:
                item.settle(Outcome.CONFLICT, "conflict")
            else:
                item.settle(Outcome.DUPLICATE)
                item.mends = before is not None and self._is_lost(before)

    def _held(self, sop_uids: Sequence[str]) -> dict[str, Held]:
        return held_under(self.organization, sop_uids)

    def _is_lost(self, known: Held) -> bool:
        """Whether the store lacks the bytes that we would call stored; asked once for each blob."""
        if known.blob not in self._sizes:
            try:
                self._sizes[known.blob] = store().size(known.blob)
            except BlobMissing:
                self._sizes[known.blob] = 0
        return self._sizes[known.blob] < known.offset + known.length

    def _move(self, item: Item, source: Pack, target: Pack) -> None:
        item.new = replace(item.stored, written=target.copy(source, item.stored.written))
        if target is self._aside:
            self._waiting.append(item)

    def _keep(self, pack: Pack, items: Iterable[Item]) -> None:
        key = new_key(self.organization.code, "studies", "pack")
        for item in items:
            item.blob = key
        self._keys.append((key, pack))

    def _new_pack(self) -> Pack:
        handle = self.stack.enter_context(scratch())
        return self.stack.enter_context(closing(Pack(handle)))

    def refuse(self, name: str, code: str, reason: str) -> None:
        """A line of the receipt for a file that is not kept."""
        self._add(Item(name, Outcome.REJECTED, code, reason))

    def _add(self, item: Item) -> None:
        if not item.name.isprintable():
            item.name = "".join(
                c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in item.name
            )
        self.items.append(item)


def held_under(organization: Organization, sop_uids: Sequence[str]) -> dict[str, Held]:
    """What the organization holds under these SOP Instance UIDs."""
    held: dict[str, Held] = {}
    for some in chunks(sop_uids):
        for uid, *known in rows(_HELD.format(marks(some)), [organization.pk, *some]):
            held[uid] = Held(*known)
    return held


_HELD = """
    SELECT sop_uid, sha256, blob, "offset", length FROM archive_instance
    WHERE organization_id = %s AND sop_uid IN ({})
"""


def _read(stream: EntryStream) -> Iterator[bytes]:
    while piece := stream.read(PIECE):
        yield piece


def _whole(pack: Pack, written: Written) -> BinaryIO:
    """All of an object as a seekable stream."""
    if written.whole:
        return BytesIO(b"".join(written.pieces))
    pack.wait()
    return cast(BinaryIO, pack.part(written))


def _new(read: Digest, written: Written) -> New:
    facts = read.facts
    return New(
        study_uid=read.study_uid,
        series_uid=read.series_uid,
        sop_uid=read.sop_uid,
        sop_class_uid=read.sop_class_uid,
        transfer_syntax=read.transfer_syntax,
        facts=facts,
        modality=facts.modality if _MODALITY.fullmatch(facts.modality) else "",
        warnings=read.warnings,
        written=written,
        layout=packed(read.pixel),
        sound=read.sound,
        metadata=compressed(read.json),
        summary=summary(
            study_uid=read.study_uid,
            series_uid=read.series_uid,
            sop_uid=read.sop_uid,
            sop_class_uid=read.sop_class_uid,
            transfer_syntax=read.transfer_syntax,
            number=facts.instance_number,
            rows=facts.rows,
            columns=facts.columns,
            frames=facts.frames,
            bits_allocated=facts.bits_allocated,
            timezone=read.timezone,
        ),
    )
