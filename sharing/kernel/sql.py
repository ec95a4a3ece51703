"""Queries of the hot paths: raw rows by the driver itself, on the connection that Django holds.

Django's cursor rewrites the placeholders of a query each time, which for a fence of five thousand
characters takes twenty times as long as the query. Here a text is rewritten once, and PostgreSQL
keeps its plan. Whoever captures queries or wraps them (tests, tracing) gets Django's own cursor.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from itertools import count
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections
from psycopg import RawCursor

Row = tuple[Any, ...]
AT_ONCE = 500
"""How many identifiers one query asks for."""
Value = TypeVar("Value")


def rows(sql: str, params: Sequence[Any] = ()) -> list[Row]:
    """All rows of a query whose values are bound by %s, in Django's own transaction if any.

    Values come as the driver makes them: on SQLite a moment is naive and in UTC.
    Raises django.db.DatabaseError.
    """
    held = connections[DEFAULT_DB_ALIAS]  # the proxy looks this up for each attribute
    held.ensure_connection()
    if held.queries_logged or held.execute_wrappers:
        with held.cursor() as cursor:
            cursor.execute(sql, params)
            found: list[Row] = cursor.fetchall()
            return found
    ask = _sqlite if vendor() == "sqlite" else _postgresql
    with held.wrap_database_errors:
        return ask(held.connection, sql, params)


@lru_cache(maxsize=1)
def vendor() -> str:
    """`sqlite` or `postgresql`: a process has one database, and looking it up has its price."""
    return connections[DEFAULT_DB_ALIAS].vendor


def moment(at: datetime) -> datetime | str:
    """A moment as the driver takes it: SQLite keeps naive text in UTC (TIME_ZONE is UTC)."""
    if vendor() != "sqlite":
        return at
    there = at if at.tzinfo is UTC else at.astimezone(UTC)
    return there.isoformat(" ")[: -len("+00:00")]


def write(sql: str, values: Sequence[Sequence[Any]]) -> None:
    """One statement for each tuple of values, sent together, in the transaction around it.

    Raises django.db.DatabaseError.
    """
    if values:
        with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
            cursor.executemany(sql, values)


def chunks(values: Sequence[Value], most: int = AT_ONCE) -> Iterator[Sequence[Value]]:
    """The values in their order, in lists short enough for one query."""
    return (values[start : start + most] for start in range(0, len(values), most))


def marks(values: Sequence[object]) -> str:
    """A mark for each value, for an IN."""
    return ", ".join(["%s"] * len(values))


def _sqlite(driver: Any, sql: str, params: Sequence[Any]) -> list[Row]:
    found: list[Row] = driver.execute(_with_marks(sql), params).fetchall()
    return found


def _postgresql(driver: Any, sql: str, params: Sequence[Any]) -> list[Row]:
    with RawCursor(driver) as cursor:
        return cursor.execute(_with_numbers(sql), params, prepare=True).fetchall()


@lru_cache(maxsize=512)
def _with_marks(sql: str) -> str:
    return sql.replace("%s", "?").replace("%%", "%")


@lru_cache(maxsize=512)
def _with_numbers(sql: str) -> str:
    first, *others = sql.split("%s")
    numbers = count(1)
    return (first + "".join(f"${next(numbers)}{text}" for text in others)).replace("%%", "%")
