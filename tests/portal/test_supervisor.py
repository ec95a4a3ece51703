"""The parent of a portal's processes: order, restart, clean end."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
SLEEPER = "import signal,time; signal.signal(signal.SIGTERM, lambda *_: exit(0)); time.sleep(60)"
PARENT = """
import os, sys
from portal.supervisor import Child, Supervisor
sleep = (sys.executable, "-c", {sleeper!r})
fork = (sys.executable, "-c", "import subprocess,sys,time;"
        "p=subprocess.Popen([sys.executable,'-c','import time; time.sleep(60)']);"
        "print('grandchild', p.pid, file=sys.stderr, flush=True); time.sleep(60)")
children = [Child("first", sleep), Child("second", {second}, ready=lambda: {ready})]
def say(line): print(line, file=sys.stderr, flush=True)
sys.exit(Supervisor(children, os.environ, say).run(lambda: say("all here")))
"""


class Parent:
    """A supervisor of two children in a process of its own, with its log."""

    def __init__(self, log: Path, second: str = "sleep", ready: bool = True) -> None:
        self.log = log
        code = PARENT.format(sleeper=SLEEPER, second=second, ready=ready)
        with log.open("wb") as out:
            self.process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stderr=out)

    def wait_for(self, text: str, count: int = 1, seconds: float = 40) -> None:
        until = time.monotonic() + seconds
        while self.log.read_text().count(text) < count:
            assert time.monotonic() < until, self.log.read_text()
            time.sleep(0.05)

    def pids(self, name: str) -> list[int]:
        lines = self.log.read_text().splitlines()
        return [int(line.split()[-1]) for line in lines if line.startswith(f"{name}: started")]

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(40)


def gone(pid: int, seconds: float = 10) -> bool:
    """Whether the process ends within that time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        if (Path("/proc") / str(pid) / "stat").read_text().split(") ")[-1][0] == "Z":
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_the_children_last_one_first(tmp_path: Path, number: int) -> None:
    parent = Parent(tmp_path / "log")
    parent.wait_for("all here")
    assert parent.stop(number) == 0
    stopped = [line for line in parent.log.read_text().splitlines() if line.endswith("stopped")]
    assert stopped == ["second: stopped", "first: stopped"]
    assert all(gone(pid) for pid in (*parent.pids("first"), *parent.pids("second")))


def test_a_child_that_dies_is_started_again(tmp_path: Path) -> None:
    parent = Parent(tmp_path / "log")
    parent.wait_for("all here")
    os.kill(parent.pids("second")[0], signal.SIGKILL)
    parent.wait_for("second: started", 2)
    assert parent.stop() == 0
    assert len(set(parent.pids("second"))) == 2
    assert len(parent.pids("first")) == 1


def test_what_a_child_started_itself_is_no_orphan(tmp_path: Path) -> None:
    parent = Parent(tmp_path / "log", second="fork")
    parent.wait_for("grandchild")
    grandchild = int(parent.log.read_text().split("grandchild ")[1].split()[0])
    parent.wait_for("all here")
    assert parent.stop() == 0
    assert gone(grandchild)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's promise is Linux's")
def test_children_end_when_the_parent_is_killed(tmp_path: Path) -> None:
    parent = Parent(tmp_path / "log")
    parent.wait_for("all here")
    assert parent.stop(signal.SIGKILL) == -signal.SIGKILL
    assert all(gone(pid) for pid in (*parent.pids("first"), *parent.pids("second")))


def test_a_child_that_cannot_start_ends_the_whole(tmp_path: Path) -> None:
    parent = Parent(tmp_path / "log", second='(sys.executable, "-c", "exit(3)")', ready=False)
    assert parent.process.wait(40) == 1
    assert "second: ended while starting" in parent.log.read_text()
    assert "all here" not in parent.log.read_text()
    assert all(gone(pid) for pid in parent.pids("first"))
