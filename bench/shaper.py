"""A thin line on 127.0.0.1: a TCP proxy with a rate and a round trip, for all connections together.

Chromium's own throttling leaves workers out; this holds for every byte of every target. Each
direction is one queue of the given rate; a byte arrives half a round trip after it left the queue.
A connection's first bytes wait one round trip more, as a TCP handshake would take. Neither slow
start nor loss nor TLS are imitated: real lines are worse.
"""

import asyncio
import re
import threading
from dataclasses import dataclass, field
from typing import Any

PIECE = 4 * 1024
MOST_WAITING = 8
"""Pieces of one connection in the queue: connections share the line about evenly."""
_REQUEST = re.compile(
    rb"(?:^|\r\n|\n)(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) (\S+) HTTP/1\.1\r\n"
)


@dataclass
class Line:
    """Rate in bytes a second (0: no limit) and round trip in seconds."""

    name: str
    rate: float
    trip: float


@dataclass
class Counted:
    """What went through since `reset`."""

    down: int = 0
    up: int = 0
    asked: list[tuple[str, int]] = field(default_factory=list)
    """Each request's path, and how much had come down when it was made."""

    @property
    def paths(self) -> list[str]:
        """What was asked for."""
        return [path for path, _ in self.asked]

    @property
    def pulses(self) -> int:
        """Requests that only ask whether the study may still be seen."""
        return sum(path.endswith("/pulse") for path in self.paths)

    def before_images_ahead(self) -> "Counted":
        """What there was until a second frame was asked for: images ahead follow the live one."""
        frames = [at for at, path in enumerate(self.paths) if "/frames/" in path]
        if len(frames) < 2:
            return self
        return Counted(self.asked[frames[1]][1], self.up, self.asked[: frames[1]])


class Shaper:
    """Runs in a thread of its own; `port` is where it listens."""

    def __init__(self, target: int, line: Line) -> None:
        self.target, self.line = target, line
        self.counted = Counted()
        self._free = {"down": 0.0, "up": 0.0}
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.port = 0

    def __enter__(self) -> "Shaper":
        self._thread.start()
        self._started.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    @property
    def url(self) -> str:
        """Where a browser goes."""
        return f"http://127.0.0.1:{self.port}"

    def reset(self) -> None:
        """Begin to count anew."""
        self.counted = Counted()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.set_exception_handler(lambda *_: None)  # a browser that leaves is no error
        starting = asyncio.start_server(self._serve, "127.0.0.1", 0)
        server = self._loop.run_until_complete(starting)
        self.port = server.sockets[0].getsockname()[1]
        self._started.set()
        self._loop.run_forever()
        server.close()
        self._loop.run_until_complete(self._ended())
        self._loop.close()

    async def _ended(self) -> None:
        """Every connection is closed before the loop is."""
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0.05)

    async def _serve(self, reader: Any, writer: Any) -> None:
        there = None
        try:
            await asyncio.sleep(self.line.trip)  # the handshake
            there_reader, there = await asyncio.open_connection("127.0.0.1", self.target)
            await asyncio.gather(
                self._pump("up", reader, there),
                self._pump("down", there_reader, writer),
                return_exceptions=True,
            )
        finally:
            for each in filter(None, (writer, there)):
                each.close()

    async def _pump(self, way: str, reader: Any, writer: Any) -> None:
        """Pieces leave in turn and arrive later; a bounded queue holds the sender back."""
        waiting: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(MOST_WAITING)
        delivery = asyncio.create_task(self._deliver(waiting, writer))
        try:
            while piece := await reader.read(PIECE):
                self._count(way, piece)
                left = self._leaves(way, len(piece))
                await asyncio.sleep(max(0.0, left - self._loop.time()))
                await waiting.put((left + self.line.trip / 2, piece))
            await waiting.put((0.0, b""))
            await delivery
        finally:
            delivery.cancel()
            await asyncio.gather(delivery, return_exceptions=True)

    def _leaves(self, way: str, length: int) -> float:
        """When the last byte of a piece that comes now has left."""
        if not self.line.rate:
            return self._loop.time()
        begins = max(self._loop.time(), self._free[way])
        self._free[way] = begins + length / self.line.rate
        return self._free[way]

    async def _deliver(self, waiting: Any, writer: Any) -> None:
        while True:
            at, piece = await waiting.get()
            if not piece:
                writer.write_eof()
                return
            await asyncio.sleep(max(0.0, at - self._loop.time()))
            writer.write(piece)
            await writer.drain()

    def _count(self, way: str, piece: bytes) -> None:
        if way == "down":
            self.counted.down += len(piece)
            return
        self.counted.up += len(piece)
        found = (path.decode("latin-1") for path in _REQUEST.findall(piece))
        self.counted.asked += [(path, self.counted.down) for path in found]
