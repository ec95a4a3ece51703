"""All that an actor may know of, as a queryset that an index can give in its order.

The fence says of a study whether it may be seen, not where to look: asked of all 200,000 of a
region it takes seconds. So the arms of a search say where, and the fence is asked of those only
that are not the actor's own anyway.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Q
from django.db.models.sql.compiler import SQLCompiler

from sharing.access.fence import Bound, OfItsKey, Within
from sharing.archive.models import Study, StudyQuerySet
from sharing.archive.sql import fence_sql, rows
from sharing.kernel.purposes import Action
from sharing.tenants.rules import Actor

from .searching.arms import Arm, arms
from .searching.query import Order, one_by_one


def in_sight(actor: Actor, at: datetime, *, own: bool = False) -> StudyQuerySet:
    """The studies that `StudyQuerySet.visible_to` gives for discovering, without an order.

    `own`: only the actor's own organization's. Where the actor may see was looked up when this
    returns, so it is for one page and not to be kept.
    """
    fence = fence_sql(actor, Action.DISCOVER, at)
    if fence is None:
        return Study.objects.none()
    places = arms(actor, at, custodian_id=actor.organization_id if own else None)
    if not places:
        return Study.objects.none()
    return Study.objects.filter(reduce(or_, (_inside(arm, fence) for arm in places)))


def _inside(arm: Arm, fence: Bound) -> Q:
    """Listed ones are asked of here: the plan of that question is kept, the page's never is."""
    if arm.organization_id is None:
        asked = one_by_one(arm.studies, [Order("archive_study.id")]).add(fence)
        seen = rows(*asked.text(["archive_study.id"], most=len(arm.studies)))
        return Q(OneOfKeys([key for (key,) in seen]))
    held = Q(organization_id=arm.organization_id)
    return held if arm.open else held & Q(Within(Study, fence))


class OneOfKeys(OfItsKey):
    """Whether the row's key is one of a list: one parameter, however long the list is."""

    def __init__(self, keys: Sequence[int]) -> None:
        super().__init__()
        self.keys = keys

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """For SQLite, which takes no list for a parameter, as JSON."""
        key, none = compiler.compile(self.key)
        listed = f"{key} IN (SELECT value FROM json_each(%s))"  # noqa: S608 - a column's name
        return listed, (*none, json.dumps(self.keys))

    def as_postgresql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """As an array, whose length the planner knows."""
        key, none = compiler.compile(self.key)
        return f"{key} = ANY(%s::bigint[])", (*none, list(self.keys))
