"""An organization's systems: their AE titles, and where C-ECHO may ask for them. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sharing.kernel.errors import BadValue

AE_TITLE = re.compile(r"[\x21-\x5b\x5d-\x7e]([\x20-\x5b\x5d-\x7e]{0,14}[\x21-\x5b\x5d-\x7e])?")
"""1 to 16 characters without a backslash (VR AE, PS3.5 6.2)."""
MOST = 20
_SEPARATORS = re.compile(r"[,;\n]")
_PLACE = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9.-]{1,253}):([1-9][0-9]{0,4})", re.IGNORECASE)


@dataclass(frozen=True)
class Device:
    """One system; without `host` it is known by name only and asked for nothing."""

    ae_title: str
    host: str = ""
    port: int = 0

    @property
    def place(self) -> str:
        """`host:port`, blank where none is given."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}" if self.host else ""

    @property
    def line(self) -> str:
        """As people write it: `PACS@pacs.riverside.example:11112`."""
        return f"{self.ae_title}@{self.place}" if self.host else self.ae_title


def devices_in(text: str) -> list[Device]:
    """What was written, one a line or separated by commas; each title once. Raises BadValue."""
    parts = filter(None, (part.strip() for part in _SEPARATORS.split(text)))
    found: dict[str, Device] = {}
    for part in parts:
        device = _device(part)
        found.setdefault(device.ae_title, device)
    if len(found) > MOST:
        raise BadValue(f"Give {MOST} at most; more can be added later.")
    return list(found.values())


def devices_of(ae_titles: Iterable[str], places: Mapping[str, str]) -> list[Device]:
    """What is kept, as values."""
    return [_at(title, places.get(title, "")) or Device(title) for title in ae_titles]


def _device(written: str) -> Device:
    title, sign, place = written.partition("@")
    device = _at(title, place) if sign else Device(written)
    if device is None:
        raise BadValue("Write an address as AE title, @, name, colon, port.")
    if not AE_TITLE.fullmatch(device.ae_title):
        raise BadValue("An AE title has 1 to 16 plain characters and no backslash.")
    return device


def _at(title: str, place: str) -> Device | None:
    found = _PLACE.fullmatch(place)
    if found is None or int(found[2]) > 65535:
        return None
    return Device(title, found[1].strip("[]").lower(), int(found[2]))
