"""An empty database with all its tables, made once and copied for every worker and live portal.

Fifty migrations take ten seconds of a processor each time, and a test run needs a dozen databases.
The mould is kept until a migration changes. What was copied is migrated again, which finds nothing
to do, so a mould that is too old is only slower.
"""

import fcntl
import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from tests.postgres import urls

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / ".pytest_cache" / "mould"
SQLITE = "portal.sqlite3"


def sqlite_into(path: Path) -> None:
    """Copy the mould to the file of a SQLite database."""
    with _alone():
        kept = KEPT / f"{_key()}.sqlite3"
        if not kept.exists():
            for old in KEPT.glob("*.sqlite3"):
                old.unlink()
            with TemporaryDirectory(dir=KEPT) as folder:
                _migrate("", Path(folder))
                whole = Path(folder, "whole")  # in one file, whatever the journal still holds
                with closing(sqlite3.connect(Path(folder, SQLITE))) as made:
                    made.execute("VACUUM INTO ?", [str(whole)])
                whole.rename(kept)
        shutil.copyfile(kept, path)


def postgresql(server: str) -> str:
    """The name of the mould on a server (its owner's URL), to be the TEMPLATE of others."""
    name = f"mould_{_key()[:12]}"
    with _alone(), psycopg.connect(server, autocommit=True) as connection:
        known = "SELECT 1 FROM pg_database WHERE datname = %s"
        if connection.execute(known, [name]).fetchone() is None:
            draft = sql.Identifier(f"{name}_draft")
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(draft))
            connection.execute(sql.SQL("CREATE DATABASE {}").format(draft))
            with TemporaryDirectory() as folder:
                _migrate(urlsplit(server)._replace(path=f"/{name}_draft").geturl(), Path(folder))
            renamed = sql.SQL("ALTER DATABASE {} RENAME TO {}")
            connection.execute(renamed.format(draft, sql.Identifier(name)))
    return name


def _key() -> str:
    """Changes with any migration, ours or of a package."""
    files = [*ROOT.glob("sharing/*/migrations/*.py"), ROOT / "requirements.txt"]
    files += [ROOT / "portal/settings.py", *ROOT.glob("portal/rowlevel/*.py")]
    files.append(ROOT / "sharing/audit/rights.py")
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


@contextmanager
def _alone() -> Iterator[None]:
    """One process makes it, the others wait and find it."""
    KEPT.mkdir(parents=True, exist_ok=True)
    with (KEPT / "lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _migrate(url: str, folder: Path) -> None:
    """As operators do; everything but the database ends with `folder`."""
    values = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "PORTAL_MODE": "embedded",
        "DATA_DIR": str(folder),
        **(urls(url) if url else {"DATABASE_URL": ""}),
        "REDIS_URL": "",
        "BLOB_STORAGE": "",
    }
    command = [sys.executable, "manage.py", "migrate", "--no-input", "--verbosity", "0"]
    done = subprocess.run(
        command, cwd=ROOT, env=values, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
