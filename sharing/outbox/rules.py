"""How long a lease lasts, how often a job is tried, how long it rests between tries."""

from datetime import timedelta

LEASE = timedelta(minutes=10)
MAX_ATTEMPTS = 5
RINGS_WITHIN = timedelta(minutes=1)
"""A bell may wait this long in the broker; what is due later is left to the sweep."""


def wait_after(attempts: int) -> timedelta:
    """Rest before the next try: 5 s, 20 s, 80 s, 320 s, at most 15 minutes."""
    return min(timedelta(seconds=5 * 4 ** max(attempts - 1, 0)), timedelta(minutes=15))
