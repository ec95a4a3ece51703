"""Series documents: the DICOM JSON of all instances of a series, ready to be sent, plain and gzip,
as it was stored or as a search tells it; and the small picture with which a viewer begins.

A bounded folder beside the database, never a truth: built from the rows on first demand, and named
by the series' version, so that an old one is never served. Whoever asks came through the fence.
"""

import hashlib
import os
import secrets
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import IO

from django.conf import settings

from sharing.archive.metadata import expanded, gzipped
from sharing.archive.sql import chunks, marks, rows
from sharing.archive.summaries import MOUNT

PIECE = 1024 * 1024
AT_ONCE = 100
"""Instances whose metadata is in memory while a document is built."""
SPARE_SECONDS = 3600.0
_PRUNED = {"at": 0.0}
PRUNE_EVERY = 300.0


@dataclass(frozen=True)
class Sheet:
    """One version of one series' document. `address` is the absolute URL of its study.

    `listed`: what a search says of each instance; else their metadata.
    """

    series: int
    series_uid: str
    version: int
    changed_at: str
    address: str
    listed: bool = False

    @cached_property
    def stamp(self) -> str:
        """Changes with anything that the document says; 32 hexadecimal digits."""
        text = f"{self.series}|{self.version}|{self.changed_at}|{self.address}"
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    @property
    def place(self) -> str:
        """Where the plain text lies; its gzip has `.gz` behind it. A Path takes longer to make than
        the file to open.
        """
        kind = "list.json" if self.listed else "json"
        return f"{_folder(self.series)}/{self.series}-{self.stamp}.{kind}"

    @property
    def path(self) -> Path:
        """The same as a path."""
        return Path(self.place)


def opened(sheet: Sheet, *, packed: bool) -> IO[bytes]:
    """The document, as text or gzip, open for reading; built when it is not there, or not whole.

    A series without instances is the empty array.
    """
    for _ in range(3):  # a full folder may lose it between the building and the opening
        if handle := _whole(sheet, packed=packed):
            return handle
        if plain := _whole(sheet, packed=False):
            _pack(sheet, plain)
        else:
            build(sheet)
    raise OSError("the folder of documents keeps nothing")


def _whole(sheet: Sheet, *, packed: bool) -> IO[bytes] | None:
    """A file that a power cut left without its end counts as none: nothing here is synced."""
    plain = sheet.place
    with ExitStack() as stack:
        try:
            text = stack.enter_context(open(plain, "rb"))
            length, end = _end(text, 1)
            handle, is_whole = text, end == b"]"
            if packed:
                handle = stack.enter_context(open(f"{plain}.gz", "rb"))
                is_whole = is_whole and _end(handle, 4)[1] == (length % 2**32).to_bytes(4, "little")
        except OSError:
            return None
        if not is_whole:
            return None
        handle.seek(0)
        if packed:
            text.close()
        stack.pop_all()
        return handle


def _end(handle: IO[bytes], size: int) -> tuple[int, bytes]:
    """The file's length, and its last bytes: gzip ends with the length of its text (RFC 1952)."""
    handle.seek(-size, os.SEEK_END)
    return handle.tell() + size, handle.read()


def build(sheet: Sheet) -> None:
    """Write the plain text, whole or not at all, and drop the series' older versions.

    Its gzip takes as long again, and is made for the first who wants it.
    """
    with _draft(sheet.path) as draft:
        for piece in _pieces(sheet):
            draft.write(piece)
    for old in sheet.path.parent.glob(f"{sheet.series}-*.json*"):
        if sheet.stamp not in old.name:
            old.unlink(missing_ok=True)
    prune(at=time.time())


def _pack(sheet: Sheet, plain: IO[bytes]) -> None:
    path = sheet.path.with_name(f"{sheet.path.name}.gz")
    with plain, _draft(path) as draft:
        draft.writelines(gzipped(iter(partial(plain.read, PIECE), b"")))


@contextmanager
def _draft(path: Path) -> Iterator[IO[bytes]]:
    """A file that gets its name when it is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{secrets.token_hex(8)}.draft")
    try:
        with draft.open("wb") as handle:
            yield handle
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _pieces(sheet: Sheet) -> Iterator[bytes]:
    mark = b"["
    for each in _listed(sheet) if sheet.listed else _described(sheet):
        yield mark + each
        mark = b","
    yield b"]" if mark == b"," else b"[]"


def _listed(sheet: Sheet) -> Iterator[bytes]:
    mount = f'"{sheet.address.rpartition("/studies/")[0]}/'
    for (text,) in rows(_IN_ORDER.format("summary"), [sheet.series]):
        yield text.replace(MOUNT, mount, 1).encode()


def _described(sheet: Sheet) -> Iterator[bytes]:
    base = f"{sheet.address}/series/{sheet.series_uid}/instances"
    for some in chunks(rows(_IN_ORDER.format("id"), [sheet.series]), AT_ONCE):
        for sop_uid, column in _columns([pk for (pk,) in some]):
            yield expanded(column, bulk_uri=f"{base}/{sop_uid}/bulkdata")


_IN_ORDER = "SELECT {} FROM archive_instance WHERE series_id = %s ORDER BY number, id"


def _columns(ids: list[int]) -> Iterable[tuple[str, bytes]]:
    found = {
        pk: (sop_uid, column) for pk, sop_uid, column in rows(_METADATA.format(marks(ids)), ids)
    }
    return (found[pk] for pk in ids if pk in found)


_METADATA = "SELECT id, sop_uid, metadata FROM archive_instance WHERE id IN ({})"


def picture(series: int, version: int) -> bytes | None:
    """The picture kept for that version of a series; None where there is none, or not whole."""
    try:
        made = _picture_path(series, version).read_bytes()
    except OSError:
        return None
    return made if made.endswith(_JPEG_END) else None


def keep_picture(series: int, version: int, made: bytes) -> None:
    """Keep it, and drop those of older versions."""
    path = _picture_path(series, version)
    with _draft(path) as draft:
        draft.write(made)
    for old in path.parent.glob(f"{series}-*.jpg"):
        if old.name != path.name:
            old.unlink(missing_ok=True)
    prune(at=time.time())


def _picture_path(series: int, version: int) -> Path:
    return Path(_folder(series), f"{series}-{version}.jpg")


_JPEG_END = b"\xff\xd9"


def drop(series: Iterable[int]) -> None:
    """Remove the documents of series that changed or went: patient data outlives no deletion."""
    for pk in series:
        for path in Path(_folder(pk)).glob(f"{pk}-*"):
            path.unlink(missing_ok=True)


def held() -> set[int]:
    """The series that the folder has a document of, whether they still exist or not."""
    names = (path.name for path in Path(settings.DOCUMENTS_DIR).glob("*/*-*"))
    return {int(first) for name in names if (first := name.partition("-")[0]).isdigit()}


def prune(*, at: float) -> None:
    """Keep the folder within its bound, and throw away what a crash left half written.

    `at` is in seconds since 1970. Looks at most once in five minutes; the oldest go first.
    """
    if at - _PRUNED["at"] < PRUNE_EVERY:
        return
    _PRUNED["at"] = at
    held: list[tuple[float, int, str]] = []
    for path in Path(settings.DOCUMENTS_DIR).rglob("*"):
        try:
            facts = path.stat()
        except FileNotFoundError:
            continue
        is_draft = "-" not in path.name
        if path.is_file() and (not is_draft or facts.st_mtime < at - SPARE_SECONDS):
            held.append((0.0 if is_draft else facts.st_mtime, facts.st_size, str(path)))
    over = sum(size for _, size, _ in held) - settings.DOCUMENTS_MOST
    for written, size, name in sorted(held):
        if over <= 0 and written:
            break
        Path(name).unlink(missing_ok=True)
        over -= size


def _folder(series: int) -> str:
    return f"{settings.DOCUMENTS_DIR}/{series % 256:02x}"
