"""Whether what is said of one axis holds what a study shows: OR within an axis. Pure."""

from collections.abc import Iterable
from datetime import date


def on_axis(limit: frozenset[str], values: Iterable[str], unknown: bool = False) -> bool:
    """Whether one of the values is meant; `unknown` is the answer where there is none."""
    said = set(values)
    return not limit or bool(limit & said) or (unknown and not said)


def in_period(start: date | None, end: date | None, day: date | None, unknown: bool) -> bool:
    """Whether the day is meant; `unknown` is the answer where there is none."""
    if start is None and end is None:
        return True
    if day is None:
        return unknown
    return (start or day) <= day <= (end or day)
