"""A life cycle is a table `NEXT[(state, event)]`; this is the one way to read it."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from .errors import DomainError


class NotNow(DomainError):
    """The event has no place in the present state."""

    code = "not_now"
    message = "This step is not possible in the present state."


S = TypeVar("S", bound=StrEnum)
E = TypeVar("E", bound=StrEnum)


def step(table: Mapping[tuple[S, E], S], state: S, event: E) -> S:
    """The state after `event`. Raises NotNow where the table has no row."""
    try:
        return table[(state, event)]
    except KeyError:
        raise NotNow() from None
