"""The environment, read once and typed. What is not in `VARIABLES` is not read.

The table in README.md is printed from it (`python -m portal.env`); a test holds the two equal.
Values may be secrets, so no error message repeats one.
"""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from portal.database import CONNECT, POOL, Watchful

BASE_DIR = Path(__file__).resolve().parent.parent


class EnvironmentMistake(Exception):
    """A variable that can't be read as what it should be. Names the variable, never its value."""


@dataclass(frozen=True, slots=True)
class Variable:
    """One row of the settings table."""

    name: str
    default: str
    meaning: str


VARIABLES = (
    Variable(
        "PORTAL_MODE",
        "embedded",
        "`embedded` (one machine, everything in DATA_DIR) or `production` "
        "(refuses to start when unsafe)",
    ),
    Variable(
        "PUBLIC_URL",
        "http://127.0.0.1:8000",
        "Where browsers find the portal. All absolute URLs and the allowed host come from it",
    ),
    Variable(
        "DATA_DIR",
        "var/",
        "Folder for all that the portal writes: database, images, mail, generated key",
    ),
    Variable(
        "DATABASE_URL",
        "",
        "`sqlite:///path` or `postgres://user:password@host:port/name`. Empty: SQLite in DATA_DIR",
    ),
    Variable(
        "DATABASE_OWNER_URL",
        "",
        "The same database as the owner of its tables, for `migrate` alone. "
        "Empty: DATABASE_URL names the owner, which production refuses to serve as",
    ),
    Variable(
        "REDIS_URL",
        "",
        "`redis://:password@host:6379/0`, `rediss://...` or `unix://:password@/path`. "
        "Empty: `manage.py serve` starts its own broker",
    ),
    Variable(
        "BLOB_STORAGE",
        "",
        "Folder, or `s3://key:secret@host:port/bucket?region=...&tls=1`. Empty: DATA_DIR/blobs",
    ),
    Variable(
        "SECRET_KEY",
        "",
        "Signs sessions and links, 50 characters or more. "
        "Empty: made once in DATA_DIR (embedded only)",
    ),
    Variable(
        "EMAIL_URL",
        "",
        "`smtp://user:password@host:587?tls=1`, `file:///folder` or `console:`. "
        "Empty: files in DATA_DIR/mail",
    ),
    Variable("EMAIL_FROM", "portal@localhost", "Sender address of the portal's e-mails"),
    Variable("DEBUG", "0", "Django's debug pages; refused in production"),
    Variable("LOG_LEVEL", "INFO", "Lowest level that is logged"),
    Variable(
        "STORE_REQUESTS_A_MINUTE",
        "12000",
        "Store requests that an organization may send in a minute; 0 counts none",
    ),
    Variable(
        "REST_REQUESTS_A_MINUTE",
        "1200",
        "Requests to /api/v1/ that a client or a person may send in a minute; 0 counts none",
    ),
    Variable(
        "MISSES_A_MINUTE",
        "120",
        "Studies that may be not found for a person or token in a minute; 0 counts none",
    ),
    Variable("STORE_QUOTA_BYTES", "0", "Bytes of images that an organization may hold; 0: no end"),
    Variable(
        "REJECTED_KEEP_DAYS",
        "30",
        "How long rejected and replaced images can be taken back before their bytes are purged",
    ),
    Variable(
        "HTJ2K_AHEAD",
        "1",
        "1 when images are encoded as HTJ2K ten minutes after they settled, for viewers that ask",
    ),
    Variable(
        "AUDIT_KEY",
        "",
        "Signs the heads of the access log: 64 hex digits, the same on each machine. "
        "Empty: made once in DATA_DIR",
    ),
    Variable(
        "AUDIT_ANCHOR_FILE",
        "",
        "File that the signed heads are appended to, best on a disk that forgets nothing. "
        "Empty: audit-heads.ndjson in DATA_DIR",
    ),
    Variable(
        "AUDIT_ANCHOR_S3",
        "",
        "Bucket with object lock that heads are kept in, as for BLOB_STORAGE. Empty: none",
    ),
    Variable(
        "AUDIT_SYSLOG",
        "",
        "Syslog server that gets the access log: `tls://host:6514?ca=file&cert=file&key=file`. "
        "Empty: none",
    ),
    Variable(
        "AUDIT_KEEP_YEARS",
        "6",
        "Years that the access log is kept and its heads are locked; 6 or more",
    ),
    Variable(
        "OUTGOING_ALLOWED",
        "",
        "Where the portal may send to though it is not public: `host:port` or `10.20.0.0/16`, "
        "with commas. Empty: public addresses only, and HTTP with TLS",
    ),
    Variable(
        "TRUST_PROXY",
        "0",
        "1 when a reverse proxy sets X-Forwarded-Proto and X-Forwarded-For, and only then",
    ),
)
_DEFAULTS = {variable.name: variable.default for variable in VARIABLES}


@dataclass(frozen=True, slots=True)
class Environment:
    """Reads the variables of one mapping; asking for an undeclared name is a programming error."""

    values: Mapping[str, str]

    def text(self, name: str) -> str:
        """The value, stripped; the declared default where unset or empty."""
        return self.values.get(name, "").strip() or _DEFAULTS[name]

    def flag(self, name: str) -> bool:
        """1/true/yes/on or 0/false/no/off."""
        value = self.text(name).lower()
        if value in {"1", "true", "yes", "on"}:
            return True
        if value in {"0", "false", "no", "off"}:
            return False
        raise EnvironmentMistake(f"{name} must be 0 or 1")

    def choice(self, name: str, allowed: tuple[str, ...]) -> str:
        """One of the allowed words."""
        value = self.text(name)
        if value not in allowed:
            raise EnvironmentMistake(f"{name} must be one of: {', '.join(allowed)}")
        return value

    def several(self, name: str) -> list[str]:
        """What stands between the commas."""
        return [each.strip() for each in self.text(name).split(",") if each.strip()]

    def number(self, name: str) -> int:
        """A whole number, not below zero."""
        value = self.text(name)
        if not (value.isascii() and value.isdigit()):
            raise EnvironmentMistake(f"{name} must be a whole number")
        return int(value)

    def folder(self, name: str) -> Path:
        """An absolute path; relative ones start at the checkout."""
        return (BASE_DIR / Path(self.text(name)).expanduser()).resolve()


def here() -> Environment:
    """The process's own environment."""
    return Environment(os.environ)


def database(url: str, data_dir: Path) -> dict[str, Any]:
    """Django's DATABASES entry for a DATABASE_URL; SQLite is set up so that a commit is durable."""
    parts = urlsplit(url or f"sqlite:///{data_dir / 'portal.sqlite3'}")
    if parts.scheme == "sqlite":
        return _sqlite(unquote(parts.path)[1:] if parts.netloc == "" else "")
    if parts.scheme in {"postgres", "postgresql"}:
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": unquote(parts.path.lstrip("/")),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": dict(parse_qsl(parts.query)).get("host", parts.hostname or ""),
            "PORT": str(parts.port or ""),
            "CONN_MAX_AGE": 0,  # the pool keeps them
            "CONN_HEALTH_CHECKS": True,  # free of cost: portal/database.py
            "OPTIONS": CONNECT
            | {
                "pool": POOL | {"connection_class": Watchful},
                "prepare_threshold": 0,  # for sharing.kernel.sql: planning a fence takes a while
            },
        }
    raise EnvironmentMistake("DATABASE_URL must start with sqlite:// or postgres://")


def owner(url: str, owner_url: str, data_dir: Path) -> dict[str, Any]:
    """The entry for DATABASE_OWNER_URL; none where it says nothing, or there are no roles."""
    is_served_by = database(url, data_dir)["ENGINE"]
    if not owner_url or is_served_by.endswith("sqlite3"):
        return {}
    return database(owner_url, data_dir)


def _sqlite(path: str) -> dict[str, Any]:
    if not path:
        raise EnvironmentMistake("DATABASE_URL for SQLite is sqlite:///path (three slashes)")
    return {
        "ENGINE": "portal.sqlite3",
        "NAME": BASE_DIR / path,
        "CONN_MAX_AGE": None,  # opening the file anew for each request takes longer than a frame
        "OPTIONS": {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",  # as portal/sqlite3 begins each of them
            # FULL: WAL alone would lose the last commits at a power cut, after we had answered.
            # Reading through a map of the file's beginning spares a call for each page of a search.
            # Pages go home from the log after 32 MB of it: deliveries change the same index pages
            # again and again, and after 4 MB, SQLite's own measure, nearly each commit stops to
            # carry them (a sixth of the time of small studies; reading takes the same).
            "init_command": (
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA mmap_size=134217728;"
                " PRAGMA wal_autocheckpoint=8000;"
            ),
        },
    }


def email(url: str, data_dir: Path) -> dict[str, Any]:
    """Django's EMAIL_* settings for an EMAIL_URL."""
    parts = urlsplit(url or f"file://{data_dir / 'mail'}")
    backends = "django.core.mail.backends"
    if parts.scheme == "file":
        return {
            "EMAIL_BACKEND": f"{backends}.filebased.EmailBackend",
            "EMAIL_FILE_PATH": unquote(parts.path),
        }
    if parts.scheme == "console":
        return {"EMAIL_BACKEND": f"{backends}.console.EmailBackend"}
    if parts.scheme != "smtp" or not parts.hostname:
        raise EnvironmentMistake("EMAIL_URL must start with smtp://, file:// or be console:")
    query = dict(parse_qsl(parts.query))
    return {
        "EMAIL_BACKEND": f"{backends}.smtp.EmailBackend",
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": parts.port or 587,
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_TLS": query.get("tls") == "1",
        "EMAIL_USE_SSL": query.get("ssl") == "1",
        "EMAIL_TIMEOUT": 20,
    }


def blobs(value: str, data_dir: Path) -> tuple[str, Path]:
    """Where images are kept, and where they are received: (location, scratch folder).

    A folder of one's own gets both, since a rename into place works on one file system only.
    """
    if value.startswith("s3://"):
        parts = urlsplit(value)
        if not parts.hostname or not parts.path.strip("/"):
            raise EnvironmentMistake("BLOB_STORAGE is s3://key:secret@host:port/bucket")
        return value, data_dir / "tmp"
    if not value:
        return str(data_dir / "blobs"), data_dir / "tmp"
    return str(BASE_DIR / value / "blobs"), BASE_DIR / value / "scratch"


def broker(redis_url: str) -> str:
    """The Celery spelling of a REDIS_URL: kombu writes a socket as redis+socket://."""
    parts = urlsplit(redis_url)
    if parts.scheme == "unix":
        secret = f":{parts.password}@" if parts.password else ""
        return f"redis+socket://{secret}{parts.path}"
    return redis_url


def generated_key(data_dir: Path) -> str:
    """The key of an embedded portal: made once, readable by its owner only."""
    path = data_dir / "secret_key"
    data_dir.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="ascii").strip()
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(64))
    return path.read_text(encoding="ascii").strip()


def table() -> str:
    """The settings table of README.md, in Markdown."""
    rows = [
        f"| `{v.name}` | {f'`{v.default}`' if v.default else ''} | {v.meaning} |" for v in VARIABLES
    ]
    return "\n".join(["| variable | default | meaning |", "|---|---|---|", *rows])


if __name__ == "__main__":
    print(table())
