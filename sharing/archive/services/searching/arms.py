"""Where to look, so that no search passes over all that is hidden.

An arm only narrows: whatever it yields must still pass the fence. Together the arms hold all that
may pass it: what is the actor's own organization's, and what a consent or a grant names the actor
for (the two ways into `access.models.visible`). The own arm is the first of these ways itself, so
nothing is left to ask of its studies.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sharing.access.rules import OWN_STAFF_PURPOSES
from sharing.archive.sql import rows
from sharing.consent.rules import ConsentState, Decision, GranteeKind
from sharing.kernel.sql import moment
from sharing.tenants.rules import Actor

FEW = 5000
"""So many candidates are looked at one by one; beyond, the custodian's own order is walked."""


@dataclass(frozen=True)
class Arm:
    """All studies of one custodian, or those of a list of keys."""

    organization_id: int | None = None
    studies: tuple[int, ...] = ()
    open: bool = False  # by the rung of the own staff, which is all that the fence would say


def arms(actor: Actor, at: datetime, *, custodian_id: int | None) -> list[Arm]:
    """All places where the actor may find something, or only those of one custodian."""
    own = actor.purpose in OWN_STAFF_PURPOSES and custodian_id in (None, actor.organization_id)
    made = [Arm(actor.organization_id, open=True)] if own else []
    found = _candidates(actor, at, FEW + 1)
    if len(found) > FEW:
        made += _of_many(actor, at, own, custodian_id)
        return made
    wanted = {
        study
        for organization, study in found
        if custodian_id in (None, organization)
        and not (own and organization == actor.organization_id)
    }
    return [*made, Arm(studies=tuple(sorted(wanted)))] if wanted else made


def _of_many(actor: Actor, at: datetime, own: bool, custodian_id: int | None) -> list[Arm]:
    """Custodians of many candidates are walked as they are, the candidates of the rest listed."""
    found = _candidates(actor, at, None)
    counts = Counter(organization for organization, _ in found)
    if own:
        del counts[actor.organization_id]
    wanted = [one for one in counts if custodian_id in (None, one)]
    many = [one for one in wanted if counts[one] > FEW]
    few = {one for one in wanted if counts[one] <= FEW}
    listed = tuple(sorted(study for organization, study in found if organization in few))
    return [*(Arm(one) for one in many), *([Arm(studies=listed)] if listed else [])]


def _candidates(actor: Actor, at: datetime, most: int | None) -> list[tuple[Any, ...]]:
    """(custodian, study) that a consent in force or a live grant names the actor for."""
    now = moment(at)
    named = [(GranteeKind.ORGANIZATION, "organization_id", actor.organization_id)]
    if actor.user_id is not None:
        named.append((GranteeKind.PRACTITIONER, "user_id", actor.user_id))
    params: list[Any] = []
    for kind, _, whom in named:
        params += [whom, kind.value, ConsentState.ACTIVE.value, Decision.PERMIT.value, now]
        params += [whom, kind.value, now]
    sql = _union(tuple(column for _, column, _ in named))
    return rows(f"{sql} LIMIT %s", [*params, most]) if most else rows(sql, params)


@lru_cache(maxsize=2)
def _union(columns: tuple[str, ...]) -> str:
    texts = [text.format(column=one) for one in columns for text in (_CONSENTED, _GRANTED)]
    return " UNION ".join(texts)


_CONSENTED = """
    SELECT archive_study.organization_id, archive_study.id
    FROM consent_grantee g CROSS JOIN consent_consent c CROSS JOIN archive_study
    WHERE g.{column} = %s AND g.kind = %s AND c.id = g.consent_id
    AND c.state = %s AND c.decision = %s AND c.starts_at <= %s
    AND archive_study.patient_id = c.patient_id AND archive_study.organization_id = c.custodian_id
"""
_GRANTED = """
    SELECT archive_study.organization_id, archive_study.id
    FROM access_grant g CROSS JOIN archive_study
    WHERE g.{column} = %s AND g.grantee_kind = %s AND g.revoked_at IS NULL AND g.ends_at > %s
    AND archive_study.organization_id = g.custodian_id AND archive_study.study_uid = g.study_uid
"""
