"""Read a ZIP that a stranger sent: no name is trusted, and every byte is counted.

Names are labels for the receipt only; nothing is ever written under them.
"""

import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import IO, BinaryIO

from .errors import BadMedia

_ARCHIVES = (b"PK\x03\x04", b"PK\x05\x06", b"7z\xbc\xaf\x27\x1c", b"Rar!", b"\x1f\x8b")
_CLUTTER = frozenset(
    {".bat", ".bmp", ".cab", ".chm", ".class", ".css", ".db", ".dll", ".dmg", ".dtd", ".exe"}
    | {".gif", ".htm", ".html", ".icns", ".ico", ".inf", ".ini", ".jar", ".jpeg", ".jpg", ".js"}
    | {".json", ".lnk", ".log", ".manifest", ".md", ".msi", ".ocx", ".pdf", ".plist", ".png"}
    | {".properties", ".rtf", ".sh", ".sys", ".ttf", ".txt", ".url", ".vbs", ".xml", ".xsl"}
)
_CLUTTER_NAMES = frozenset({"thumbs.db", "desktop.ini", "lockfile", "version", "readme"})


@dataclass(frozen=True)
class MediaLimits:
    """What one ZIP may cost, in bytes and entries."""

    entries: int = 100_000
    entry_bytes: int = 4 * 1024**3
    total_bytes: int = 64 * 1024**3
    ratio: int = 250
    ratio_from: int = 16 * 1024**2


@dataclass
class _Tally:
    limits: MediaLimits
    total: int = 0


class EntryStream:
    """The bytes of one entry, counted. Reading raises BadMedia where a limit is passed."""

    def __init__(self, raw: IO[bytes], packed: int, tally: _Tally) -> None:
        self._raw, self._packed, self._tally = raw, max(packed, 1), tally
        self._read = 0

    def read(self, size: int = 65536) -> bytes:
        """Up to `size` bytes, b"" at the end. Raises BadMedia zip_damaged, zip_ratio, ..."""
        try:
            part = self._raw.read(min(size, 1024 * 1024) if size >= 0 else 1024 * 1024)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError) as wrong:
            raise BadMedia("zip_damaged") from wrong
        self._count(len(part))
        return part

    def _count(self, size: int) -> None:
        self._read += size
        self._tally.total += size
        limits = self._tally.limits
        if self._read > limits.entry_bytes or self._tally.total > limits.total_bytes:
            raise BadMedia("zip_too_large")
        if self._read > limits.ratio_from and self._read > self._packed * limits.ratio:
            raise BadMedia("zip_ratio")

    def close(self) -> None:
        """Give the entry's decompressor back."""
        self._raw.close()


@dataclass(frozen=True)
class Entry:
    """One entry. `kind`: "file" (worth scanning), "dicomdir", "ignored" (clutter) or "refused".

    `reason` is an error code where refused. Read `stream` before asking for the next entry.
    """

    name: str
    kind: str
    reason: str | None = None
    stream: EntryStream | None = field(default=None, compare=False)


def entries(source: BinaryIO, limits: MediaLimits | None = None) -> Iterator[Entry]:
    """The entries of a ZIP, in its order; folders are left out.

    Raises BadMedia not_a_zip, too_many_entries, zip_too_large, zip_ratio for the ZIP as a whole.
    """
    limits = limits or MediaLimits()
    _check_directory(source, limits)
    tally = _Tally(limits)
    try:
        archive = zipfile.ZipFile(source)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as wrong:
        raise BadMedia("not_a_zip") from wrong
    with archive:
        infos = [info for info in archive.infolist() if not info.is_dir()]
        if len(infos) > limits.entries:
            raise BadMedia("too_many_entries")
        for info in infos:
            yield from _entry(archive, info, tally)


def _entry(archive: zipfile.ZipFile, info: zipfile.ZipInfo, tally: _Tally) -> Iterator[Entry]:
    name = label(info)
    refusal = _refusal(info, name)
    if refusal:
        yield Entry(name, "refused", refusal)
        return
    try:
        raw = archive.open(info)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError):
        yield Entry(name, "refused", "zip_damaged")
        return
    with raw:
        stream = EntryStream(raw, info.compress_size, tally)
        kind, reason = _kind(archive, info, name)
        yield Entry(name, kind, reason, stream if kind in ("file", "dicomdir") else None)


def _refusal(info: zipfile.ZipInfo, name: str) -> str | None:
    if _is_unsafe(info.orig_filename) or _is_unsafe(name):
        return "unsafe_name"
    kind = info.external_attr >> 16
    if kind and not stat.S_ISREG(kind) and stat.S_IFMT(kind):
        return "unsafe_link"
    return "zip_encrypted" if info.flag_bits & 1 else None


def _is_unsafe(name: str) -> bool:
    """Absolute, climbing, with a drive letter or NUL. Backslashes count as separators."""
    parts = name.replace("\\", "/").split("/")
    drive = len(parts[0]) == 2 and parts[0][1] == ":"
    return "\0" in name or ".." in parts or parts[0] == "" or drive or len(name) > 4096


def _kind(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> tuple[str, str | None]:
    try:
        with archive.open(info) as opened:
            head = opened.read(132)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError):
        return "refused", "zip_damaged"
    path = PurePosixPath(name.replace("\\", "/"))
    if path.name.upper() in ("DICOMDIR", "DICOMDIR."):
        return "dicomdir", None
    if head[128:132] == b"DICM":
        return "file", None
    if head.startswith(_ARCHIVES):
        is_zip = head.startswith(b"PK")
        return ("refused", "zip_nested") if is_zip else ("ignored", None)
    return ("ignored" if not head or _is_clutter(path) else "file"), None


def _is_clutter(path: PurePosixPath) -> bool:
    name = path.name.lower()
    hidden = name.startswith(".") or "__macosx" in (part.lower() for part in path.parts)
    return hidden or path.suffix.lower() in _CLUTTER or name in _CLUTTER_NAMES


def label(info: zipfile.ZipInfo) -> str:
    """The entry's name for people: UTF-8 or GB18030 where the ZIP does not say, no controls."""
    name = info.filename
    if not info.flag_bits & 0x800:
        name = _redecoded(name)
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in name)


def _redecoded(name: str) -> str:
    try:
        raw = name.encode("cp437")
    except UnicodeEncodeError:
        return name
    for codec in ("utf-8", "gb18030"):
        try:
            return raw.decode(codec)
        except UnicodeDecodeError:
            continue
    return name


def _check_directory(source: BinaryIO, limits: MediaLimits) -> None:
    """Refuse a central directory that is too large before zipfile loads it."""
    end = source.seek(0, 2)
    start = max(0, end - 65557)
    source.seek(start)
    tail = source.read(end - start)
    place = tail.rfind(b"PK\x05\x06")
    if place < 0 or place + 22 > len(tail):
        raise BadMedia("not_a_zip")
    count, size = struct.unpack_from("<HI", tail, place + 10)
    if size == 0xFFFFFFFF or count == 0xFFFF:
        count, size = _zip64(source, tail, place) or (count, size)
    if count > limits.entries or size > limits.entries * 512:
        raise BadMedia("too_many_entries")


def _zip64(source: BinaryIO, tail: bytes, place: int) -> tuple[int, int] | None:
    if place < 20 or tail[place - 20 : place - 16] != b"PK\x06\x07":
        return None
    source.seek(struct.unpack_from("<Q", tail, place - 12)[0])
    record = source.read(56)
    if len(record) < 56 or record[:4] != b"PK\x06\x06":
        raise BadMedia("not_a_zip")
    count, size = struct.unpack_from("<QQ", record, 32)
    return count, size
