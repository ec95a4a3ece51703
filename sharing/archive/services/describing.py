"""The metadata of a study, a series or an instance, as ready DICOM JSON (PS3.18 10.4.1.1.6)."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from sharing.archive import documents
from sharing.archive.documents import Sheet
from sharing.archive.errors import StudyNotFound
from sharing.archive.metadata import expanded
from sharing.archive.sql import rows

from .locating import INSTANCE, SERIES, Asker, Where, locate, seen

PIECE = 1024 * 1024
_STUDY = "archive_study.public_id, o.code, CAST(archive_study.changed_at AS varchar)"


@dataclass(frozen=True)
class Described:
    """What a metadata path named: the study, what changes with the answer, and its documents."""

    study: str
    version: str
    sheets: tuple[Sheet, ...]


def describe(asker: Asker, where: Where, *, mount: str) -> Described:
    """The documents of a study or a series. Raises StudyNotFound.

    `mount` is the absolute address of a custodian's DICOMweb mount, with `{}` for its code.
    """
    if where.series_uid:
        columns = f"{_STUDY}, se.id, se.series_uid, se.version"
        named = (where.series_uid,)
        row, _ = locate(asker, where, columns=columns, joins=SERIES, named=named)
        study, code, changed_at, *series = row
        found = [tuple(series)]
    else:
        columns = f"{_STUDY}, archive_study.id"
        (study, code, changed_at, pk), _ = locate(asker, where, columns=columns)
        found = rows(_SERIES_OF, [pk])
    address = f"{mount.format(code)}/studies/{where.study_uid}"
    sheets = tuple(Sheet(pk, uid, version, changed_at, address) for pk, uid, version in found)
    if not sheets:
        raise StudyNotFound()
    stamps = "|".join(sheet.stamp for sheet in sheets)
    return Described(study, hashlib.sha256(stamps.encode()).hexdigest()[:32], sheets)


_SERIES_OF = """SELECT id, series_uid, version FROM archive_series
WHERE study_id = %s ORDER BY number, id"""


def told(asker: Asker, where: Where, *, mount: str, most: int) -> Sheet | None:
    """The document of what a search tells of all instances of a series, in its order; None where
    the asker may not know of the study, or it holds no such series, or one of more than `most`.

    Below the study that such a search looks into, own organization's first: a series that only
    another house has of it is none. Leaves no trace, as searching does.
    """
    columns = f"{_STUDY}, se.id, se.version, se.instance_count"
    found = seen(asker, where, columns=columns, joins=f"LEFT {SERIES}", named=(where.series_uid,))
    if found is None:
        return None
    *_, code, changed_at, pk, version, count = found
    if not 0 < (count or 0) <= most:
        return None
    address = f"{mount.format(code)}/studies/{where.study_uid}"
    return Sheet(pk, where.series_uid, version, changed_at, address, listed=True)


def describe_instance(asker: Asker, where: Where, *, mount: str) -> tuple[str, bytes]:
    """What changes with the answer, and the instance's JSON. Raises StudyNotFound."""
    columns = f"{_STUDY}, i.sha256, i.metadata"
    named = (where.series_uid, where.sop_uid)
    row, _ = locate(asker, where, columns=columns, joins=INSTANCE, named=named)
    _, code, changed_at, sha256, column = row
    series = f"{mount.format(code)}/studies/{where.study_uid}/series/{where.series_uid}"
    json = expanded(column, bulk_uri=f"{series}/instances/{where.sop_uid}/bulkdata")
    version = hashlib.sha256(f"{sha256}|{changed_at}|{series}".encode()).hexdigest()[:32]
    return version, json


def document(sheet: Sheet, *, packed: bool) -> tuple[IO[bytes], int]:
    """A series' document open for reading, as gzip or plain, and its length in bytes."""
    handle = documents.opened(sheet, packed=packed)
    length = handle.seek(0, 2)
    handle.seek(0)
    return handle, length


def pieces(handle: IO[bytes]) -> Iterator[bytes]:
    """All of an open document, at most 1 MiB at a time; closed at the end."""
    with handle:
        while piece := handle.read(PIECE):
            yield piece


def joined_length(sheets: tuple[Sheet, ...]) -> int:
    """How many bytes `joined` gives; every document is there, or could not be made, after this."""
    inside = []
    for sheet in sheets:
        handle, length = document(sheet, packed=False)
        handle.close()
        inside += [length - 2] if length > 2 else []
    return 2 + sum(inside) + max(0, len(inside) - 1)


def joined(sheets: tuple[Sheet, ...]) -> Iterator[bytes]:
    """The documents of several series as one array, of which one piece is in memory."""
    mark, begun = b"[", False
    for sheet in sheets:
        for piece in _inside(sheet):
            yield mark + piece
            mark, begun = b"", True
        mark = mark or b","
    yield b"]" if begun else b"[]"


def _inside(sheet: Sheet) -> Iterator[bytes]:
    """A document without its own brackets."""
    handle, length = document(sheet, packed=False)
    rest = length - 2
    with handle:
        handle.seek(1)
        while rest > 0 and (piece := handle.read(min(PIECE, rest))):
            yield piece
            rest -= len(piece)
