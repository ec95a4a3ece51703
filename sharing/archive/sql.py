"""Hot paths ask in SQL, without an object per row; always inside the fence."""

from datetime import datetime
from typing import Any

from sharing.access import fence
from sharing.archive.models import Study
from sharing.kernel.purposes import Action
from sharing.kernel.sql import AT_ONCE, chunks, marks, rows, write
from sharing.tenants.rules import Actor

__all__ = ["AT_ONCE", "chunks", "fence_sql", "marks", "rows", "write"]


def fence_sql(
    actor: Actor,
    action: Action,
    at: datetime,
    *,
    uncounted: bool = False,
    deidentified: bool = False,
) -> tuple[str, list[Any]] | None:
    """The condition, with its parameters, under which a row of `archive_study` is the actor's.

    For a WHERE over the table `archive_study` under its own name. None: closed to all.
    `uncounted`: leaves out what a consent would count as one more use. `deidentified`: takes in
    what is permitted for copies that name nobody.
    """
    return fence.fence(Study, actor, action, at, uncounted=uncounted, deidentified=deidentified)
