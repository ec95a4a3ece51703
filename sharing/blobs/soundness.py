"""After a failed fsync this process stores nothing more, until somebody starts it again.

The kernel may have thrown the bytes away and called the pages clean, so that a second fsync would
succeed and prove nothing. PostgreSQL ends itself for that reason; we go on reading.
"""

import errno
import logging

from .errors import StoreBroken

log = logging.getLogger(__name__)
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_broken: list[str] = []


def must_be_sound() -> None:
    """Raises StoreBroken once an fsync has failed in this process."""
    if _broken:
        raise StoreBroken()


def is_sound() -> bool:
    """Whether this process still accepts bytes; /readyz says so."""
    return not _broken


def stop_writing(why: str) -> None:
    """Accept nothing more. `why` is for the log and holds no name of a file."""
    if not _broken:
        log.critical("storing stops until this process is started again: %s", why)
    _broken.append(why)


def failed_sync(error: OSError) -> Exception:
    """What to raise for an fsync that failed: a full disk is the only failure that may pass."""
    if error.errno in FULL:
        return error
    stop_writing(f"fsync failed with {errno.errorcode.get(error.errno or 0, 'an error')}")
    return StoreBroken()
