"""What sealing the access log costs those who send images, with and without in one run (ADR-007).

The whole portal as `manage.py serve` runs it; two senders store studies of one small image each,
the case with most events for its bytes. Turns without and with a sealer alternate; with it the log
is sealed each second, where the beat does it each 45. What waits is sealed between turns.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

from bench.dicomweb import portal
from tests import live
from tests.durability.sending import made, store

SENDERS = 2
SEALER = """
import pathlib, sys, time
from django.utils import timezone
from sharing.audit.services import anchor, seal
flag = pathlib.Path({flag!r})

print("ready", flush=True)
while not flag.with_suffix(".end").exists():
    if flag.exists():
        seal(at=timezone.now())
        anchor(at=timezone.now())
    time.sleep({rest})
"""
REST = 1.0


@contextmanager
def sealer(running: live.LivePortal, flag: Path) -> Iterator[None]:
    """A process that seals each second while the flag is there."""
    code = SEALER.format(flag=str(flag), rest=REST)
    command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", code]
    process = subprocess.Popen(
        command, cwd=live.ROOT, env=running.environ, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield
    finally:
        flag.with_suffix(".end").touch()
        process.wait(30)


def turn(port: int, token: str, numbers: Iterator[int], seconds: float) -> float:
    """Images stored each second by all senders together."""
    until = time.monotonic() + seconds

    def send(_: int) -> int:
        done = 0
        while time.monotonic() < until:
            answer = store(port, token, [made(f"seal-{next(numbers)}", 0)])
            assert answer.status == 200, answer.status
            done += 1
        return done

    with ThreadPoolExecutor(SENDERS) as senders:
        began = time.monotonic()
        return sum(senders.map(send, range(SENDERS))) / (time.monotonic() - began)


def main() -> None:
    """Prints images a second without and with, the ratio of each pair, and their median."""
    parser = argparse.ArgumentParser(prog="bench sealing", description=__doc__)
    parser.add_argument("--pairs", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=3.0)
    asked = parser.parse_args()
    numbers, ratios = count(1), []
    with tempfile.TemporaryDirectory(prefix="bench-") as name, portal(Path(name)) as served:
        running, token = served
        port, flag = urlsplit(running.url).port or 0, Path(name) / "seal"
        with sealer(running, flag):
            turn(port, token, numbers, 1.0)
            for pair in range(asked.pairs):
                rates = {}
                for sealed in (False, True) if pair % 2 == 0 else (True, False):
                    settle(flag)
                    if sealed:
                        flag.touch()
                    rates[sealed] = turn(port, token, numbers, asked.seconds)
                ratios.append(rates[True] / rates[False])
                print(
                    f"without {rates[False]:6.1f}/s  with {rates[True]:6.1f}/s  "
                    f"ratio {ratios[-1]:.3f}"
                )
            settle(flag)
        print(f"median ratio {statistics.median(ratios):.3f}, {next(numbers) - 1} images")
        print(running.manage("audit", "verify").splitlines()[0])


def settle(flag: Path) -> None:
    """What waits is sealed, then nobody seals."""
    flag.touch()
    time.sleep(REST * 1.5)
    flag.unlink()


if __name__ == "__main__":
    main()
