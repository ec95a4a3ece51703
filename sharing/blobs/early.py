"""Telling the disk early what a sync will ask of it, where the system can be told."""

import ctypes
from typing import IO, Any

_WRITE = 2  # SYNC_FILE_RANGE_WRITE (sync_file_range(2)): begin, and wait for nothing


def _found() -> Any:
    """glibc's function on Linux; None elsewhere."""
    function = getattr(ctypes.CDLL(None), "sync_file_range", None)
    if function is not None:
        function.argtypes = (ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint)
    return function


_sync_file_range = _found()


def begin_writing(handle: IO[bytes], offset: int, length: int) -> None:
    """Begin to write that range of a file's bytes to the disk. Makes nothing durable.

    Nothing is said of an error: it stays with the file for the sync that follows.
    """
    if _sync_file_range is not None:
        _sync_file_range(handle.fileno(), offset, length, _WRITE)
