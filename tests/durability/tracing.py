"""Requests as processes under strace: what they call, and killed or failed at any call."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.durability.rig import ROOT, Rig
from tests.durability.sending import STUDIES, Answer, Made, multipart

FILES = (
    "fsync,fdatasync,rename,renameat,renameat2,mkdir,mkdirat,unlink,unlinkat,ftruncate,pwrite64,"
    "write,writev,pwritev,link,linkat,fallocate,openat,copy_file_range,sendto,sendmsg"
)
STRACE = shutil.which("strace")
needs_strace = pytest.mark.skipif(STRACE is None, reason="strace is missing (tests/needs.sh)")


@dataclass(frozen=True)
class Ended:
    """How a request's process ended: its answers (none when it died), its code, its trace."""

    answers: list[Answer]
    code: int
    trace: list[str]

    @property
    def answer(self) -> Answer | None:
        """The first one."""
        return self.answers[0] if self.answers else None


class Forks:
    """The request server of one rig (forks.py)."""

    def __init__(self, rig: Rig) -> None:
        self.rig, self.number = rig, 0
        with (rig.folder / "forks.log").open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.durability.forks"],
                cwd=ROOT, env=rig.environ | {"REDIS_URL": ""}, text=True, bufsize=1,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
            )  # fmt: skip

    def store(
        self, objects: Sequence[Made], strace: Sequence[str] = (), seed: str = "", times: int = 1
    ) -> Ended:
        """STOW-RS of these objects, `times` in one process; traced when strace has options."""
        body, headers = multipart(objects)
        path = self.rig.folder / "request"
        path.write_bytes(body)
        names = {
            "CONTENT_TYPE": headers["Content_Type"],
            "HTTP_ACCEPT": headers["Accept"],
            "HTTP_AUTHORIZATION": f"Bearer {self.rig.token}",
            "HTTP_HOST": "127.0.0.1",
        }
        task = {"do": "request", "method": "POST", "path": STUDIES, "body": str(path)}
        return self._do(task | {"headers": names, "seed": seed, "times": times}, strace)

    def truth(self) -> dict[str, Any]:
        """What truth.py finds."""
        ended = self._do({"do": "truth"}, ())
        assert ended.code == 0, (self.rig.folder / "forks.log").read_text()[-3000:]
        return json.loads((self.rig.folder / "answer").read_bytes())

    def _do(self, task: dict[str, Any], strace: Sequence[str]) -> Ended:
        out, trace = self.rig.folder / "answer", self.rig.folder / "trace"
        out.unlink(missing_ok=True)
        trace.unlink(missing_ok=True)
        self._tell(task | {"out": str(out), "stop": bool(strace)})
        pid, tracer = self._hear(), None
        if strace:
            tracer = _attach(pid, [*strace, "-o", str(trace)])
        code = self._hear()
        if tracer:
            tracer.communicate(timeout=20)
        lines = trace.read_text(errors="replace").splitlines() if trace.exists() else []
        return Ended(_answers(out.read_bytes()) if out.exists() else [], code, lines)

    def _tell(self, task: dict[str, Any]) -> None:
        assert self.process.stdin
        self.process.stdin.write(json.dumps(task) + "\n")

    def _hear(self) -> int:
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line, (self.rig.folder / "forks.log").read_text()[-3000:]
        return int(line)

    def close(self) -> None:
        """End it."""
        self.process.communicate(timeout=20)


@contextmanager
def forks(rig: Rig) -> Iterator[Forks]:
    """A request server for the time of the block."""
    made = Forks(rig)
    try:
        yield made
    finally:
        made.close()


@contextmanager
def traced(pid: int, path: Path, *options: str) -> Iterator[None]:
    """A running process and all its threads under strace for the time of the block."""
    tracer = subprocess.Popen(
        [str(STRACE), "-f", "-p", str(pid), *options, "-o", str(path)],
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert tracer.stderr
    assert "attached" in (line := tracer.stderr.readline()), line
    try:
        yield
    finally:
        tracer.send_signal(signal.SIGINT)  # lets go of it
        tracer.communicate(timeout=20)


def _attach(pid: int, options: list[str]) -> subprocess.Popen[str]:
    """strace on a process that stopped itself; the process goes on once it is held."""
    while Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1][0] != "T":
        os.sched_yield()
    tracer = subprocess.Popen(
        [str(STRACE), "-f", "-p", str(pid), *options], stderr=subprocess.PIPE, text=True
    )
    assert tracer.stderr
    line = tracer.stderr.readline()
    assert "attached" in line, line
    os.kill(pid, signal.SIGCONT)
    return tracer


def _answers(raw: bytes) -> list[Answer]:
    heads_and_bodies = (part.partition(b"\r\n\r\n") for part in raw.split(b"HTTP/1.1 ")[1:])
    return [Answer(int(head.split()[0]), {}, body) for head, _, body in heads_and_bodies]


def counts(trace: list[str]) -> dict[str, int]:
    """How often each system call was made by the thread that made it most: strace counts so."""
    seen: Counter[tuple[str, str]] = Counter()
    for line in trace:
        if found := re.match(r"(\d+) +(\w+)\(", line):
            seen[found[1], found[2]] += 1
    most: dict[str, int] = {}
    for (_, name), count in seen.items():
        most[name] = max(count, most.get(name, 0))
    return most
