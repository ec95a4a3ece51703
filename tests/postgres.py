"""Run a command against a PostgreSQL of its own: `python tests/postgres.py [--durable] COMMAND...`.

Makes a cluster in a temporary folder, listens on a socket in it only, sets DATABASE_URL, and stops
and removes it at the end, also when the command fails or is interrupted. DATABASE_URL names a role
that owns nothing, as in production, and DATABASE_OWNER_URL the owner of the tables.
"""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# The cluster lives for one test run: a lost page costs nothing, waiting for the disk costs minutes.
QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
INITDB = ("-U", "portal", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
OPTIONS = ("listen_addresses=", "max_connections=200", "timezone=UTC")
SERVED, OWNER = "portal_app", "portal"
DURABLE = "--durable"  # for measurements: a commit waits for the disk, as in real life


def program(name: str) -> str:
    """A PostgreSQL program: Debian keeps them off the PATH. Newest first."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    found = [str(folder / name) for folder in versions if (folder / name).exists()]
    path = found[0] if found else shutil.which(name)
    if path is None:
        sys.exit(f"{name} is missing: apt-get install postgresql")
    return path


def owner() -> str | None:
    """PostgreSQL refuses to run as root; Debian's package brings the user for it."""
    return "postgres" if os.geteuid() == 0 else None


@contextmanager
def cluster(quick: tuple[str, ...] = QUICK) -> Iterator[str]:
    """A running server; yields the URL of its owner."""
    folder = Path(tempfile.mkdtemp(prefix="portal-pg-"))
    user = owner()
    if user:
        account = pwd.getpwnam(user)
        os.chown(folder, account.pw_uid, account.pw_gid)
    data = folder / "data"
    try:
        subprocess.run(
            [program("initdb"), "-D", data, *INITDB],
            user=user,
            cwd=folder,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        yield from _served(folder, data, user, (*OPTIONS, *quick))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _served(folder: Path, data: Path, user: str | None, options: tuple[str, ...]) -> Iterator[str]:
    settings = [part for option in options for part in ("-c", option)]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [program("postgres"), "-D", data, "-k", folder, *settings],
            user=user,
            cwd=folder,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        _wait(server, folder)
        served = f"CREATE ROLE {SERVED} LOGIN"
        subprocess.run(
            [program("psql"), "-q", "-h", folder, "-U", OWNER, "-c", served, "postgres"], check=True
        )
        yield f"postgres://portal@/postgres?host={folder}"
    finally:
        server.send_signal(signal.SIGINT)  # "fast": ends the sessions, then stops
        server.wait(30)


def _wait(server: subprocess.Popen[bytes], folder: Path) -> None:
    ask = [program("pg_isready"), "-q", "-h", folder]
    for _ in range(200):
        if server.poll() is not None:
            sys.exit("PostgreSQL didn't start: " + (folder / "log").read_text()[-2000:])
        if subprocess.run(ask).returncode == 0:
            return
        time.sleep(0.1)
    sys.exit("PostgreSQL didn't answer in 20 s")


def urls(owner_url: str) -> dict[str, str]:
    """The environment's two URLs for a database of such a server."""
    served = owner_url.replace(f"//{OWNER}@", f"//{SERVED}@")
    return {"DATABASE_URL": served, "DATABASE_OWNER_URL": owner_url}


def main() -> int:
    """The command's exit code."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    command = sys.argv[1:]
    durable = command[:1] == [DURABLE]
    with cluster(() if durable else QUICK) as url:
        environ = dict(os.environ, **urls(url))
        return subprocess.run(command[durable:], env=environ).returncode


if __name__ == "__main__":
    sys.exit(main())
