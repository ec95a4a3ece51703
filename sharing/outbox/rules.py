"""How long a lease lasts, how often a job is tried, how long it rests between tries."""

from datetime import timedelta

LEASE = timedelta(minutes=3)
RENEWED_EVERY = timedelta(minutes=1)
"""A running job's lease is renewed, so it may take as long as it needs; a dead one's soon ends."""
MAX_ATTEMPTS = 5
RINGS_WITHIN = timedelta(minutes=1)
"""A bell may wait this long in the broker; what is due later is left to the sweep."""
TOGETHER = 40
"""So many jobs of one task are done in one call at most."""
BELL_EVERY = timedelta(seconds=1)
"""How often one process rings for jobs that are done together."""

KEPT_DONE = timedelta(days=30)
"""A job that is done can be looked at so long; then its row goes. What was given up stays."""
CLEARED_AT_ONCE = 1000
"""Rows in one transaction: SQLite has one writer, and nobody should wait for a broom."""


LONGEST_REST = timedelta(minutes=15)
SKEW = timedelta(minutes=10)
"""What is further in the future than anybody may have put it, by this much, was put there by a
clock that has been set back since."""


def wait_after(attempts: int) -> timedelta:
    """Rest before the next try: 5 s, 20 s, 80 s, 320 s, at most LONGEST_REST."""
    return min(timedelta(seconds=5 * 4 ** max(attempts - 1, 0)), LONGEST_REST)


def next_bell(due: float, until: float) -> float | None:
    """When to ring for a job that is due then, where a bell is set for `until` (seconds).

    None: that bell will do. Right when it is due in quiet times, else once a second for all.
    """
    if due <= until:
        return None
    pause = BELL_EVERY.total_seconds()
    return due if due - until > pause else due + pause
