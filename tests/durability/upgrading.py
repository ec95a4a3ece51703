"""An upgrade under traffic (F17): `python -m tests.durability.upgrading [--postgres] [--since REV]`

The portal of an older revision serves senders and readers while this tree's migrations run beneath
it; it goes on for a time on the newer tables; then this tree's portal takes its place. No request
may wait longer than LONGEST for a lock, none may fail but those that are told to come again (503)
and then succeed, and whatever either of the two acknowledged must be there at the end. On
PostgreSQL the portal serves as a role that owns nothing, behind the second fence (ADR-008).

REV is, unless another one is named, what stood before the newest migrations.
"""

import argparse
import io
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.durability.kill import ALL, faults
from tests.durability.ledger import Ledger, not_as_sent, senders
from tests.durability.rig import ROOT, Rig
from tests.durability.sending import STUDIES, Answer, made, store
from tests.postgres import QUICK, cluster, urls

LONGEST = 2.0
"""Seconds that a request may take while migrations run: its own time, and its wait for a lock."""
TRIES = 5
MIGRATIONS = "*/migrations/0*.py"


class Looker(threading.Thread):
    """Searches, reads and stores, one after another, and notes what each answer was."""

    def __init__(self, portal: Rig, studies: str) -> None:
        super().__init__(daemon=True)
        self.portal, self.studies = portal, studies
        self.over = threading.Event()
        self.slowest = 0.0
        self.wrong: list[str] = []
        self.asked = self.again = 0

    def run(self) -> None:
        """Until told to stop."""
        while not self.over.is_set():
            self.asked += 1
            item = made(f"{self.studies}-{self.asked % 5}", self.asked, side=24)
            self._ask("store", lambda item=item: store(self.portal.port, self.portal.token, [item]))
            search = f"{STUDIES}?StudyInstanceUID={item.study}"
            self._ask("search", lambda search=search: self.portal.ask("GET", search))
            for path in (f"{item.path}/frames/1", f"{item.path}/metadata", item.path):
                self._ask(
                    path.rpartition("/")[2][:8], lambda path=path: self.portal.ask("GET", path)
                )

    def _ask(self, what: str, ask: Callable[[], Answer]) -> None:
        for _ in range(TRIES):
            begun = time.monotonic()
            try:
                status: object = ask().status
            except OSError as error:
                status = type(error).__name__
            self.slowest = max(self.slowest, time.monotonic() - begun)
            if status != 503:
                break
            self.again += 1
            time.sleep(1)
        if status != 200:
            self.wrong.append(f"{what}: {status}")


@contextmanager
def looking(portal: Rig, studies: str) -> Iterator[Looker]:
    """One looker for the time of the block."""
    looker = Looker(portal, studies)
    looker.start()
    try:
        yield looker
    finally:
        looker.over.set()
        looker.join(60)


def before_the_newest_migration() -> str:
    """The newest revision whose migrations are all among ours, which are more."""
    added = _git("log", "--diff-filter=A", "--format=%h", "--", MIGRATIONS).split()
    here = _migrations("HEAD")
    for revision in added:
        if _migrations(f"{revision}^") < here:
            return f"{revision}^"
    raise SystemExit("No older revision fits; name one by --since.")


def _migrations(revision: str) -> set[str]:
    files = _git("ls-tree", "-r", "--name-only", revision).splitlines()
    return {name for name in files if "/migrations/0" in name}


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout


def older(since: str, folder: Path) -> Path:
    """The tree of that revision, with the pages' files that this one has built."""
    raw = subprocess.run(
        ["git", "archive", since], cwd=ROOT, capture_output=True, check=True
    ).stdout
    with tarfile.open(fileobj=io.BytesIO(raw)) as packed:
        packed.extractall(folder, filter="data")
    shutil.copytree(ROOT / "static/build", folder / "static/build", dirs_exist_ok=True)
    return folder


def migrate(portal: Rig) -> float:
    """This tree's migrations on the running portal's database; seconds."""
    begun = time.monotonic()
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity", "1"],
        cwd=ROOT, env=portal.environ | {"PYTHONPATH": str(ROOT)}, check=True,
    )  # fmt: skip
    return time.monotonic() - begun


def run(old: Rig, seconds: float, environ: dict[str, str]) -> list[str]:
    """All of it; what the promises forbid, in words."""
    ledger, broken = Ledger(), []
    old.ensure(*ALL)
    with senders(old, ledger, 1, count=2), looking(old, "old") as looker:
        time.sleep(seconds)
        before = looker.slowest
        print(f"migrated in {migrate(old):.1f} s", flush=True)
        time.sleep(seconds)
    print(
        f"older code: slowest answer {before:.2f} s before, {looker.slowest:.2f} s with the "
        f"migrations, {looker.asked} rounds, {looker.again} told to come again, "
        f"{len(looker.wrong)} wrong"
    )
    broken += sorted(set(looker.wrong))
    if looker.slowest > max(LONGEST, before):
        broken.append(f"an answer took {looker.slowest:.1f} s")
    for line in {line[:200] for line in old.log("web").splitlines() if "Error" in line}:
        print(f"  its log: {line}")
    old.stop()
    new = Rig(old.folder, **environ)
    try:
        new.ensure(*ALL)
        with senders(new, ledger, 2, count=2), looking(new, "new") as looker:
            time.sleep(seconds)
        print(f"newer code: slowest answer {looker.slowest:.2f} s, {len(looker.wrong)} wrong")
        found: dict[str, Any] = {"not_as_sent": not_as_sent(new, list(ledger.kept.values()))}
        time.sleep(2.5)  # a study settles two seconds after its last image
        for name in ("beat", "worker"):
            new.kill(name)
        found |= new.truth("--settle")
    finally:
        new.stop()
    found["told_in_log"] = len(found["rows"])  # the lookers' are in no ledger
    return broken + sorted(set(looker.wrong)) + faults(ledger, found)


def main() -> int:
    """Exit code 1 when a promise was broken."""
    options = argparse.ArgumentParser()
    options.add_argument("--since", default="", help="the older revision")
    options.add_argument("--postgres", action="store_true")
    options.add_argument("--seconds", type=float, default=10)
    given = options.parse_args()
    since = given.since or before_the_newest_migration()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="portal-kill-")))
        environ: dict[str, str] = {}
        if given.postgres:
            environ = urls(stack.enter_context(cluster(QUICK)))
        tree = older(since, folder / "older")
        old = Rig(folder / "data", root=tree, **environ)
        stack.callback(old.stop)
        broken = run(old, given.seconds, environ)
    print(f"since {since}: {broken or 'all kept'}")
    return bool(broken)


if __name__ == "__main__":
    sys.exit(main())
