"""Memory: a 1 GiB multi-frame and a 5,000-instance study, received, listed and served.

Every process of a portal of its own is watched (PSS, proportional set size) while it works; what
counts is the peak above what the same process held before. And a frame costs what it is long: the
bytes that the server read for frame 1 and for frame 500 stand side by side.

`python -m bench memory [--frames 4096] [--instances 5000] [--postgres]`; exit code 1 above it.
"""

import argparse
import hashlib
import http.client
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path

from tests.durability.rig import Rig, family, rig
from tests.durability.sending import STUDIES, Made, framed, head_of, made, store, uids_of
from tests.durability.servers import postgres

LIMIT = 256  # MiB above idle, for each process
SIDE = 512
PROCESSES = ("web", "worker")


class Watch(threading.Thread):
    """Samples the PSS of processes, named by `processes`, twenty times a second."""

    def __init__(self, processes: Callable[[], Mapping[str, int]]) -> None:
        super().__init__(daemon=True)
        self.processes = processes
        self.idle: dict[str, float] = {}
        self.peak: dict[str, float] = {}
        self.over = threading.Event()

    def sample(self) -> dict[str, float]:
        """MiB by process."""
        found = {}
        for name, pid in self.processes().items():
            with suppress(OSError, StopIteration):
                lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
                line = next(line for line in lines if line.startswith("Pss:"))
                found[name] = int(line.split()[1]) / 1024
        return found

    def run(self) -> None:
        """Until told to stop."""
        while not self.over.wait(0.05):
            for name, value in self.sample().items():
                self.peak[name] = max(value, self.peak.get(name, 0.0))

    def step(self, title: str, work: Callable[[], object]) -> None:
        """Do it, and print its time and the peaks above idle."""
        self.peak, began = {}, time.monotonic()
        work()
        seconds = time.monotonic() - began
        above = {name: peak - self.idle.get(name, 0.0) for name, peak in self.peak.items()}
        rows = "  ".join(f"{name} +{value:.0f}" for name, value in sorted(above.items()))
        self.worst = max([self.worst, *above.values()])
        print(f"{title:<46}{seconds:7.1f} s   {rows} MiB", flush=True)

    worst = 0.0


def processes(portal: Rig) -> dict[str, int]:
    """Those of a rig: "web 0" is the server's parent, "web 1" its worker, and so on."""
    return {
        f"{name} {number}": pid
        for name in PROCESSES
        for number, pid in enumerate(family(portal.running[name].pid))
    }


def frame(number: int) -> bytes:
    """SIDE x SIDE bytes that tell which frame they are."""
    return hashlib.shake_128(f"frame {number}".encode()).digest(1024) * (SIDE * SIDE // 1024)


def send_large(portal: Rig, frames: int) -> None:
    """STOW-RS of one object of `frames` frames, made while it is sent."""
    head = head_of("large", 0, side=SIDE, frames=frames)
    before, behind, names = framed(len(head) + frames * SIDE * SIDE)

    def body() -> Iterator[bytes]:
        yield before + head
        for number in range(1, frames + 1):
            yield frame(number)
        yield behind

    answer = portal.ask("POST", STUDIES, body(), timeout=600, **names)
    assert answer.status == 200, answer


def drain(portal: Rig, path: str, **headers: str) -> int:
    """GET, thrown away as it comes; how many bytes there were."""
    connection = http.client.HTTPConnection("127.0.0.1", portal.port, timeout=600)
    connection.request("GET", path, headers={"Authorization": f"Bearer {portal.token}"} | headers)
    answer = connection.getresponse()
    assert answer.status == 200, (path, answer.status)
    count = 0
    while piece := answer.read(1 << 20):
        count += len(piece)
    connection.close()
    return count


def bytes_read(portal: Rig) -> int:
    """By all processes of the web server so far, from files, sockets and pipes."""
    total = 0
    for pid in portal.pids("web"):
        lines = Path(f"/proc/{pid}/io").read_text().splitlines()
        total += int(lines[0].split()[1])
    return total


def cost(portal: Rig, path: str, number: int) -> int:
    """Bytes read to serve one frame, the least of three requests."""
    costs = []
    for _ in range(3):
        before = bytes_read(portal)
        answer = portal.ask("GET", f"{path}/frames/{number}", Accept="application/octet-stream")
        assert frame(number) in answer.body, (number, answer)
        costs.append(bytes_read(portal) - before)
    return min(costs)


def warm_up(portal: Rig) -> None:
    """What is loaded once belongs to idle: every kind of request, the decoder, the worker."""
    small = made("warm", 0, side=SIDE)
    store(portal.port, portal.token, [small, made("warm", 1, side=SIDE)])
    study, series = f"{STUDIES}/{small.study}", small.path.rpartition("/instances")[0]
    for path in (study, f"{series}/metadata", small.path, f"{small.path}/frames/1",
                 f"{small.path}/rendered", f"{series}/instances"):  # fmt: skip
        drain(portal, path)
    time.sleep(8)  # the worker has settled the study


def large(portal: Rig, watch: Watch, frames: int) -> bool:
    """The multi-frame's trials; whether a late frame costs what the first one costs."""
    study, series, sop = uids_of("large", 0)
    path = Made(study, series, sop, b"").path
    watch.step(f"store {frames} frames of {SIDE} x {SIDE}", lambda: send_large(portal, frames))
    watch.step("settle (thumbnail of the middle frame)", lambda: time.sleep(8))
    watch.step("metadata", lambda: drain(portal, f"{path}/metadata"))
    watch.step("rendered, frame 500", lambda: drain(portal, f"{path}/frames/500/rendered"))
    watch.step("the whole object", lambda: drain(portal, path))
    costs = {number: cost(portal, path, number) for number in (1, 500, frames)}
    print("bytes read for a frame of 262,144: " + ", ".join(
        f"frame {number} {count:,}" for number, count in costs.items()
    ))  # fmt: skip
    return costs[500] < costs[1] * 1.1


def many(portal: Rig, watch: Watch, count: int) -> None:
    """The study of many instances."""

    def send() -> None:
        for start in range(0, count, 250):
            batch = [made("many", number, side=64) for number in range(start, start + 250)]
            assert store(portal.port, portal.token, batch).status == 200

    study = f"{STUDIES}/{uids_of('many', 0)[0]}"
    watch.step(f"store {count} instances", send)
    watch.step("settle", lambda: time.sleep(10))
    watch.step("list all instances", lambda: drain(portal, f"{study}/instances"))
    watch.step("metadata of the study, first", lambda: drain(portal, f"{study}/metadata"))
    watch.step("metadata of the study, again", lambda: drain(portal, f"{study}/metadata"))
    watch.step("the whole study", lambda: drain(portal, study))


def main() -> int:
    """Exit code 1 when a process held more than LIMIT above idle, or a late frame cost more."""
    options = argparse.ArgumentParser()
    options.add_argument("--frames", type=int, default=4096)
    options.add_argument("--instances", type=int, default=5000)
    options.add_argument("--postgres", action="store_true")
    given, environ = options.parse_args(), {}
    with ExitStack() as stack:
        if given.postgres:
            environ["DATABASE_URL"] = stack.enter_context(postgres(fsync=True)).url
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="portal-memory-")))
        names = ("broker", "worker", "beat", "web")
        portal = stack.enter_context(rig(folder, *names, **environ))
        warm_up(portal)
        watch = Watch(lambda: processes(portal))
        watch.idle = watch.sample()
        print("idle: " + "  ".join(f"{n} {v:.0f}" for n, v in watch.idle.items()) + " MiB")
        watch.start()
        flat = large(portal, watch, given.frames)
        many(portal, watch, given.instances)
        watch.over.set()
        watch.join()
    print(f"most above idle: {watch.worst:.0f} MiB of {LIMIT} allowed; frames flat: {flat}")
    return int(watch.worst > LIMIT or not flat)


if __name__ == "__main__":
    sys.exit(main())
