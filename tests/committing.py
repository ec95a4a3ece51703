"""Tests that really commit, because threads or a live server must see what was written.

SQLite empties its tables by DELETE after such a test, which the append-only log refuses: the guard
is away while that happens, and back before the next test.
"""

from collections.abc import Generator, Iterator
from importlib import import_module

import pytest
from django.db import connection
from pytest_django.plugin import blocking_manager_key

LOG = import_module("sharing.audit.migrations.0002_append_only")


def _run(statements: list[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


@pytest.fixture
def committing(transactional_db: None) -> Iterator[None]:
    """A database that commits, shared with other threads."""
    yield
    if connection.vendor == "sqlite":
        _run(LOG.UNDO["sqlite"])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, None, None]:
    """After all fixtures of the test have ended."""
    yield
    committed = "committing" in getattr(item, "fixturenames", ())
    if committed and connection.vendor == "sqlite":
        with item.config.stash[blocking_manager_key].unblock():
            _run(LOG.SQLITE)
