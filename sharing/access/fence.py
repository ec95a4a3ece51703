"""The fence as text: `visible()` compiled once per shape of actor, bound anew for each request.

Hot paths have no time to build the condition through the ORM, which takes a millisecond. Nothing
is written by hand here: the text comes from `visible()` itself, and only the organization, the
person or link, and the moment are filled in. No decision is kept, only the question.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import Enum
from functools import lru_cache
from typing import Any

from django.db import connection
from django.db.models import BooleanField, Exists, Expression, F, Model, OuterRef
from django.db.models.sql.compiler import SQLCompiler

from sharing.kernel.purposes import Action, Purpose
from sharing.kernel.sql import moment, vendor
from sharing.tenants.rules import Actor, OrganizationState, Role

from .models import visible
from .rules import shut

OBLIGING = """(EXISTS (SELECT 1 FROM consent_consent ob
WHERE ob.patient_id = archive_study.patient_id AND ob.state = 'active'
AND (ob.obligations <> '|' OR ob.maximum_uses IS NOT NULL))
OR EXISTS (SELECT 1 FROM access_glasspatient gp JOIN access_glass g ON g.id = gp.glass_id
WHERE gp.patient_id = archive_study.patient_id AND g.state = 'open'))"""
"""Whether a consent of the study's patient obliges to anything, or an emergency is open: then each
read is decided anew, by the long way, and no read is taken for a repeat of one on another ground.
One look at the few consents of one patient."""
_WORD = re.compile(r"[A-Za-z_|%]*")
Bound = tuple[str, list[Any]]


class _Slot(Enum):
    """What differs between two requests of one shape, in the order of `fence`'s values; the value
    here stands in while compiling.
    """

    ORGANIZATION = -9_000_000_001
    USER = -9_000_000_002
    LINK = "0: whoever bears this link"
    AT = datetime(1817, 2, 3, 4, 5, 6, 789, UTC)


def fence(
    studies: type[Model],
    actor: Actor,
    action: Action,
    at: datetime,
    *,
    uncounted: bool = False,
    deidentified: bool = False,
) -> Bound | None:
    """A condition on the studies' own table, and its parameters; None: closed to all.

    It is an EXISTS by primary key, so that it filters what other conditions found and no planner
    begins with it. `studies` is the archive's model, which this room does not know. `uncounted`:
    only what no consent would count as one more use. `deidentified`: with a copy that names nobody.
    """
    if shut(actor, action):
        return None
    person, token = actor.user_id is not None, actor.by_token
    shape = (vendor(), actor.kind, actor.roles, actor.purpose, action, person, token, actor.stage)
    sql, plan, places = _compiled(studies, uncounted, deidentified, *shape)
    values = (actor.organization_id, actor.user_id, actor.id, moment(at))
    bound = list(plan)
    for place, which in places:
        bound[place] = values[which]
    return sql, bound


class OfItsKey(Expression):
    """A condition in SQL of our own on a study's key, under the name that a query knows it by."""

    output_field = BooleanField()

    def __init__(self) -> None:
        super().__init__()
        self.key: Any = F("pk")

    def get_source_expressions(self) -> list[Any]:
        """The key of the study in the query around it."""
        return [self.key]

    def set_source_expressions(self, exprs: Sequence[Any]) -> None:
        """The same, resolved."""
        (self.key,) = exprs


class Within(OfItsKey):
    """The fence as a condition for querysets: whether the row of that key lies inside.

    Building the condition through the ORM costs a hundred times what asking it costs; the text is
    there already, and only the name under which the query knows the study is filled in.
    """

    def __init__(self, studies: type[Model], bound: Bound) -> None:
        super().__init__()
        self.text, self.params = bound
        self.outer = _key_of(studies)

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """The compiled text, about the study as this query names it."""
        key, none = compiler.compile(self.key)
        return self.text.replace(self.outer, key), (*none, *self.params)


def _key_of(studies: type[Model]) -> str:
    quote = connection.ops.quote_name
    return f"{quote(studies._meta.db_table)}.{quote('id')}"


@lru_cache(maxsize=512)
def _compiled(
    studies: type[Model],
    uncounted: bool,
    deidentified: bool,
    vendor: str,
    kind: str,
    roles: frozenset[Role],
    purpose: Purpose,
    action: Action,
    person: bool,
    token: bool,
    stage: OrganizationState,
) -> tuple[str, tuple[Any, ...], tuple[tuple[int, int], ...]]:
    """The text, its parameters, and which of them are whose: (place, number of the slot)."""
    stand_in = Actor(
        kind=kind,
        id=_Slot.LINK.value,
        name="",
        organization_id=_Slot.ORGANIZATION.value,
        organization_code="",
        organization_name="",
        organization_mark="",
        purpose=purpose,
        roles=roles,
        user_id=_Slot.USER.value if person else None,
        stage=stage,
        token=0 if token else None,
    )
    how = {"uncounted": uncounted, "deidentified": deidentified}
    condition = visible(studies, stand_in, action, _Slot.AT.value, **how)
    inside = studies._default_manager.filter(condition, pk=OuterRef("pk"))
    query = studies._default_manager.filter(Exists(inside)).query
    compiler = query.get_compiler(connection=connection)
    sql, params = compiler.compile(query.where)
    if sql.count(_key_of(studies)) != 1:
        raise ValueError("the fence must speak of the study around it once, by its key")
    text, plan = _with_constants(sql, [_slot(param) for param in params])
    slots = list(_Slot)
    places = [(at, slots.index(part)) for at, part in enumerate(plan) if isinstance(part, _Slot)]
    return text, plan, tuple(places)


def _slot(param: Any) -> Any:
    """The parameter itself, or what it stands in for."""
    bound = moment(_Slot.AT.value)
    stand_ins = {slot.value: slot for slot in (_Slot.ORGANIZATION, _Slot.USER, _Slot.LINK)}
    return stand_ins.get(param, _Slot.AT if param == bound else param)


def _with_constants(sql: str, params: list[Any]) -> tuple[str, tuple[Any, ...]]:
    """Our own words and numbers stand in the text: a hundred parameters cost more than the query.

    Only what is plainly a word of the code's goes in; whatever else there may be stays bound.
    """
    texts, plan = sql.split("%s"), []
    made = texts[0]
    for param, text in zip(params, texts[1:], strict=True):
        literal = _literal(param)
        if literal is None:
            plan.append(param)
        made += (literal or "%s") + text
    return made, tuple(plan)


def _literal(param: Any) -> str | None:
    if isinstance(param, str) and _WORD.fullmatch(param):
        return "'" + param.replace("%", "%%") + "'"
    return str(param) if type(param) is int else None
