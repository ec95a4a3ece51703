"""What a type of this face is: whose rows, which parameters, how a row is written.

`KINDS` is filled by the modules of the types (`registry`), so that one type may lead to another.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet

from .matching import Asking, Param
from .words import Json, fhir_id

Rows = QuerySet[Any]


@dataclass(frozen=True)
class Include:
    """Where an included resource is found: the kind, and its names in a row."""

    kind: str
    names: Callable[[Any], Iterable[str]]


@dataclass(frozen=True)
class Sort:
    """An order that pages can be cut from: a column, and what type its value is in a cursor."""

    column: str
    falling: bool = False


@dataclass(frozen=True)
class Kind:
    """One resource type.

    `rows` are all that the asker may know of, and nothing else is ever counted, searched or
    included. `told` writes some of them, `opened` reads one and leaves its line in the access log.
    """

    name: str
    rows: Callable[[Asking], Rows]
    told: Callable[[Asking, Sequence[Any]], list[Json]]
    params: Mapping[str, Param]
    summary: tuple[str, ...]
    required: tuple[str, ...] = ()
    key: str = "public_id"
    opened: Callable[[Asking, str], Any] | None = None
    checked: Callable[[Asking, Sequence[Any]], list[Any]] | None = None
    """What is still allowed of a page, decided again row by row."""
    includes: Mapping[str, Include] = field(default_factory=dict)
    sorts: Mapping[str, Sort] = field(default_factory=dict)
    default_sort: Sort | None = None
    written: tuple[str, ...] = ()
    """Interactions beyond read and search: create, update, delete, history."""
    versioning: str = "versioned"
    documentation: str = ""
    search_logged: Callable[[Asking], None] | None = None

    def names(self, row: Any) -> str:
        """The row's own name, by which it is sought."""
        return str(_along(row, self.key))

    def id_of(self, row: Any) -> str:
        """The id of its resource."""
        return fhir_id(self.names(row))

    def find(self, asking: Asking, name: str) -> Any | None:
        """The row of that name, of all that the asker may know of."""
        return self.rows(asking).filter(**{self.key: name}).first() if name else None


def _along(row: Any, path: str) -> Any:
    for step in path.split("__"):
        row = getattr(row, step)
    return row


KINDS: dict[str, Kind] = {}


def register(kind: Kind) -> Kind:
    """Make a type known."""
    KINDS[kind.name] = kind
    return kind
