"""`make mutants`: put each seeded fault into a copy of the tree and run the tests that must see it.

    python -m tests.mutants [PART OF A NAME OR FILE...]

First all those tests run in an untouched copy. Exits 1 when one of them fails there, or when a
fault survives: then a test is missing.
"""

import os
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from .mutant import Mutant
from .table import MUTANTS
from .trial import Verdict, clear, copy_of_the_tree, red, run, tried

AT_ONCE = int(os.environ.get("WORKERS", "2"))


def main(words: list[str]) -> int:
    """0: each fault was seen."""
    chosen = [m for m in MUTANTS if not words or any(w in m.name or w in m.file for w in words)]
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="portal-mutants-") as folder:
        copies = [copy_of_the_tree(Path(folder, str(n))) for n in range(AT_ONCE)]
        try:
            if not all_is_green(chosen, copies[0]):
                return 1
            verdicts = tried_all(chosen, copies)
        finally:
            clear(Path(folder))
    seen = sum(verdict.seen for verdict in verdicts)
    print(f"\n{seen} of {len(chosen)} faults seen in {time.monotonic() - begun:.0f} s")
    return 0 if seen == len(chosen) > 0 else 1


def all_is_green(chosen: list[Mutant], where: Path) -> bool:
    """Whether the tests pass while nothing is wrong."""
    tests = tuple(dict.fromkeys(test for mutant in chosen for test in mutant.tests))
    report = where / "untouched.xml"
    if run(where, tests, report, "-n", str(AT_ONCE), "-x", limit=3600) == 0:
        return True
    names = [f"{each.get('classname')}::{each.get('name')}" for each in red(report)]
    print("The untouched tree is not green:", *(names or ["pytest could not begin"]), sep="\n  ")
    return False


def tried_all(chosen: list[Mutant], copies: list[Path]) -> list[Verdict]:
    """Each in a copy that is free, printed as it ends."""
    free: SimpleQueue[Path] = SimpleQueue()
    for copy in copies:
        free.put(copy)

    def one(numbered: tuple[int, Mutant]) -> Verdict:
        number, mutant = numbered
        where = free.get()
        try:
            verdict = tried(mutant, number, where)
        finally:
            free.put(where)
        print(f"{verdict.why:10} {verdict.seconds:5.0f} s  {mutant.name}", flush=True)
        return verdict

    with ThreadPoolExecutor(len(copies)) as pool:
        return list(pool.map(one, enumerate(chosen)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
