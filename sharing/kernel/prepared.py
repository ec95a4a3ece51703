"""Querysets that are compiled once: what hot paths ask of Django's models with ever other keys.

Django puts a queryset's text together each time, which takes it twenty times as long as the
database takes to answer. Here that is done once for each number of keys; how a row becomes a model
is left to Django.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, count
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Model, QuerySet
from django.db.models.query import get_related_populators
from django.db.models.sql.compiler import SQLCompiler

from .sql import rows

NOBODY = 0
"""A key that no row has: what it asks for in vain is asked for all the same."""
Kind = TypeVar("Kind", bound=Model)
_populators: Any = get_related_populators  # the types know a later Django's


def prepared(
    make: Callable[..., "QuerySet[Kind]"], *keys: Iterable[int] | Iterable[str]
) -> list[Kind]:
    """The rows of the queryset that `make` returns for these lists of keys, in its order.

    `make` is a function of a module, takes a list of integers, or of texts, for each of `keys`, and
    uses them in conditions alone (`__in`). The database is asked as well where a list of integers
    is empty. Raises django.db.DatabaseError.
    """
    lists = [_filled(each) for each in keys]
    shape = ((type(each[0]), len(each)) for each in lists)
    ready: _Ready[Kind] = _compiled(make, *shape)
    return list(ready.asked(list(chain.from_iterable(lists))))


def _filled(keys: Iterable[Any]) -> list[Any]:
    """Once each, and up to a power of two, so that few numbers of keys are ever compiled."""
    known: list[Any] = sorted(set(keys)) or [NOBODY]
    return known + known[-1:] * ((1 << (len(known) - 1).bit_length()) - len(known))


@dataclass(frozen=True)
class _Ready(Generic[Kind]):
    """A compiled queryset: its text, what is bound, and which places of it take which key."""

    compiler: SQLCompiler
    sql: str
    params: Sequence[Any]
    places: Sequence[tuple[int, int]]

    def asked(self, keys: Sequence[Any]) -> Iterator[Kind]:
        """The rows about these keys, as models with what `select_related` joined."""
        bound = list(self.params)
        for place, which in self.places:
            bound[place] = keys[which]
        return self._models(rows(self.sql, bound))

    def _models(self, found: list[Any]) -> Iterator[Kind]:
        """As Django's own `ModelIterable` does."""
        compiler = copy(self.compiler)
        compiler.connection = connections[DEFAULT_DB_ALIAS]
        known: Any = compiler.klass_info
        own = slice(known["select_fields"][0], known["select_fields"][-1] + 1)
        names = [column.target.attname for column, *_ in compiler.select[own]]
        related = _populators(known, compiler.select, DEFAULT_DB_ALIAS)
        for row in compiler.results_iter([found]):
            made: Any = known["model"].from_db(DEFAULT_DB_ALIAS, names, row[own])
            for each in related:
                each.populate(row, made)
            for name, column in compiler.annotation_col_map.items():
                setattr(made, name, row[column])
            yield made


@lru_cache(maxsize=512)
def _compiled(
    make: Callable[..., "QuerySet[Kind]"], *shape: tuple[type[int] | type[str], int]
) -> _Ready[Kind]:
    """`shape` is the type and the number of each list's keys."""
    slots = count(-9_100_000_000, -1)  # they stand in for keys while compiling
    lists = [[kind(next(slots)) for _ in range(size)] for kind, size in shape]
    compiler: Any = make(*lists).query.get_compiler(DEFAULT_DB_ALIAS)
    sql, params = compiler.as_sql()
    compiler.connection = None  # each asks on its own thread's
    which = {slot: number for number, slot in enumerate(chain.from_iterable(lists))}
    places = [(place, which[value]) for place, value in enumerate(params) if value in which]
    return _Ready(compiler, sql, params, places)
