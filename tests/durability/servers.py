"""A PostgreSQL that may be stopped, killed and frozen by the test that owns it."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.durability.rig import family
from tests.postgres import INITDB, owner, program

SETTINGS = ("listen_addresses=", "max_connections=100", "timezone=UTC")


class Postgres:
    """One cluster in a temporary folder, on a socket; `fsync` is off as in the other tests."""

    def __init__(self, *, fsync: bool = False) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="portal-pg-"))
        self.user = owner()
        if self.user:
            account = pwd.getpwnam(self.user)
            os.chown(self.folder, account.pw_uid, account.pw_gid)
        self.settings = [*SETTINGS, f"fsync={'on' if fsync else 'off'}"]
        self.url = f"postgres://portal@/postgres?host={self.folder}"
        self._run("initdb", "-D", str(self.folder / "data"), *INITDB)
        self.start()

    def _run(self, name: str, *arguments: str) -> int:
        return subprocess.run(
            [program(name), *arguments], user=self.user, cwd=self.folder, check=name == "initdb",
            stdout=subprocess.DEVNULL,
        ).returncode  # fmt: skip

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = [part for setting in self.settings for part in ("-c", setting)]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [program("postgres"), "-D", self.folder / "data", "-k", self.folder, *options],
                user=self.user, cwd=self.folder, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        until = time.monotonic() + 30
        while self._run("pg_isready", "-q", "-h", str(self.folder)):
            assert time.monotonic() < until, (self.folder / "log").read_text()[-2000:]
            time.sleep(0.05)

    def signal(self, number: int) -> None:
        """To the server and all its backends: STOP freezes it, CONT wakes it, KILL is a crash."""
        for pid in family(self.process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        if number == signal.SIGKILL:
            self.process.wait(10)
            (self.folder / "data/postmaster.pid").unlink(missing_ok=True)

    def remove(self) -> None:
        """End it and remove its folder."""
        if self.process.poll() is None:
            self.signal(signal.SIGCONT)
            self.process.send_signal(signal.SIGINT)
            self.process.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)


@contextmanager
def postgres(*, fsync: bool = False) -> Iterator[Postgres]:
    """A running cluster for the time of the block."""
    server = Postgres(fsync=fsync)
    try:
        yield server
    finally:
        server.remove()
