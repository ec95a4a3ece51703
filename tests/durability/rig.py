"""The portal's processes one by one in a folder of their own, so that each can be killed alone.

The commands are those of `manage.py serve`; only its supervisor is missing: what is killed stays
dead until the test starts it again.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests import mould
from tests.durability.sending import Answer, ask
from tests.live import free_port

ROOT = Path(__file__).resolve().parents[2]


class Rig:
    """Web server, worker, beat and broker over one folder; starts nothing by itself.

    `root`: the tree whose code runs, which may be an older one.
    """

    def __init__(
        self, folder: Path, *, web_workers: int = 1, root: Path = ROOT, **environ: str
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.port, self.root = folder, free_port(), root
        self.environ = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "portal.settings",
            "DATA_DIR": str(folder),
            "PUBLIC_URL": f"http://127.0.0.1:{self.port}",
            "PYTHONPATH": str(root),
            "LOG_LEVEL": "WARNING",
            "DATABASE_URL": "", "DATABASE_OWNER_URL": "", "REDIS_URL": "",
            "BLOB_STORAGE": "", "EMAIL_URL": "",
            **environ,
        }  # fmt: skip
        database = folder / mould.SQLITE
        if not self.environ["DATABASE_URL"] and root == ROOT and not database.exists():
            mould.sqlite_into(database)
        known = json.loads(self.module("prepare", str(self.port), str(web_workers)))
        self.token: str = known["token"]
        self.commands: dict[str, list[str]] = known["commands"]
        self.broker_config: str = known["broker"]["config"]
        self.environ["REDIS_URL"] = known["broker"]["url"]
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def module(self, name: str, *arguments: str) -> str:
        """What a module of this folder prints, run as a process in the rig's environment."""
        done = subprocess.run(
            [sys.executable, "-m", f"tests.durability.{name}", *arguments],
            cwd=self.root, env=self.environ, capture_output=True, text=True, timeout=1800,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    def start(self, *names: str, before: tuple[str, ...] = (), **environ: str) -> None:
        """Start processes by name; `before` goes in front of the command (strace, prlimit)."""
        for name in names:
            with (self.folder / f"{name}.log").open("ab") as log:
                child = subprocess.Popen(
                    [*before, *self.commands[name]],
                    cwd=self.root, env=self.environ | environ, stdout=log, stderr=log,
                    stdin=subprocess.PIPE if name == "broker" else subprocess.DEVNULL,
                    start_new_session=True,
                )  # fmt: skip
            if child.stdin:
                with child.stdin as pipe:
                    pipe.write(self.broker_config.encode())
            self.running[name] = child

    def ensure(self, *names: str) -> None:
        """These run, whatever another test did to them."""
        self.start(*(name for name in names if not self.pids(name)))
        if "web" in names:
            self.wait_until_ready()

    def truth(self, *options: str) -> Any:
        """What truth.py finds."""
        return json.loads(self.module("truth", *options))

    def pids(self, name: str) -> list[int]:
        """The process and all below it, parents first; empty when it does not run."""
        child = self.running.get(name)
        return [] if child is None or child.poll() is not None else family(child.pid)

    def kill(self, name: str, number: int = signal.SIGKILL) -> None:
        """The process and its children at once, as a power cut of its container would."""
        for pid in self.pids(name):
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        if number == signal.SIGKILL and name in self.running:
            self.running.pop(name).wait(10)

    def stop(self, seconds: float = 40) -> None:
        """End everything; what does not end in time is killed."""
        for name, child in reversed(list(self.running.items())):
            child.terminate()
            with suppress(subprocess.TimeoutExpired):
                child.wait(seconds)
            self.kill(name)

    def ask(self, method: str, path: str, body: Any = None, **how: Any) -> Answer:
        """One request to the web server, with the token where it opens a door. Raises OSError."""
        token = self.token if path.startswith(("/dicomweb/", "/api/")) else ""
        return ask(self.port, method, path, token=token, body=body, **how)

    def wait_until_ready(self, seconds: float = 60) -> None:
        """Until the web server serves; fails with its log."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            with suppress(OSError):
                if self.ask("GET", "/readyz", timeout=5).status == 200:
                    return
            time.sleep(0.05)
        raise AssertionError("not ready:\n" + self.log("web"))

    def log(self, name: str) -> str:
        """The end of what a process wrote."""
        path = self.folder / f"{name}.log"
        return path.read_text(errors="replace")[-4000:] if path.exists() else ""


@contextmanager
def rig(folder: Path, *names: str, **how: Any) -> Iterator[Rig]:
    """A rig with these processes running and the web server ready, if it is one of them."""
    made = Rig(folder, **how)
    try:
        made.start(*names)
        if "web" in names:
            made.wait_until_ready()
        yield made
    finally:
        made.stop()


def family(pid: int) -> list[int]:
    """A process and all its descendants, parents first."""
    found = [pid]
    for parent in found:
        with suppress(OSError):
            for task in Path(f"/proc/{parent}/task").iterdir():
                found += [int(word) for word in (task / "children").read_text().split()]
    return found
