"""Reads that repeat: what this process knows of the log, so that a repeat costs no commit.

An event is committed before its first byte leaves. Only this durable fact is remembered, for a
minute; whether the actor may read is asked again each time. Repeats are counted here and written
each second: a process that is killed loses a second of counts at most, and never an event.
"""

import atexit
import logging
import os
import threading
import time
from collections import Counter
from collections.abc import Hashable
from multiprocessing.util import Finalize

from django.db import Error, connection, transaction
from django.db.models import F

from .models import Tally

log = logging.getLogger(__name__)
REMEMBERED_SECONDS = 60.0
FLUSH_SECONDS = 1.0
MOST_REMEMBERED = 20_000


class Windows:
    """The reads of the running quarters of an hour, by reader, study and action."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """As a new process does: a forked one has its parent's counts and locks."""
        self._lock, self._written_by = threading.Lock(), threading.Lock()
        self._known: dict[Hashable, tuple[int, str, float]] = {}
        self._repeats: Counter[int] = Counter()
        self._due = threading.Event()
        self._flusher: threading.Thread | None = None

    def forget(self) -> None:
        """Know nothing and count nothing, after a flush that may be under way."""
        with self._written_by, self._lock:
            self._known.clear()
            self._repeats.clear()

    def remember(self, key: Hashable, event: int, consent: str) -> None:
        """The event of that window is committed."""
        now = time.monotonic()
        with self._lock:
            if len(self._known) >= MOST_REMEMBERED:
                kept = {k: known for k, known in self._known.items() if known[2] > now}
                self._known = kept if len(kept) < MOST_REMEMBERED else {}
            self._known[key] = (event, consent, now + REMEMBERED_SECONDS)

    def repeated(self, key: Hashable, consent: str | None = None) -> bool:
        """Whether the event of that window is known, and then counted once more.

        With `consent`, only when it was written on that ground.
        """
        known = self._known.get(key)
        if known is None or known[2] < time.monotonic():
            return False
        if consent is not None and known[1] != consent:
            return False
        self.count(known[0])
        return True

    def count(self, event: int) -> None:
        """One more read of that event, written within a second."""
        with self._lock:
            self._repeats[event] += 1
            if self._flusher is None or not self._flusher.is_alive():
                self._flusher = threading.Thread(target=self._run, name="tally", daemon=True)
                self._flusher.start()
        self._due.set()

    def _run(self) -> None:
        while True:
            self._due.wait()
            time.sleep(FLUSH_SECONDS)
            self._due.clear()
            try:
                self.flush()
            except Error:
                log.warning("repeated reads wait to be counted", exc_info=True)
                self._due.set()
            finally:
                connection.close()

    def flush(self) -> None:
        """Write what was counted. Raises django.db.Error; then nothing is lost, try again."""
        with self._written_by:
            with self._lock:
                repeats, self._repeats = self._repeats, Counter()
            if not repeats:
                return
            try:
                _add(repeats)
            except BaseException:
                with self._lock:
                    self._repeats.update(repeats)
                raise

    def finish(self) -> None:
        """The process ends: the last second's counts."""
        try:
            self.flush()
        except Error:
            log.warning("repeated reads were not counted", exc_info=True)


@transaction.atomic
def _add(repeats: Counter[int]) -> None:
    for event, more in sorted(repeats.items()):  # in order, so that two processes never cross
        Tally.objects.filter(event_id=event).update(count=F("count") + more)


windows = Windows()
atexit.register(windows.finish)
Finalize(None, windows.finish, exitpriority=100)  # a web worker's end, which skips atexit
os.register_at_fork(after_in_child=windows.begin)
