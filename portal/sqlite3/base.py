"""The queue of those who want to write to SQLite, which has one writer at a time.

SQLite's own wait sleeps 1, 2, 5, 10, 15 and up to 100 ms between two looks, so with a few senders
at once the database stands idle for most of the time that they wait. Here a transaction looks again
after each millisecond.
"""

import sqlite3
import time

from django.db import OperationalError
from django.db.backends.sqlite3 import base

LOOK_AGAIN = 0.001
"""Seconds. A look takes about five microseconds; a short transaction with its sync, three ms."""
_BEGIN = "BEGIN IMMEDIATE"  # what reads, then writes, waits instead of failing


class DatabaseWrapper(base.DatabaseWrapper):
    """What Django's ENGINE names."""

    def _start_transaction_under_autocommit(self) -> None:
        """BEGIN IMMEDIATE as soon as the writer's place is free.

        Raises django.db.OperationalError when it was not within the connection's `timeout`.
        """
        patience = float(self.settings_dict["OPTIONS"].get("timeout", 5.0))
        until = time.monotonic() + patience
        self.connection.execute("PRAGMA busy_timeout = 0")
        try:
            while not self._begun():
                if time.monotonic() > until:
                    raise OperationalError("database is locked")
                time.sleep(LOOK_AGAIN)
        finally:
            self.connection.execute(f"PRAGMA busy_timeout = {round(patience * 1000)}")

    def _begun(self) -> bool:
        """Whether the transaction has begun; False while another one writes."""
        with self.wrap_database_errors:
            try:
                self.connection.execute(_BEGIN)
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                    raise
                return False
        return True
