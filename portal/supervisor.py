"""One parent for the processes of a portal: starts them in order, restarts, stops them in reverse.

No orphans: each child leads its own process group, which is ended as a whole, and on Linux the
kernel ends a child whose parent died without a word.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

PR_SET_PDEATHSIG = 1
STOP_SECONDS = 25.0  # a web worker may finish what it is receiving
STEADY_SECONDS = 60.0  # after this long a child's earlier failures are forgotten
LONGEST_WAIT = 30.0
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass(slots=True)
class Child:
    """One process to keep alive. `ready` says whether what depends on it may start."""

    name: str
    command: tuple[str, ...]
    stdin: str | None = None
    ready: Callable[[], bool] = lambda: True
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    failures: int = 0
    restart_at: float = field(default=0.0)

    def alive(self) -> bool:
        """True while the process runs."""
        return self.process is not None and self.process.poll() is None


class Supervisor:
    """Runs children until a signal, or until one can't be started at all."""

    def __init__(
        self, children: list[Child], environ: Mapping[str, str], say: Callable[[str], None]
    ) -> None:
        self.children = children
        self.environ = dict(environ)
        self.say = say
        self.stopping = False

    def run(self, on_ready: Callable[[], None]) -> int:
        """Returns the exit code: 0 after a signal, 1 when a child never became ready."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        try:
            if not all(self._start_and_wait(child) for child in self.children):
                return 0 if self.stopping else 1
            on_ready()
            while not self.stopping:
                self._look_after()
                time.sleep(0.2)
            return 0
        finally:
            self._stop_all()

    def _on_signal(self, number: int, frame: object) -> None:
        self.stopping = True

    def _start_and_wait(self, child: Child, seconds: float = 180.0) -> bool:
        self._start(child)
        until = time.monotonic() + seconds
        while not self.stopping and time.monotonic() < until:
            if not child.alive():
                self.say(f"{child.name}: ended while starting")
                return False
            if child.ready():
                return True
            time.sleep(0.05)
        return False

    def _start(self, child: Child) -> None:
        child.process = subprocess.Popen(  # noqa: S603 - the commands are our own, no shell
            child.command,
            env=self.environ,
            stdin=subprocess.DEVNULL if child.stdin is None else subprocess.PIPE,
            stdout=subprocess.DEVNULL,  # what they have to say they say on standard error
            start_new_session=True,
            preexec_fn=_die_with_parent if _libc else None,
        )
        if child.stdin is not None and child.process.stdin is not None:
            with contextlib.suppress(BrokenPipeError), child.process.stdin as pipe:
                pipe.write(child.stdin.encode())
        child.started_at = time.monotonic()
        self.say(f"{child.name}: started, process {child.process.pid}")

    def _look_after(self) -> None:
        for child in self.children:
            now = time.monotonic()
            if child.alive():
                if child.failures and now - child.started_at > STEADY_SECONDS:
                    child.failures = 0
            elif child.process is not None:
                self._bury(child, now)
            elif now >= child.restart_at:
                self._start(child)

    def _bury(self, child: Child, now: float) -> None:
        code = child.process.returncode if child.process else None
        if child.process:
            _signal_group(child.process, signal.SIGKILL)  # what it may have left behind
        child.process = None
        wait = min(2.0**child.failures, LONGEST_WAIT)
        child.failures += 1
        child.restart_at = now + wait
        self.say(f"{child.name}: ended with {code}, starts again in {wait:.0f} s")

    def _stop_all(self) -> None:
        for child in reversed(self.children):
            if child.process is None:
                continue
            if child.alive():
                child.process.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.process.wait(STOP_SECONDS)
            _signal_group(child.process, signal.SIGKILL)
            child.process.wait()
            self.say(f"{child.name}: stopped")


def _signal_group(process: subprocess.Popen[bytes], number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _die_with_parent() -> None:
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
