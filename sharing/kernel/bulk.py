"""Many rows in one statement, without an object each: for services whose rows come by the hundred,
or whose requests do.

The columns are the model's own, so a migration can't pass these statements by.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from functools import lru_cache
from typing import Any

from django.db import connection
from django.db.models import Field, Model
from django.db.models.fields import NOT_PROVIDED

from .sql import Row, vendor
from .sql import rows as raw

_PREPARED = frozenset({"DateField", "DateTimeField", "JSONField"})
"""Columns whose Python values are not what the driver takes."""


def insert(
    model: type[Model], names: Sequence[str], rows: Iterable[Sequence[Any]], *, ignore: bool = False
) -> int:
    """Insert rows whose values stand in the order of `names` (`patient_id` for a foreign key).

    Returns how many there are more. Columns that are not named get their field's default. `ignore`
    leaves rows out that a unique constraint refuses; nothing else is forgiven.
    Raises IntegrityError.
    """
    statement, rest, converters = _plan(model, tuple(names), ignore, vendor())
    constants = [_prepared(field, field.get_default()) for field in rest]
    made = [[*row, *constants] for row in rows]
    for place, field in converters:
        _prepare(field, place, made)
    if not made:
        return 0
    with connection.cursor() as cursor:
        cursor.executemany(statement, made)
        return int(cursor.rowcount)


@lru_cache(maxsize=64)
def _plan(
    model: type[Model], names: tuple[str, ...], ignore: bool, vendor: str
) -> "tuple[str, list[Field[Any, Any]], list[tuple[int, Field[Any, Any]]]]":
    """The statement, the fields that get their default, and the places that are converted."""
    columns = {field.attname: field for field in model._meta.concrete_fields}
    named = [columns.pop(name) for name in names]
    made = [f for f in columns.values() if f.primary_key or f.has_db_default() or f.generated]
    rest = [f for f in columns.values() if f not in made]
    if any(field.unique or _has_none(field) for field in rest):
        raise ValueError("a column that has no constant default must be named")
    quote = connection.ops.quote_name
    listed = ", ".join(quote(str(field.column)) for field in (*named, *rest))
    marks = ", ".join(["%s"] * (len(named) + len(rest)))
    statement = f"INSERT INTO {quote(model._meta.db_table)} ({listed}) VALUES ({marks})"  # noqa: S608
    if ignore:
        statement += " ON CONFLICT DO NOTHING"
    converters = [(i, f) for i, f in enumerate(named) if f.get_internal_type() in _PREPARED]
    return statement, rest, converters


def _has_none(field: "Field[Any, Any]") -> bool:
    return field.default is NOT_PROVIDED and not field.null and not field.blank


def _prepared(field: "Field[Any, Any]", value: Any) -> Any:
    prepare: Callable[..., Any] = field.get_db_prep_save
    return prepare(value, connection)


def _prepare(field: "Field[Any, Any]", place: int, rows: list[list[Any]]) -> None:
    """One column of all rows; the rows of a delivery share most of their moments."""
    known: dict[Any, Any] = {}
    for row in rows:
        value = row[place]
        if isinstance(value, dict | list):
            row[place] = _prepared(field, value)
        else:
            if value not in known:
                known[value] = _prepared(field, value)
            row[place] = known[value]


def update(
    model: type[Model],
    names: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    raised: Collection[str] = (),
) -> None:
    """Set the columns `names` of many rows: each is its values in that order, then its key.

    Those in `raised` are counters, to which the value is added.
    """
    quote = connection.ops.quote_name
    known = {field.attname: field for field in model._meta.concrete_fields}
    fields = [known[name] for name in names]
    columns = [(quote(str(field.column)), field.name in raised) for field in fields]
    words = ", ".join(f"{c} = {c} + %s" if added else f"{c} = %s" for c, added in columns)
    made = [list(row) for row in rows]
    for place, field in enumerate(fields):
        if field.get_internal_type() in _PREPARED:
            _prepare(field, place, made)
    if made:
        table = quote(model._meta.db_table)
        with connection.cursor() as cursor:
            cursor.executemany(f"UPDATE {table} SET {words} WHERE id = %s", made)  # noqa: S608


def read(
    model: type[Model],
    names: Sequence[str],
    condition: str,
    params: Sequence[Any],
    *,
    lock: bool = False,
) -> list[Row]:
    """The rows that a condition in SQL fits, with the values that the model's fields make of them.

    `names` are attributes (`patient_id` for a foreign key); values are bound by %s. `lock` holds
    the rows until the transaction ends, where the database locks rows. The ORM takes a millisecond
    to put such a question together, each time.
    """
    question, made = _question(model, tuple(names), vendor())
    locked = " FOR UPDATE" if lock and vendor() == "postgresql" else ""
    found = raw(f"{question} WHERE {condition}{locked}", params)
    return [_converted(row, made) for row in found] if made else found


_Made = tuple[tuple[int, Any, tuple[Callable[..., Any], ...]], ...]


@lru_cache(maxsize=64)
def _question(model: type[Model], names: tuple[str, ...], vendor: str) -> tuple[str, _Made]:
    """The statement up to its condition, and what makes values of what the driver gives."""
    known = {field.attname: field for field in model._meta.concrete_fields}
    table, quote = model._meta.db_table, connection.ops.quote_name
    columns = [known[name].get_col(table) for name in names]
    makers = [
        (*connection.ops.get_db_converters(column), *column.get_db_converters(connection))
        for column in columns
    ]
    places = zip(range(len(columns)), columns, makers, strict=True)
    listed = ", ".join(quote(str(column.target.column)) for column in columns)
    return f"SELECT {listed} FROM {quote(table)}", tuple(each for each in places if each[2])  # noqa: S608 - our own names


def _converted(row: Row, made: _Made) -> Row:
    values = list(row)
    for place, column, makers in made:
        for maker in makers:
            values[place] = maker(values[place], column, connection)
    return tuple(values)
