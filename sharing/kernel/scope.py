"""For whom the database is asked: what PostgreSQL's row-level security compares rows with.

Each entry says it once: a request after its actor is known, a task, a command. Who says nothing
sees no row of a patient. The connection tells the server before a query whose scope is another
than that of the query before (portal/database.py), so nothing has to be remembered or put back.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

NOBODY = ""
HOUSE = "house"
"""The portal itself: its tasks, its commands, and the few questions that know no organization."""
_scope: ContextVar[str] = ContextVar("scope", default=NOBODY)
Value = TypeVar("Value")


def current() -> str:
    """The scope of what runs here now."""
    return _scope.get()


def of(organization_id: int, user_id: int | None) -> str:
    """The scope of a person or a machine of that organization, and of what is said of all."""
    person = f"u{int(user_id)}," if user_id else ""
    return f"o{int(organization_id)},{person}*"


def of_link(name: str) -> str:
    """The scope of whoever bears a link, by its public id: nobody's, but for what it was given."""
    if not re.fullmatch("[A-Za-z0-9_-]+", name):
        raise ValueError("a link's public id is letters, digits and - or _")
    return f"l{name}"


def organization(scope: str) -> str:
    """The key of the organization of such a scope, blank where it has none."""
    return scope[1:].partition(",")[0] if scope.startswith("o") else ""


@contextmanager
def within(scope: str) -> Iterator[None]:
    """All that is asked inside is asked in that scope, and what comes after in the one before.

    Never around a `yield` of a generator: its reader would go on in it. See `lent`.
    """
    token = _scope.set(scope)
    try:
        yield
    finally:
        _scope.reset(token)


@contextmanager
def as_house() -> Iterator[None]:
    """The portal asks on its own account; say beside each use why the actor's scope can't."""
    with within(HOUSE):
        yield


def lent(scope: str, parts: Iterable[Value]) -> Iterator[Value]:
    """The same parts, each one made within the scope: a stream is read after its request."""
    source = iter(parts)
    nothing = object()
    while True:
        with within(scope):
            part = next(source, nothing)
        if part is nothing:
            return
        yield part  # type: ignore[misc]


def bound(scope: str, act: Callable[[], None]) -> Callable[[], None]:
    """The same act, done within the scope whoever calls it."""

    def done() -> None:
        with within(scope):
            act()

    return done
