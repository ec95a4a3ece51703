"""Whether this machine's clock may be believed: what is deleted by its age, and whom it lets in.

A clock that is set wrong, or jumps, must lose nothing and must not keep a consent alive that ended
elsewhere (reliability.md, F14).
"""

import time
from datetime import UTC, datetime, timedelta

from django.db import DEFAULT_DB_ALIAS, connections
from django.utils import timezone

MOST_APART = timedelta(seconds=60)
"""So far may the clocks of two machines of one portal be from each other."""


_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""The clock that nobody sets; on Linux one that goes on while the machine sleeps."""


def _ahead() -> float:
    """Seconds of the clock that can be set, before those of the steady one."""
    return time.time() - time.clock_gettime(_STEADY)


_AT_START = _ahead()


def jumped() -> bool:
    """Whether the clock was set, either way, since this process began. Until it is started anew,
    nothing can be said of how old something is.
    """
    return abs(timedelta(seconds=_ahead() - _AT_START)) > MOST_APART


def is_apart() -> bool:
    """Whether our clock and the database's are further apart than MOST_APART.

    Raises django.db.DatabaseError.
    """
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute("SELECT CURRENT_TIMESTAMP")
        (there,) = cursor.fetchone()
    at = there if isinstance(there, datetime) else datetime.fromisoformat(there)
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return abs(timezone.now() - at) > MOST_APART
