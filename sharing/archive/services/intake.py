"""What is sent, file by file, into packs: nothing is in the database yet, nothing is promised."""

import re
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import chain

import orjson

from sharing.archive.frames import packed
from sharing.archive.metadata import RELATIVE, compressed
from sharing.archive.models import Instance
from sharing.archive.packs import Pack, Written
from sharing.archive.rules import MAX_ARCHIVE_BYTES, MAX_FILE_BYTES, REASONS, Outcome
from sharing.blobs import BlobMissing, scratch, store
from sharing.blobs.store import PIECE, new_key
from sharing.dicom.errors import REASONS as DICOM_REASONS
from sharing.dicom.errors import BadDicom, BadMedia
from sharing.dicom.facts import Facts
from sharing.dicom.json_model import dicom_json
from sharing.dicom.media import Entry, EntryStream, entries
from sharing.dicom.scan import Scanned, scan
from sharing.tenants.models import Organization

from .refusing import refused

_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_MODALITY = re.compile(r"[A-Z0-9_]{1,16}")
_UNSOUND = frozenset({"meta_mismatch", "transfer_syntax_missing"})


@dataclass(frozen=True)
class Incoming:
    """One sent file: a label that never becomes a path, and its bytes, read once in order.

    A door that finds the file can't be taken lets `pieces` raise BadDicom: that is its line.
    """

    name: str
    pieces: Iterable[bytes | memoryview]


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


@dataclass
class Intake:
    """Takes files one after another; `packs` and `items` are what it leaves."""

    organization: Organization
    study_uid: str | None
    archives: bool
    stack: ExitStack
    items: list[Item] = field(default_factory=list)
    packs: dict[str, tuple[str, Pack]] = field(default_factory=dict)
    _seen: dict[str, str] = field(default_factory=dict)
    _sizes: dict[str, int] = field(default_factory=dict)
    _spool: Pack | None = None

    def take(self, file: Incoming) -> None:
        """Receive one file, or all files of a ZIP. What is wrong with it ends in its item."""
        pieces = iter(file.pieces)
        first = next(pieces, b"")
        whole = chain((first,), pieces)
        if self.archives and bytes(first[:4]) in _ZIP:
            self._take_archive(file.name, whole)
        else:
            self._take_object(file.name, whole)

    def _take_archive(self, name: str, pieces: Iterable[bytes | memoryview]) -> None:
        with scratch() as handle:
            pack = Pack(handle)
            try:
                written = pack.append(pieces, most=MAX_ARCHIVE_BYTES)
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

    def _take_object(self, name: str, pieces: Iterable[bytes | memoryview]) -> None:
        pack = self._spool = self._spool or self._new_pack()
        start = pack.size
        try:
            written = pack.append(pieces, most=MAX_FILE_BYTES)
            self._place(name, pack, written)
        except BadDicom as wrong:
            pack.take_back(start)
            if wrong.code == "directory":
                self._add(Item(name, Outcome.IGNORED, "dicomdir"))
            else:
                self.refuse(name, wrong.code, wrong.reason)
        except BadMedia as wrong:
            pack.take_back(start)
            if wrong.code != "zip_damaged":
                raise
            self.refuse(name, wrong.code, wrong.reason)

    def _place(self, name: str, spool: Pack, written: Written) -> None:
        """Decide what the object is to us, and leave its bytes where they belong."""
        scanned = scan(
            spool.part(written),  # type: ignore[arg-type]
            size=written.length,
            default_charset=self.organization.default_charset or None,
        )
        outcome, code = self._outcome(scanned, written.sha256)
        item = Item(
            name,
            outcome,
            code,
            REASONS.get(code, ""),
            sop_class_uid=scanned.sop_class_uid,
            sop_uid=scanned.sop_instance_uid,
            study_uid=scanned.study_uid,
            series_uid=scanned.series_uid,
        )
        item.mends = item.outcome == Outcome.DUPLICATE and self._is_lost(item.sop_uid)
        if item.mends or item.outcome in (Outcome.STORED, Outcome.CONFLICT):
            item.new = _new(scanned, self._move(item, spool, written, scanned.study_uid))
        else:
            spool.take_back(written.offset)
        self._add(item)

    def _outcome(self, scanned: Scanned, sha256: str) -> tuple[Outcome, str]:
        """Same bytes are a success, once; other bytes under a known UID wait for a person."""
        if self.study_uid and scanned.study_uid != self.study_uid:
            return Outcome.REJECTED, "wrong_study"
        uid = scanned.sop_instance_uid
        if refused(self.organization.pk, [uid]):
            return Outcome.REJECTED, "rejected_before"
        known = self._seen.get(uid) or self._stored(uid)
        if known is None:
            self._seen[uid] = sha256
            return Outcome.STORED, ""
        same = known == sha256
        return (Outcome.DUPLICATE, "") if same else (Outcome.CONFLICT, "conflict")

    def _stored(self, sop_uid: str) -> str | None:
        rows = Instance.objects.filter(organization=self.organization, sop_uid=sop_uid)
        return rows.values_list("sha256", flat=True).first()

    def _is_lost(self, sop_uid: str) -> bool:
        """Whether the store lacks the bytes that we would call stored; asked once for each blob."""
        rows = Instance.objects.filter(organization=self.organization, sop_uid=sop_uid)
        row = rows.values_list("blob", "offset", "length").first()
        if row is None:  # a duplicate within this delivery
            return False
        blob, offset, length = row
        if blob not in self._sizes:
            try:
                self._sizes[blob] = store().size(blob)
            except BlobMissing:
                self._sizes[blob] = 0
        return self._sizes[blob] < offset + length

    def _move(self, item: Item, spool: Pack, written: Written, study_uid: str) -> Written:
        """Into the pack of its study; the first study of a delivery is written in place."""
        owner = "" if item.outcome == Outcome.CONFLICT else study_uid
        if owner not in self.packs:
            free = owner and all(pack is not spool for _, pack in self.packs.values())
            self.packs[owner] = self._key(), spool if free else self._new_pack()
        item.blob, pack = self.packs[owner]
        if pack is spool:
            return written
        kept = pack.append(spool.part(written).pieces(), most=MAX_FILE_BYTES)
        spool.take_back(written.offset)
        return kept

    def _key(self) -> str:
        return new_key(self.organization.code, "studies", "pack")

    def _new_pack(self) -> Pack:
        return Pack(self.stack.enter_context(scratch()))

    def refuse(self, name: str, code: str, reason: str) -> None:
        """A line of the receipt for a file that is not kept."""
        self._add(Item(name, Outcome.REJECTED, code, reason))

    def _add(self, item: Item) -> None:
        item.name = "".join(
            c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in item.name
        )
        self.items.append(item)


def _read(stream: EntryStream) -> Iterator[bytes]:
    while piece := stream.read(PIECE):
        yield piece


def _new(scanned: Scanned, written: Written) -> New:
    return New(
        study_uid=scanned.study_uid,
        series_uid=scanned.series_uid,
        sop_uid=scanned.sop_instance_uid,
        sop_class_uid=scanned.sop_class_uid,
        transfer_syntax=scanned.transfer_syntax,
        facts=scanned.facts,
        modality=scanned.facts.modality if _MODALITY.fullmatch(scanned.facts.modality) else "",
        warnings=scanned.warnings,
        written=written,
        layout=packed(scanned.pixel),
        sound=scanned.preamble is not None and not _UNSOUND.intersection(scanned.warnings),
        metadata=compressed(orjson.dumps(dicom_json(scanned, bulk_uri=RELATIVE))),
    )
