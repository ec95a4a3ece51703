"""One fault in a copy of the tree: is it seen by the tests that should see it?"""

import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from .mutant import Mutant

ROOT = Path(__file__).resolve().parents[2]
LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", "node_modules", "var", "*.sqlite3-*", "__pycache__", "test-results",
    ".mypy_cache", ".ruff_cache", ".import_linter_cache", "media",
)  # fmt: skip
LONGEST = 600
"""Seconds; a fault that makes a test hang is not seen by it."""
BROKEN = ("ImportError", "ModuleNotFoundError", "SyntaxError", "NameError", "AttributeError",
          "TypeError", "IndentationError")  # fmt: skip
"""What a slip of the pen in the table looks like: such a red shows nothing about the test."""


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant: `seen`, or not, and `why` in a word."""

    seen: bool
    why: str
    seconds: float


def copy_of_the_tree(where: Path) -> Path:
    """The whole tree, with links to what was installed; tests run in it as at home."""
    shutil.copytree(ROOT, where, ignore=LEFT_OUT, symlinks=True)
    for installed in (".venv", "frontend/node_modules"):
        if (ROOT / installed).exists():
            (where / installed).symlink_to((ROOT / installed).resolve())
    return where


def clear(where: Path) -> None:
    """What Python compiled of the copy and kept beside the packages."""
    kept = os.environ.get("PYTHONPYCACHEPREFIX")
    if kept:
        shutil.rmtree(Path(kept, *where.parts[1:]), ignore_errors=True)


def run(
    where: Path, tests: tuple[str, ...], report: Path, *options: str, limit: int = LONGEST
) -> int | None:
    """pytest's exit code in the copy; None when it took too long."""
    data = os.environ.get("PORTAL_TEST_DATA") or str(ROOT.parent / "shared" / "data")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    try:
        done = subprocess.run(
            [*command, *options, f"--junitxml={report}", *tests],
            cwd=where,
            env={**os.environ, "PORTAL_TEST_DATA": data},
            capture_output=True,
            timeout=limit,
        )
    except subprocess.TimeoutExpired:
        return None
    return done.returncode


def tried(mutant: Mutant, number: int, where: Path) -> Verdict:
    """The fault is put in, its tests run, and the file is as before."""
    path, report = where / mutant.file, where / f"mutant-{number}.xml"
    faulty, sound = mutant.put_into(where), path.read_bytes()
    begun = time.monotonic()
    try:
        path.write_text(faulty, encoding="utf-8")
        # Compiled files are told apart by second and size only.
        os.utime(path, (1_000_000_000 + number, 1_000_000_000 + number))
        code = run(where, mutant.tests, report, "-x")
    finally:
        path.write_bytes(sound)
        os.utime(path, (900_000_000, 900_000_000))
    return Verdict(*_judged(code, report), time.monotonic() - begun)


def _judged(code: int | None, report: Path) -> tuple[bool, str]:
    if code is None:
        return False, "hangs"
    if code == 0:
        return False, "SURVIVES"
    said = [str(failure.get("message")) for case in red(report) for failure in case.iter("failure")]
    if not said:
        return False, "no test failed: nothing could be run"
    slips = [name for name in BROKEN if any(each.startswith(name) for each in said)]
    return (False, f"only breaks the code: {slips[0]}") if slips else (True, "seen")


def red(report: Path) -> list[ElementTree.Element]:
    """Tests that failed; what failed before or after a test is no answer of the test's."""
    if not report.exists():
        return []
    return ElementTree.parse(report).getroot().findall(".//failure/..")  # noqa: S314 - pytest's
