"""Reading a resource that was sent: what is not understood is refused, never left out. Pure."""

import base64
import binascii
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from .errors import ResourceInvalid

_ANYWHERE = frozenset({"id"})


class Reader:
    """One element of a resource. What was not asked for when it is `done` is refused."""

    def __init__(self, element: Any) -> None:
        if not isinstance(element, dict):
            raise ResourceInvalid()
        self.element = element
        self.read: set[str] = set()

    def skip(self, *names: str) -> None:
        """What may be there and says nothing that is kept."""
        self.read.update(names)

    def done(self) -> None:
        """Raise ResourceInvalid for what nobody asked for."""
        if set(self.element) - self.read - _ANYWHERE:
            raise ResourceInvalid()

    def one(self, name: str) -> "Reader | None":
        """An element with parts of its own."""
        value = self._value(name)
        return None if value is None else Reader(value)

    def many(self, name: str) -> Iterator["Reader"]:
        """The same of a list."""
        yield from (Reader(each) for each in self._list(name))

    def text(self, name: str, *, most: int = 300) -> str:
        """A string; blank where there is none."""
        value = self._value(name)
        if value is None:
            return ""
        if not isinstance(value, str) or len(value) > most or not value.isprintable():
            raise ResourceInvalid()
        return value

    def number(self, name: str) -> int:
        """A positive number."""
        value = self._value(name)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 1000:
            raise ResourceInvalid()
        return value

    def flag(self, name: str) -> bool:
        """True or false; absent is false."""
        return self._value(name) is True

    def data(self, name: str) -> bytes:
        """Base64."""
        value = self._value(name)
        if not isinstance(value, str):
            return b""
        try:
            return base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            raise ResourceInvalid() from None

    def moment(self, name: str, *, end: bool = False) -> datetime | None:
        """A dateTime in UTC; a day alone is its beginning or, as an `end`, its last moment."""
        value = self.text(name)
        if not value:
            return None
        try:
            if len(value) == 10:
                day = datetime.combine(date.fromisoformat(value), datetime.min.time(), UTC)
                return day + timedelta(days=1) if end else day
            found = datetime.fromisoformat(value)
            if found.tzinfo is None:
                raise ResourceInvalid()
            return found.astimezone(UTC)
        except (ValueError, OverflowError):
            raise ResourceInvalid() from None

    def day(self, name: str) -> date | None:
        """A date."""
        value = self.text(name)
        try:
            return date.fromisoformat(value) if value else None
        except ValueError:
            raise ResourceInvalid() from None

    def coding(self) -> tuple[str, str]:
        """(system, code) of a Coding."""
        found = self.text("system"), self.text("code")
        self.skip("display", "version", "userSelected")
        self.done()
        return found

    def codings(self) -> list[tuple[str, str]]:
        """Those of a CodeableConcept."""
        found = [each.coding() for each in self.many("coding")]
        self.skip("text")
        self.done()
        return found

    def _value(self, name: str) -> Any:
        self.read.add(name)
        return self.element.get(name)

    def _list(self, name: str) -> list[Any]:
        value = self._value(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise ResourceInvalid()
        return value
