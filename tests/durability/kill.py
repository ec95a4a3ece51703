"""Kill trials: `python -m tests.durability.kill --trials 100 [--postgres] [--s3] [--faults 0.3]`.

Senders store and re-send while web server, worker and broker are killed (SIGKILL) and started
again. At the end every acknowledged object must be there bit for bit, and nothing torn or stuck.
"""

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from tests.durability.ledger import Ledger, not_as_sent, senders
from tests.durability.rig import Rig, rig
from tests.durability.servers import postgres
from tests.durability.simple_s3 import SimpleS3

ALL = ("broker", "worker", "beat", "web")
VICTIMS = ("web child", "worker", "web", "broker", "web child", "web")
AT_LEAST = 100  # acknowledgements between two kills


def trial(portal: Rig, ledger: Ledger, chance: random.Random, victim: str) -> None:
    """One kill after AT_LEAST acknowledgements and a random time; then the start of the victim."""
    goal, until = ledger.acknowledgements + AT_LEAST, time.monotonic() + 30
    while ledger.acknowledgements < goal and time.monotonic() < until:
        time.sleep(0.02)
    time.sleep(chance.uniform(0.0, 0.5))
    if victim == "web child":  # granian starts another by itself
        for pid in portal.pids("web")[1:]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    else:
        portal.kill(victim)
        portal.start(victim)
    if victim.startswith("web"):
        portal.wait_until_ready()


def run(
    portal: Rig, trials: int, seed: int, store: SimpleS3 | None = None
) -> tuple[Ledger, dict[str, Any]]:
    """All trials on a running rig; the ledger, and the truth after everything has settled.

    A store that fails at random stops doing so before the truth is looked for.
    """
    chance, ledger = random.Random(seed), Ledger()
    with senders(portal, ledger, seed):
        for number in range(trials):
            trial(portal, ledger, chance, VICTIMS[number % len(VICTIMS)])
        time.sleep(0.5)
    if store:
        store.rate = 0.0
    found: dict[str, Any] = {"not_as_sent": not_as_sent(portal, list(ledger.kept.values()))}
    time.sleep(2.5)  # a study settles two seconds after its last image
    for name in ("beat", "worker"):
        portal.kill(name)
    return ledger, found | portal.truth("--settle")


def faults(ledger: Ledger, found: dict[str, Any]) -> list[str]:
    """What the promises forbid, in words; empty when all were kept."""
    rows = found["rows"]
    lost = [sop for sop, item in ledger.kept.items() if rows.get(sop) != item.sha256]
    kept, made = found["series_of_studies"]
    checks = {
        f"{len(lost)} acknowledged objects without their row": lost,
        f"{len(found['not_as_sent'])} came back otherwise": found["not_as_sent"],
        f"{len(found['torn'])} rows whose bytes are not theirs": found["torn"],
        f"{found['unsettled']} studies never became complete": found["unsettled"],
        f"jobs that are not done: {found['jobs']} {found['owed']}": set(found["jobs"]) - {"done"},
        f"{found['miscounted_studies']} studies miscounted": found["miscounted_studies"],
        f"{found['miscounted_series']} series miscounted": found["miscounted_series"],
        f"{kept} series counted, {made} there": kept != made,
        f"{found['told_in_log']} in the log, {len(rows)} rows": found["told_in_log"] != len(rows),
    }
    return [words for words, wrong in checks.items() if wrong]


def main() -> int:
    """Exit code 1 when a promise was broken."""
    options = argparse.ArgumentParser()
    options.add_argument("--trials", type=int, default=100)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--postgres", action="store_true")
    options.add_argument("--s3", action="store_true")
    options.add_argument("--faults", type=float, default=0.0, help="part of S3 requests that fail")
    given = options.parse_args()
    environ = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="portal-kill-")))
        if given.postgres:
            environ["DATABASE_URL"] = stack.enter_context(postgres()).url
        store = stack.enter_context(SimpleS3(rate=given.faults)) if given.s3 else None
        if store:
            environ["BLOB_STORAGE"] = store.location
        began = time.monotonic()
        with rig(folder, *ALL, **environ) as portal:
            ledger, found = run(portal, given.trials, given.seed, store)
        broken = faults(ledger, found)
    where = f"{'PostgreSQL' if given.postgres else 'SQLite'}, {'S3' if given.s3 else 'files'}"
    print(
        f"{where}: {given.trials} kills, {ledger.acknowledgements} acknowledgements of "
        f"{len(ledger.kept)} objects, {ledger.broken} requests cut, {found['orphans']} packs "
        f"that no row names, {time.monotonic() - began:.0f} s: {broken or 'all kept'}"
    )
    return bool(broken)


if __name__ == "__main__":
    sys.exit(main())
