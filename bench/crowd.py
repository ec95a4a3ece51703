"""A thousand viewers at once: first images, scrolling, and whether one hospital's crowd takes from
another's (reliability.md, F18).

`python -m bench crowd [--viewers 1000] [--seconds 60]`: nine of ten viewers are of Riverside, the
others of Hilltop; each keeps a connection, opens a series (its metadata and a frame of 256 KiB) and
then asks for a frame each `--pause` seconds on the average. Before the crowd comes one viewer opens
series alone: the crowd's times stand beside that one's. Exit code 1 for an answer that is wrong, a
first image after more than a second at p95, or a process that grows by more than LIMIT.
"""

import argparse
import asyncio
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from bench.dicomweb import REST_SECONDS, portal
from bench.memory import LIMIT, Watch
from tests import live
from tests.durability.rig import family
from tests.durability.sending import STUDIES, Made, made, store, stored

STUDIES_EACH, SLICES, SIDE = 4, 20, 512
SHARE = 0.9  # of the viewers who are the large hospital's
TARGET = 1.0  # seconds to the first image, at p95


@dataclass
class House:
    """A hospital with its series, and what its viewers met."""

    name: str
    token: str
    series: list[list[Made]]
    firsts: list[float] = field(default_factory=list)
    others: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


@dataclass
class Line:
    """A kept connection of one viewer."""

    port: int
    token: str
    reader: asyncio.StreamReader | None = None
    writer: asyncio.StreamWriter | None = None

    async def get(self, path: str, accept: str) -> bytes:
        """The body. Raises OSError and ValueError for what is no whole answer of 200."""
        if self.reader is None or self.writer is None:
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.writer.write(
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nAccept: {accept}\r\n"
            f"Authorization: Bearer {self.token}\r\n\r\n".encode()
        )
        head = await self.reader.readuntil(b"\r\n\r\n")
        status, *lines = head.decode("latin-1").split("\r\n")
        named = dict(line.lower().split(": ", 1) for line in lines if line)
        body = await self.reader.readexactly(int(named["content-length"]))
        if status.split()[1] != "200":
            raise ValueError(status)
        return body


async def first(house: House, line: Line, series: Sequence[Made]) -> float:
    """Seconds from opening a series to its first image."""
    begun, one = time.perf_counter(), series[0]
    path = f"{STUDIES}/{one.study}/series/{one.series}/metadata"
    metadata = await line.get(path, "application/dicom+json")
    if metadata.count(one.study.encode()) < len(series):
        raise ValueError("metadata")
    await frame(line, one)
    return time.perf_counter() - begun


async def frame(line: Line, one: Made) -> None:
    """One frame, compared with what was sent."""
    if (
        await line.get(f"{one.path}/frames/1", "application/octet-stream")
        != one.raw[-SIDE * SIDE :]
    ):
        raise ValueError("frame")


async def viewer(
    house: House, port: int, options: argparse.Namespace, chance: random.Random
) -> None:
    """Comes at some moment of the first ten seconds, opens a series, scrolls until the end."""
    until = time.perf_counter() + options.seconds
    line, series = Line(port, house.token), chance.choice(house.series)
    await asyncio.sleep(chance.uniform(0, min(10, options.seconds / 2)))
    try:
        house.firsts.append(await first(house, line, series))
        while time.perf_counter() < until:
            await asyncio.sleep(chance.uniform(0, 2 * options.pause))
            begun = time.perf_counter()
            await frame(line, chance.choice(series))
            house.others.append(time.perf_counter() - begun)
    except (OSError, ValueError, KeyError, asyncio.IncompleteReadError) as error:
        house.wrong.append(f"{type(error).__name__} {error}"[:80])
    finally:
        if line.writer:
            line.writer.close()


async def crowd(houses: Sequence[House], port: int, options: argparse.Namespace) -> None:
    """All of them together."""
    chance = random.Random(18)
    many = round(options.viewers * SHARE)
    whose = [houses[0]] * many + [houses[1]] * (options.viewers - many)
    await asyncio.gather(
        *(viewer(house, port, options, random.Random(chance.random())) for house in whose)
    )


async def alone(house: House, port: int) -> list[float]:
    """One viewer opens each series twenty times, with nobody else there."""
    line = Line(port, house.token)
    return [await first(house, line, series) for _ in range(20) for series in house.series]


def filled(running: live.LivePortal, port: int) -> list[House]:
    """Both hospitals with their studies."""
    houses = []
    scopes = ("--scope", "dicomweb.read", "--scope", "dicomweb.write")
    for name in ("riverside", "hilltop"):
        token = running.manage("token", "--organization", name, *scopes).strip()
        series = [
            [made(f"{name}-{number}", slice_, side=SIDE) for slice_ in range(SLICES)]
            for number in range(STUDIES_EACH)
        ]
        for one in series:
            assert len(stored(store(port, token, one))) == SLICES
        houses.append(House(name, token, series))
    return houses


def _row(name: str, seconds: Sequence[float]) -> str:
    if len(seconds) < 2:
        return f"{name:<34} {len(seconds):>7} none"
    parts = statistics.quantiles(seconds, n=100)
    return (
        f"{name:<34} {len(seconds):>7} {parts[49] * 1000:>8.0f} {parts[94] * 1000:>8.0f}"
        f" {parts[98] * 1000:>8.0f}"
    )


def _told(houses: Sequence[House], one: Sequence[float]) -> bool:
    print(f"{'milliseconds':<34} {'times':>7} {'p50':>8} {'p95':>8} {'p99':>8}")
    print(_row("first image, alone", one))
    for house in houses:
        print(_row(f"first image, {house.name}", house.firsts))
        print(_row(f"frames, {house.name}", house.others))
    wrong = [word for house in houses for word in house.wrong]
    print(f"wrong or broken answers: {len(wrong)} {sorted(set(wrong))[:5]}")
    slow = [
        h for h in houses if len(h.firsts) < 2 or statistics.quantiles(h.firsts, n=20)[18] > TARGET
    ]
    return not wrong and not slow


def main() -> int:
    """0 when all answers were right and in time, and memory stayed."""
    parser = argparse.ArgumentParser(prog="python -m bench crowd", description=__doc__)
    parser.add_argument("--viewers", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--pause", type=float, default=4.0)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        portal(Path(folder) / "portal") as (running, _),
    ):
        port = int(running.url.rpartition(":")[2])
        houses = filled(running, port)
        time.sleep(REST_SECONDS)  # what is made of the studies is made
        one = asyncio.run(alone(houses[0], port))
        watch = Watch(lambda: {str(pid): pid for pid in family(running.process.pid)})
        watch.idle = watch.sample()
        watch.start()
        work = partial(asyncio.run, crowd(houses, port, options))
        watch.step(f"{options.viewers} viewers", work)
        watch.over.set()
        good = _told(houses, one)
    print(f"most above idle of any process: {watch.worst:.0f} MiB (limit {LIMIT})")
    return 0 if good and watch.worst <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
