"""Tests that really commit, because threads or a live server must see what was written.

The tables are emptied after such a test, which the append-only log refuses: its guards are away
while that happens, and back before the next test.
"""

from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module

import pytest
from django.conf import settings
from django.db import connection
from pytest_django.plugin import blocking_manager_key

from portal import rowlevel
from sharing.audit.spool import spool
from sharing.audit.windows import windows

GUARDS = [
    import_module(f"sharing.{name}")
    for name in (
        "audit.migrations.0002_append_only",
        "audit.migrations.0003_neither_emptied_nor_counted_down",
        "audit.migrations.0005_sealed_for_good",
        "audit.migrations.0007_expiring",
        "audit.migrations.0008_past",
        "consent.migrations.0005_what_was_said_stays_said",
        "archive.migrations.0011_labels_stay",
        "consent.migrations.0007_a_code_for_the_phone",
        "tenants.migrations.0008_moves_stay",
    )
]
_emptying = ExitStack()
"""Until the guards are back."""


@contextmanager
def owning() -> Iterator[None]:
    """As the owner of the tables, on this connection: also within a test's transaction."""
    if settings.DATABASE_ROLE:
        _run(["SET ROLE NONE"])
    yield
    if settings.DATABASE_ROLE:
        _run([f"SET ROLE {settings.DATABASE_ROLE}"])


def _run(statements: list[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def _take_guards_away() -> None:
    for guard in reversed(GUARDS):
        _run(guard.UNDO[connection.vendor])


def _put_guards_back() -> None:
    for guard in GUARDS:
        _run({"sqlite": guard.SQLITE, "postgresql": guard.POSTGRESQL}[connection.vendor])


@contextmanager
def without_guards() -> Iterator[None]:
    """Somebody who owns the database took the triggers away for a moment."""
    with owning():
        _take_guards_away()
        try:
            yield
        finally:
            _put_guards_back()


_guards_away = pytest.StashKey[bool]()


@pytest.fixture
def committing(request: pytest.FixtureRequest, transactional_db: None) -> Iterator[None]:
    """A database that commits, shared with other threads; the owner empties it."""
    yield
    _emptying.enter_context(rowlevel.as_owner())
    _take_guards_away()
    request.node.stash[_guards_away] = True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(
    item: pytest.Item, nextitem: pytest.Item | None
) -> Generator[None, None, None]:
    """After all fixtures of the test have ended; after the last test the database has, too.

    What the process remembers of the log goes with the log.
    """
    windows.forget()
    spool.forget()
    yield
    if nextitem is not None and item.stash.get(_guards_away, False):
        with item.config.stash[blocking_manager_key].unblock(), _emptying:
            _put_guards_back()
