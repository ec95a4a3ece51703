"""Hot paths ask in SQL, without an object per row; always inside the fence."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, TypeVar

from sharing.access import fence
from sharing.archive.models import Study
from sharing.kernel.purposes import Action
from sharing.kernel.sql import rows, write
from sharing.tenants.rules import Actor

__all__ = ["AT_ONCE", "chunks", "fence_sql", "marks", "rows", "write"]
AT_ONCE = 500
"""How many identifiers one query asks for."""
Value = TypeVar("Value")


def fence_sql(actor: Actor, action: Action, at: datetime) -> tuple[str, list[Any]] | None:
    """The condition, with its parameters, under which a row of `archive_study` is the actor's.

    For a WHERE over the table `archive_study` under its own name. None: closed to all.
    """
    return fence.fence(Study, actor, action, at)


def chunks(values: Sequence[Value], most: int = AT_ONCE) -> Iterator[Sequence[Value]]:
    """The values in their order, in lists short enough for one query."""
    return (values[start : start + most] for start in range(0, len(values), most))


def marks(values: Sequence[object]) -> str:
    """A mark for each value, for an IN."""
    return ", ".join(["%s"] * len(values))
