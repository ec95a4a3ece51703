"""What makes a refusal cost the same, whether a study is hidden or was never there (A06).

An id that names nothing is decided about a study that stands in for it, always the same one for
the same id, so that nothing on file about a hidden patient takes a time that no absent id takes.
Each statement of the one way is a statement of the other: what one asks with an answer, the other
asks in vain, and the other way round.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache, partial
from typing import Any

from django.utils.crypto import salted_hmac

from sharing.access.rules import Subject
from sharing.archive.models import Series, Study
from sharing.archive.sql import rows
from sharing.kernel import scope

NOTHING = 0
"""A key that no study has."""
PARTS = 1 << 16
Bound = tuple[str, Sequence[Any]]
_ONE_OF_ALL = f"""SELECT id FROM archive_study
WHERE id >= (SELECT MAX(id) FROM archive_study) * %s / {PARTS} ORDER BY id LIMIT 1"""  # noqa: S608


def stand_in(asked: str) -> list[Study]:
    """The study that stands in for an id that names nothing; none in an empty archive."""
    return _owned(_drawn(asked))


def spend(asked: str) -> None:
    """After the refusal of a hidden study: what `stand_in` asks, in vain."""
    _drawn(asked)
    _owned(NOTHING)


def _drawn(asked: str) -> int:
    """The key of a study; which one an id draws, only this portal can tell."""
    mark = salted_hmac("sharing.archive.stand_in", asked, algorithm="sha256").digest()
    found = rows(_ONE_OF_ALL, [int.from_bytes(mark[:2], "big")])
    return int(found[0][0]) if found else NOTHING


def _owned(key: int) -> list[Study]:
    return list(Study.objects.with_owners().filter(pk=key))


def subjects_of(studies: Sequence[Study]) -> list[Subject]:
    """The studies for a decision; the series of all come by one statement, when they are asked."""

    @cache
    def held() -> dict[int, set[str]]:
        found: dict[int, set[str]] = {}
        keys = [study.pk for study in studies]
        for key, uid in Series.objects.filter(study__in=keys).values_list("study_id", "series_uid"):
            found.setdefault(key, set()).add(uid)
        return found

    def series(key: int) -> frozenset[str]:
        return frozenset(held().get(key, ()))

    return [replace(study.subject, series=partial(series, study.pk)) for study in studies]


def name_of_nothing(asked: str) -> str:
    """A UID for the log in the place of an id that names nothing: its own, never what was typed.

    A hidden study has a line of its own in each quarter of an hour, and so has each such id.
    """
    mark = hashlib.sha256(asked.encode()).digest()
    return f"2.25.{int.from_bytes(mark[:16], 'big')}"


def look_again(asked: str, is_there: Callable[[], bool], fence: Bound) -> None:
    """After a look through the fence in vain: where it kept nothing back, it is asked about
    another study, as it was about a hidden one.
    """
    with scope.as_house():
        there, other = is_there(), _drawn(asked)
    condition, params = fence
    query = f"SELECT 1 FROM archive_study WHERE id = %s AND {condition}"  # noqa: S608 - our text
    rows(query, [NOTHING if there else other, *params])
