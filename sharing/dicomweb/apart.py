"""Instances that come as metadata and bulk data (PS3.18 10.5.1.4): found, put together, accounted.

Bulk data go to a scratch file as they come, since metadata may name them in any order. A part that
is neither metadata nor named by them is told of as a failure.
"""

import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import IO
from urllib.parse import unquote, urljoin

from sharing.archive.errors import UploadTooLarge
from sharing.archive.rules import MAX_FILE_BYTES, MAX_METADATA_BYTES
from sharing.archive.services.receiving import Incoming
from sharing.blobs import scratch
from sharing.dicom.assemble import JsonObject, assemble, identity, read_json
from sharing.dicom.bulk import Bulk
from sharing.dicom.errors import BadDicom
from sharing.dicom.xml_model import from_xml

from .accept import JSON, OCTETS
from .parts import Part

_FRAMES = re.compile(r"(.+)/frames/([1-9][0-9]{0,8})(?:,[0-9,]*)?")


def failing(code: str) -> Iterator[bytes]:
    """Bytes that can't be had: whoever reads them gets BadDicom with this code."""
    raise BadDicom(code)
    yield b""


def instances(parts: Iterable[Part], kind: str, base: str) -> Iterator[Incoming]:
    """The instances of the metadata parts, of media type `kind`, with the bulk data beside them.

    `base` is the request's own address, against which relative ones are read. All is received
    before the first is given out. Raises UploadTooLarge, BadBody.
    """
    with scratch() as handle:
        sent = _Sent(handle, base)
        for number, part in enumerate(parts, 1):
            sent.take(number, part, kind)
        for name, made in sent.metadata:
            if isinstance(made, str):
                yield Incoming(name, failing(made))
            else:
                yield Incoming(name, sent.put_together(made), *identity(made))
        for name in sent.unused():
            yield Incoming(name, failing("bulk_data_unused"))


class _Sent:
    """What came: metadata as JSON (or the code of what is wrong), bulk data by their addresses."""

    def __init__(self, handle: IO[bytes], base: str) -> None:
        self.metadata: list[tuple[str, JsonObject | str]] = []
        self._file, self._base, self._size, self._read = handle, base, 0, 0
        self._bulk: dict[str, list[tuple[int, Bulk]]] = defaultdict(list)
        self._names: list[tuple[str, Bulk]] = []
        self._used: set[Bulk] = set()

    def take(self, number: int, part: Part, kind: str) -> None:
        """Keep one part, in memory or in the file."""
        name, media = f"part {number}", part.media
        where = part.headers.get("content-location") or _content_id(part)
        if media.name == kind or (not media.name and not where):
            self._take_metadata(name, b"".join(self._bounded(part)), kind)
        elif where:
            bulk = self._keep(
                part, media.name or OCTETS, media.parameters.get("transfer-syntax", "")
            )
            self._place(name, where, bulk)
        else:
            self.metadata.append((name, "wrong_media_type"))

    def _bounded(self, part: Part) -> Iterator[bytes | memoryview]:
        for piece in part.pieces:
            self._read += len(piece)
            if self._read > MAX_METADATA_BYTES:
                raise UploadTooLarge()
            yield piece

    def _take_metadata(self, name: str, raw: bytes, kind: str) -> None:
        try:
            found = read_json(raw) if kind == JSON else [from_xml(raw)]
        except BadDicom as wrong:
            self.metadata.append((name, wrong.code))
            return
        for count, made in enumerate(found, 1):
            label = name if len(found) == 1 else f"{name}, instance {count}"
            self.metadata.append((label, made))

    def _keep(self, part: Part, media: str, syntax: str) -> Bulk:
        start = self._size
        for piece in part.pieces:
            self._size += len(piece)
            if self._size - start > MAX_FILE_BYTES:
                raise UploadTooLarge()
            self._file.write(piece)
        number = self._file.fileno()
        return Bulk(
            media,
            syntax,
            self._size - start,
            lambda offset, count: os.pread(number, count, start + offset),
        )

    def _place(self, name: str, where: str, bulk: Bulk) -> None:
        """Below its address; one frame of several below the address of all (PS3.18 8.7.3.3)."""
        address = self._address(where)
        self._names.append((name, bulk))
        self._bulk[address].append((0, bulk))
        if frame := _FRAMES.fullmatch(address):
            self._bulk[frame[1]].append((int(frame[2]), bulk))

    def _address(self, where: str) -> str:
        return unquote(urljoin(self._base, where.strip()))

    def put_together(self, made: JsonObject) -> Iterator[bytes]:
        """The instance as a file; its bulk data are taken from what came, and from nowhere else."""
        self._file.flush()
        return assemble(made, self._find)

    def _find(self, uri: str) -> list[Bulk]:
        found = self._bulk.get(self._address(uri), [])
        whole = [bulk for frame, bulk in found if not frame]
        frames = [bulk for _, bulk in sorted(found, key=lambda pair: pair[0])]
        self._used.update(whole or frames)
        return whole or frames

    def unused(self) -> Iterator[str]:
        """The parts that no metadata named; to be asked when all instances were put together."""
        return (name for name, bulk in self._names if bulk not in self._used)


def _content_id(part: Part) -> str:
    """A part may be named by its Content-ID (RFC 2392) as well."""
    found = part.headers.get("content-id", "").strip(" <>")
    return f"cid:{found}" if found else ""
