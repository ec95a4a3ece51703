"""Whoever wants to write to SQLite waits for the writer before, and is let in when it is done."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from django.db import OperationalError, transaction
from django.db.utils import ConnectionHandler

from portal import env


@pytest.fixture
def database(tmp_path: Path, db: None) -> Iterator[Any]:
    """A connection as the portal's own are made, to a file of one table."""
    made = ConnectionHandler({"default": env.database("", tmp_path)})["default"]
    made.inc_thread_sharing()
    with made.cursor() as cursor:
        cursor.execute("CREATE TABLE seen (who TEXT)")
    yield made
    made.close()


def other(database: Any) -> sqlite3.Connection:
    """A writer of another process."""
    return sqlite3.connect(
        database.settings_dict["NAME"], isolation_level=None, check_same_thread=False
    )


def begin(database: Any) -> None:
    database.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)


def test_a_transaction_begins_when_the_one_before_ends(database: Any) -> None:
    first = other(database)
    first.execute("BEGIN IMMEDIATE")
    first.execute("INSERT INTO seen VALUES ('first')")
    begun = Event()

    def second() -> None:
        begin(database)
        begun.set()

    waiting = Thread(target=second)
    waiting.start()
    assert not begun.wait(0.05), "two transactions wrote at once"
    first.execute("COMMIT")
    waiting.join()
    assert begun.is_set()
    with database.cursor() as cursor:
        cursor.execute("INSERT INTO seen VALUES ('second')")
        database.commit()
        cursor.execute("SELECT who FROM seen")
        assert cursor.fetchall() == [("first",), ("second",)]
    first.close()


def test_it_waits_no_longer_than_the_connection_may(database: Any) -> None:
    first = other(database)
    first.execute("BEGIN IMMEDIATE")
    database.settings_dict["OPTIONS"]["timeout"] = 0.02
    with pytest.raises(OperationalError, match="locked"):
        begin(database)
    first.execute("ROLLBACK")
    first.close()


def test_statements_outside_transactions_wait_as_long_as_before(database: Any) -> None:
    begin(database)
    database.rollback()
    assert database.connection.execute("PRAGMA busy_timeout").fetchone() == (20_000,)


def test_a_transaction_within_a_transaction_is_refused_at_once(database: Any) -> None:
    database.connection.execute("BEGIN IMMEDIATE")
    with pytest.raises(OperationalError, match="within a transaction"):
        begin(database)
    database.connection.execute("ROLLBACK")


@pytest.mark.usefixtures("committing")
def test_the_portal_itself_writes_through_that_queue() -> None:
    connection = transaction.get_connection()
    if connection.vendor == "sqlite":
        assert type(connection).__module__ == "portal.sqlite3.base"
