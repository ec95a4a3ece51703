"""What `login` keeps: readable by its owner alone, renewed by one command at a time."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .clients import Client
from .errors import PortalError
from .tokens import Machine, Person, Store, Tokens

try:
    import fcntl
except ImportError:  # not on Windows: there two commands at once may have to sign in again
    fcntl = None  # type: ignore[assignment]


def place() -> Path:
    """Where it is kept."""
    folder = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(folder) / "imaging-sharing" / "login.json"


def keep(told: dict[str, Any]) -> None:
    """Never readable by others, not even for a moment."""
    path = place()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(told, file)
    draft.replace(path)


def read() -> dict[str, Any]:
    """What is kept. Raises PortalError where nobody signed in."""
    try:
        told: dict[str, Any] = json.loads(place().read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise PortalError("Sign in first: imaging-sharing login https://portal.example") from None
    return told


class File(Store):
    """The file, as the store of tokens."""

    @contextmanager
    def alone(self) -> Iterator[dict[str, Any]]:
        """Other commands wait: a refresh token that is used twice ends the sign-in."""
        descriptor = os.open(place().with_suffix(".lock"), os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            if fcntl is not None:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield read()
        finally:
            os.close(descriptor)

    def keep(self, told: dict[str, Any]) -> None:
        """Beside what was kept at the sign-in."""
        keep(read() | told)


def client() -> Client:
    """The client of who signed in; IMAGING_SHARING_URL and _TOKEN go before what is kept."""
    url, token = os.environ.get("IMAGING_SHARING_URL"), os.environ.get("IMAGING_SHARING_TOKEN")
    if url and token:
        return Client(url, token)
    told = read()
    return Client(told["url"], tokens_of(told))


def tokens_of(told: dict[str, Any], *, stored: bool = True) -> str | Tokens:
    """The token that was given, or those that renew themselves, and keep it where `stored`."""
    if "client" not in told:
        return str(told["token"])
    url, name = told["url"], told["client"]
    if "refresh" in told:
        made: Tokens = Person(url, name)
    else:
        proof = {each: told[each] for each in ("secret", "key") if told.get(each)}
        made = Machine(url, name, scopes=told.get("scopes", ""), **proof)
    made.take(told)
    if stored:
        made.store = File()
    return made
