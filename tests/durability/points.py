"""Killed at every call: `python -m tests.durability.points [--postgres] [--s3] [--every N]`.

One store request is a process of its own; it is run once to count its system calls, and then again
and again, killed (SIGKILL) on entering each of them. After each kill: acknowledged means there,
nothing torn, and sending the same once more heals.
"""

import argparse
import sys
import tempfile
import time
import zlib
from contextlib import ExitStack
from pathlib import Path

from tests.durability.rig import Rig
from tests.durability.sending import Made, made, stored
from tests.durability.servers import postgres
from tests.durability.simple_s3 import SimpleS3
from tests.durability.tracing import FILES, Forks, counts, forks

CALLS = FILES.replace("openat,", "") + ",connect"
RARE = 8  # calls that are made no more often than this are all points, of others every Nth


def request(name: object) -> list[Made]:
    """Two new studies, an addition to one that is there, and an object that is there already."""
    old = made("points", 0, side=8)
    new = [made(f"points-{name}-{part}", n, side=24) for part in "ab" for n in range(2)]
    return [*new, made("points", 1000 + zlib.crc32(str(name).encode()), side=8), old]


def points(asked: Forks, every: int) -> list[tuple[str, int]]:
    """(call, how often it was made before) of one request of this kind."""
    assert asked.store([made("points", 0, side=8)]).answer is not None
    ended = asked.store(request("counted"), ["-e", f"trace={CALLS}"])
    assert stored(ended.answer), ended
    found = counts(ended.trace)
    return [
        (name, number)
        for name, most in sorted(found.items())
        for number in range(1, most + 1, 1 if most <= RARE else every)
    ]


def broken_at(asked: Forks, name: str, number: int) -> list[str]:
    """What was not as promised after a kill at that call; empty when all was."""
    sent, wrong = request(f"{name}-{number}"), []
    inject = f"inject={name}:signal=KILL:when={number}"
    ended = asked.store(sent, ["-e", f"trace={name}", "-e", inject])
    if ended.code not in (0, -9):
        wrong.append(f"ended with {ended.code}")
    if ended.answer:
        lost = stored(ended.answer) - set(asked.truth()["rows"])
        wrong += [f"{sop} acknowledged and lost" for sop in lost]
    again = asked.store(sent)
    if stored(again.answer) != {item.sop for item in sent}:
        wrong.append("sending again does not heal")
    found = asked.truth()
    wrong += [f"{item.sop} differs" for item in sent if found["rows"].get(item.sop) != item.sha256]
    numbers = ("torn", "miscounted_studies", "miscounted_series")
    return wrong + [f"{what}: {found[what]}" for what in numbers if found[what]]


def run(portal: Rig, every: int) -> tuple[int, dict[str, list[str]]]:
    """How many points, and those where a promise was broken."""
    with forks(portal) as asked:
        all_points = points(asked, every)
        found = {f"{name} {n}": broken_at(asked, name, n) for name, n in all_points}
    return len(found), {point: wrong for point, wrong in found.items() if wrong}


def main() -> int:
    """Exit code 1 when a promise was broken."""
    options = argparse.ArgumentParser()
    options.add_argument("--every", type=int, default=1)
    options.add_argument("--postgres", action="store_true")
    options.add_argument("--s3", action="store_true")
    given, environ, began = options.parse_args(), {}, time.monotonic()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="portal-points-")))
        if given.postgres:
            environ["DATABASE_URL"] = stack.enter_context(postgres()).url
        if given.s3:
            environ["BLOB_STORAGE"] = stack.enter_context(SimpleS3()).location
        count, broken = run(Rig(folder, **environ), given.every)
    where = f"{'PostgreSQL' if given.postgres else 'SQLite'}, {'S3' if given.s3 else 'files'}"
    seconds = time.monotonic() - began
    print(f"{where}: killed at {count} calls in {seconds:.0f} s: {broken or 'all kept'}")
    return bool(broken)


if __name__ == "__main__":
    sys.exit(main())
