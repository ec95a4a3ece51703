"""What a power cut may take: files and folders that are not synced when the answer is given.

Reads the trace of `strace -f -y` and plays it: a write makes a file dirty, a new name makes its
folder dirty, fsync makes clean. kill -9 can't see a missing fsync, since the page cache survives.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

_CALL = re.compile(r"(\w+)\((.*)\) += (-?\d+|\?)(<(.*?)>)?")
_CUT = ("<unfinished ...>", "<detached ...>")  # the second: strace was sent away during the call
_FILE = re.compile(r"\d+<([^>]*)>")
_TEXT = re.compile(r'"([^"]*)"')
_WRITES = {
    "write", "writev", "pwrite64", "pwritev", "ftruncate", "fallocate", "copy_file_range",
    "sendto", "sendmsg",
}  # fmt: skip
_SUCCESS = re.compile(r"[\"=]HTTP/1\.1 20")
_SYNCS = {"fsync", "fdatasync"}
_NAMES = {"rename", "renameat", "renameat2", "link", "linkat"}
PASSING = re.compile(r".*-shm$|.*-journal$|/tmp(/|$)|/scratch(/|$)|/(answer|request|trace)$")
"""What nobody needs after a power cut: SQLite's shared memory, files still on their way."""


def dirty_at_answer(trace: Iterable[str], root: Path, there: Collection[str] = ()) -> list[str]:
    """Files and folders below `root` that were not on the disk when an answer of success began.

    `there` are the files that had their names before. Raises ValueError for a trace without one.
    """
    dirty: dict[str, int] = {}
    for number, begun, name, arguments, given in _calls(trace):
        paths = _TEXT.findall(arguments)
        if name in _WRITES:
            path = _file(arguments)
            if _SUCCESS.search(arguments):
                return sorted(path for path in dirty if _matters(path, root))
            dirty[path] = number
        elif name in _SYNCS and begun >= dirty.get(_file(arguments), 0):
            dirty.pop(_file(arguments), None)
        elif name == "openat" and "O_CREAT" in arguments and given not in there:
            _new_name(dirty, given, number, root)
        elif name in ("mkdir", "mkdirat"):
            _new_name(dirty, paths[0], number, root)
        elif name in _NAMES:
            if dirty.pop(paths[0], None):
                dirty[paths[1]] = number
            _new_name(dirty, paths[1], number, root)
        elif name in ("unlink", "unlinkat"):
            dirty.pop(paths[-1], None)
    raise ValueError("the trace holds no answer")


def _matters(path: str, root: Path) -> bool:
    return path.startswith(f"{root}") and not PASSING.match(path.removeprefix(str(root)))


def _new_name(dirty: dict[str, int], path: str, number: int, root: Path) -> None:
    """A name lies in its folder, which has to be synced as well."""
    if _matters(path, root):
        dirty[str(Path(path).parent)] = number


def _file(arguments: str) -> str:
    found = _FILE.match(arguments)
    return found[1] if found else ""


def _calls(trace: Iterable[str]) -> Iterator[tuple[int, int, str, str, str]]:
    """(number of the line, line where it began, name, arguments, path of a returned descriptor).

    Calls of threads are interleaved: one that was cut in two counts where it ended, its writes
    where they began, too.
    """
    open_calls: dict[str, tuple[int, str]] = {}
    for number, line in enumerate(trace, 1):
        thread, _, text = line.partition(" ")
        text, begun = text.strip(), number
        if text.endswith(_CUT):
            open_calls[thread] = number, text.rpartition("<")[0].rstrip()
            name = text.partition("(")[0]
            if name in _WRITES:
                yield number, number, name, text.partition("(")[2], ""
            continue
        if text.startswith("<...") and thread in open_calls:
            begun, head = open_calls.pop(thread)
            text = head + text.partition("resumed>")[2]
        if (found := _CALL.match(text)) and not found[3].startswith("-") and found[3] != "?":
            yield number, begun, found[1], found[2], found[5] or ""
