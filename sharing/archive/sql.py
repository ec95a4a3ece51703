"""Hot paths ask in SQL, without an object per row; the only place that holds a raw cursor."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from sharing.access import fence
from sharing.archive.models import Study
from sharing.kernel.purposes import Action
from sharing.tenants.rules import Actor


def rows(sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    """All rows of a query; values are always bound, by %s."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


def fence_sql(actor: Actor, action: Action, at: datetime) -> tuple[str, list[Any]] | None:
    """The condition, with its parameters, under which a row of `archive_study` is the actor's.

    For a WHERE over the table `archive_study` under its own name. None: closed to all.
    """
    return fence.fence(Study, actor, action, at)
