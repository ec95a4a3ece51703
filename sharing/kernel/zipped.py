"""Many files as one, made while it is sent: nothing is kept, and it may be cut at any time."""

from collections.abc import Iterable, Iterator
from zipfile import ZIP_STORED, ZipFile, ZipInfo


class _Out:
    """What a ZipFile writes to: it can't go back, so sizes follow each file."""

    def __init__(self) -> None:
        self.held: list[bytes] = []

    def write(self, data: bytes) -> int:
        """Keep it until it is taken."""
        self.held.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing waits anywhere else."""

    def taken(self) -> bytes:
        """All that was written since the last time."""
        made = b"".join(self.held)
        self.held.clear()
        return made


def zipped(files: Iterable[tuple[str, Iterator[bytes]]]) -> Iterator[bytes]:
    """A ZIP file of (name, pieces); images are packed already, so they are stored as they are."""
    out = _Out()
    with ZipFile(out, "w", ZIP_STORED) as archive:  # type: ignore[call-overload]
        for name, pieces in files:
            with archive.open(ZipInfo(name), "w", force_zip64=True) as entry:
                for piece in pieces:
                    entry.write(piece)
                    yield out.taken()
    yield out.taken()
