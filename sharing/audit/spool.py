"""Own reads while the log can't be written: lines on the disk, drained into the log in their order.

A hospital's own images stay in reach when the log's store is full or broken (reliability.md, F23).
A line is durable before its read goes on. What is drained comes into the log once, however often a
drain is cut off: these are reads, of which the log has one to a reader, study and window.
"""

import fcntl
import json
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings

from sharing.blobs import sync, sync_folder

from .errors import LogAway

MOST_BYTES = 64 * 1024 * 1024
MOMENTS = ("at", "window")
Row = dict[str, Any]


class Spool:
    """The lines of one machine, shared by its processes."""

    def __init__(self) -> None:
        self._known: set[Hashable] = set()
        self._owes: bool | None = None

    @property
    def path(self) -> Path:
        """What is written to; beside it the part that is being drained, and the lock."""
        return settings.DATA_DIR / "audit-spool.ndjson"

    @property
    def owes(self) -> bool:
        """Whether this process knows of lines; it looks for them once, at its beginning."""
        if self._owes is None:
            self._owes = self.path.exists() or self._draining.exists()
        return self._owes

    @property
    def _draining(self) -> Path:
        return self.path.with_suffix(".draining")

    def keep(self, key: Hashable, row: Mapping[str, Any]) -> None:
        """The read of that key is on the disk when this returns.

        Raises LogAway where it is not, and StoreBroken once a sync has failed.
        """
        if key in self._known:
            return
        kept = {name: str(row[name]) if name in MOMENTS else row[name] for name in row}
        try:
            with self._locked():
                self._append(json.dumps(kept).encode("ascii") + b"\n")
        except OSError as error:
            raise LogAway() from error
        self._known.add(key)
        self._owes = True

    def _append(self, line: bytes) -> None:
        is_new = not self.path.exists()
        with self.path.open("ab") as file:
            if file.tell() + len(line) > MOST_BYTES:
                raise LogAway()
            file.write(line)
            sync(file)
        if is_new:
            sync_folder(self.path.parent)

    @contextmanager
    def _locked(self, *, wait: bool = True) -> Iterator[None]:
        """Alone on this machine. Raises BlockingIOError when it is not to wait and would."""
        with self.path.with_suffix(".lock").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            yield

    def drain(self, take: Callable[[list[Row]], None]) -> int:
        """Hand all lines to `take`, oldest first, and let them go when it returned; how many.

        None while another process drains. What `take` raises leaves them for the next time.
        """
        count = 0
        with suppress(BlockingIOError), self._locked(wait=False):
            for part in (self._draining, self.path):  # first what a drain was cut off from
                if part.exists():
                    part.replace(self._draining)
                    lines = list(_rows(self._draining))
                    take(lines)
                    count += len(lines)
                    self._draining.unlink()
            self.forget()
            self._owes = False
        return count

    def forget(self) -> None:
        """Know no line, as a new process does."""
        self._known, self._owes = set(), None


def _rows(path: Path) -> Iterator[Row]:
    """Whole lines: one that was cut off was never answered for."""
    for line in path.read_bytes().splitlines(keepends=True):
        if line.endswith(b"\n"):
            row = json.loads(line)
            moments = {name: datetime.fromisoformat(row[name]) for name in MOMENTS}
            yield row | moments


spool = Spool()
