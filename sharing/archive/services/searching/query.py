"""What is asked, what is found, and the pieces that a SELECT is put together from."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sharing.archive.sql import marks
from sharing.kernel.sql import vendor

STUDY = "archive_study"
MOST = 1000
"""Rows of one answer; whoever wants more asks for the next page."""
Bound = tuple[str, list[Any]]


@dataclass(frozen=True)
class Query:
    """Matching keys by keyword, or by keywords with points below a sequence; and what is wanted."""

    keys: dict[str, str]
    custodian: str = ""  # the code of the only organization whose studies are meant
    limit: int = MOST
    offset: int = 0
    fuzzy: bool = False
    empty: bool = False
    several: bool = False
    also: dict[str, str] = field(default_factory=dict)
    """Keys that stand beside one of `keys` on the same attribute: both must match."""
    stored: dict[tuple[str, ...], str] = field(default_factory=dict)
    """Keys by path of tags, to be matched in the stored metadata below a named study."""
    include: bool = False
    """Whether the stored metadata of each row is wanted, too."""

    @property
    def is_whole_series(self) -> bool:
        """Whether all is asked that one named series of one named study holds, from the first."""
        beyond = self.also or self.stored or self.include or self.offset
        return self.keys.keys() == {"StudyInstanceUID", "SeriesInstanceUID"} and not beyond

    @property
    def page(self) -> int:
        """How many rows may be given."""
        return min(self.limit, MOST)


@dataclass(frozen=True)
class Found:
    """Rows as the search of its level says; whether more remain; the metadata of each row."""

    rows: list[tuple[Any, ...]]
    more: bool = False
    metadata: list[bytes | None] = field(default_factory=list)
    unmatched: bool = False  # the keys of `stored` were left out: too much would have to be read


def exact(column: str) -> str:
    """The column by code points, whatever the database's language."""
    return f'{column} COLLATE "C"' if vendor() == "postgresql" else column


def like(column: str, pattern: str) -> Bound:
    """A column that fits a pattern with * and ?; case matters, on both databases."""
    if vendor() == "postgresql":
        escaped = re.sub(r"([!%_])", r"!\1", pattern).replace("*", "%").replace("?", "_")
        return f"{column} LIKE %s ESCAPE '!'", [escaped]
    return f"{column} GLOB %s", [pattern.replace("[", "[[]")]


def among(column: str, values: list[Any]) -> Bound:
    """A column that is one of the values."""
    return f"{column} IN ({marks(values)})", list(values)


def any_of(conditions: list[Bound]) -> Bound:
    """One condition or another."""
    if len(conditions) == 1:
        return conditions[0]
    sql = " OR ".join(f"({text})" for text, _ in conditions)
    return f"({sql})", [value for _, values in conditions for value in values]


@dataclass(frozen=True)
class Order:
    """One part of an order: an expression that is never NULL."""

    sql: str
    falling: bool = False


@dataclass
class Select:
    """Tables in the order in which they are to be walked, conditions, and an order of rows."""

    tables: list[str]
    order: list[Order]
    table_params: list[Any] = field(default_factory=list)
    where: list[str] = field(default_factory=list)
    params: list[Any] = field(default_factory=list)
    custodian: int | None = None
    """Whose all its rows are, where that is known before they are read."""

    def add(self, *conditions: Bound) -> "Select":
        """Narrow it."""
        for sql, values in conditions:
            self.where.append(sql)
            self.params += values
        return self

    def join(self, table: str, on: str) -> "Select":
        """One more table, walked after the others."""
        if table not in self.tables:
            self.tables.append(table)
            self.where.append(on)
        return self

    def text(self, columns: list[str], *, most: int, start: int = 0, placed: bool = False) -> Bound:
        """The statement for `columns`; `placed`: behind the order's expressions (see `place`).

        CROSS JOIN is what makes SQLite walk the tables as they stand; PostgreSQL takes it for an
        inner join and chooses by its statistics.
        """
        before = [part.sql for part in self.order] if placed else []
        chosen = ", ".join([*before, *columns])
        order = ", ".join(part.sql + (" DESC" if part.falling else "") for part in self.order)
        sql = (
            f"SELECT {chosen} FROM {' CROSS JOIN '.join(self.tables)}"  # noqa: S608
            f" WHERE {' AND '.join(self.where)} ORDER BY {order} LIMIT %s OFFSET %s"
        )
        return sql, [*self.table_params, *self.params, most, start]

    def place(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        """Where a placed row stands in the order, comparable with rows of other selects."""
        return tuple(
            -value if part.falling else value for part, value in zip(self.order, row, strict=False)
        )


def one_by_one(studies: Sequence[int], order: list[Order]) -> Select:
    """Exactly these studies are looked at, by key, whatever a planner thinks of the rest."""
    on = ["archive_study.id = picked.value"]
    if vendor() == "postgresql":
        table, values = "unnest(%s::bigint[]) AS picked(value)", list(studies)
        return Select([table, STUDY], order, [values], on)
    text = f"[{','.join(map(str, studies))}]"
    return Select(["json_each(%s) picked", STUDY], order, [text], on)
