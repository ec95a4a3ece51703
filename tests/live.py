"""The real portal as its users meet it: `manage.py serve` with broker, worker, beat and server.

Each one has its own folder, its own database (a fresh one beside DATABASE_URL's on PostgreSQL), its
own port; `stop` ends all of it.
"""

import email
import email.policy
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
from psycopg import sql

from tests import mould
from tests.postgres import urls

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 240


@dataclass(slots=True)
class LivePortal:
    """A running portal: its address, its folder, and its command line."""

    url: str
    data_dir: Path
    environ: dict[str, str]
    process: subprocess.Popen[bytes]
    database: str | None

    def manage(self, *arguments: str) -> str:
        """Run a management command beside the running portal; returns what it printed."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environ,
            check=False,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    def mails(self, to: str | None = None) -> list[EmailMessage]:
        """The e-mails sent so far, oldest first; those to one address when given."""
        files = sorted((self.data_dir / "mail").glob("*.log"), key=lambda p: p.stat().st_mtime)
        raws = (raw for path in files for raw in re.split(rb"\n-{79}\n", path.read_bytes()))
        found = [
            email.message_from_bytes(raw, policy=email.policy.default)
            for raw in raws
            if raw.strip()
        ]
        return [mail for mail in found if to is None or to in str(mail["To"])]

    def wait_for_mail(self, to: str, count: int = 1, seconds: float = 30) -> EmailMessage:
        """The newest e-mail to that address, once there are `count` of them."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if len(mails := self.mails(to)) >= count:
                return mails[-1]
            time.sleep(0.2)
        raise AssertionError(f"fewer than {count} e-mails came in {seconds:.0f} s")

    def log(self) -> str:
        """What its processes wrote so far."""
        return (self.data_dir / "serve.log").read_text(errors="replace")


def start(data_dir: Path, *, empty: bool = False, **environ: str) -> LivePortal:
    """Start a portal on a free port and wait until it answers.

    `empty`: on SQLite it finds no database, and makes one as on its first day.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    port = free_port()
    database = fresh_database(os.environ.get("DATABASE_OWNER_URL", ""))
    if not database and not empty:
        mould.sqlite_into(data_dir / mould.SQLITE)
    url = f"http://127.0.0.1:{port}"
    values = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "DATA_DIR": str(data_dir),
        "PUBLIC_URL": url,
        "REDIS_URL": "",
        **(urls(database) if database else {"DATABASE_URL": ""}),
        **environ,
    }
    with (data_dir / "serve.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "serve", "--port", str(port)],
            cwd=ROOT,
            env=values,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    portal = LivePortal(url, data_dir, values, process, database)
    _wait(portal)
    return portal


def stop(portal: LivePortal) -> None:
    """End all its processes and its database; fails when one had to be killed."""
    portal.process.send_signal(signal.SIGTERM)
    try:
        portal.process.wait(60)
    except subprocess.TimeoutExpired:
        portal.process.kill()
        raise
    finally:
        if portal.database:
            drop_database(os.environ["DATABASE_OWNER_URL"], portal.database)


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(portal: LivePortal) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        if portal.process.poll() is not None:
            raise AssertionError("the portal ended while starting:\n" + portal.log()[-4000:])
        try:
            with urllib.request.urlopen(portal.url + "/readyz", timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    stop(portal)
    raise AssertionError("the portal didn't answer:\n" + portal.log()[-4000:])


def fresh_database(url: str) -> str | None:
    """The owner's URL of a new database with all tables on that server; None on SQLite."""
    if not url.startswith("postgres"):
        return None
    name = f"live_{uuid4().hex[:12]}"
    with psycopg.connect(url, autocommit=True) as connection:
        words = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        made = mould.postgresql(url)
        connection.execute(words.format(sql.Identifier(name), sql.Identifier(made)))
    return urlsplit(url)._replace(path=f"/{name}").geturl()


def drop_database(server: str, url: str) -> None:
    """Remove a database that `fresh_database` made on that server."""
    name = urlsplit(url).path.lstrip("/")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        )
