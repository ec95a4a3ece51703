"""Where to look, so that no search passes over all that is hidden.

An arm only narrows: whatever it yields must still pass the fence. Together the arms hold all that
may pass it: what is the actor's own organization's, and what a consent or a grant names the actor
for, by name or by a group that the actor is of; a relationship; and where the region lets it, all
custodians. These are the ways into `access.models.visible`. The own arm is the first of them
itself, so nothing is left to ask of its studies, unless a patient keeps this person out.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sharing.access.rules import GlassState, is_own, policies_that_open
from sharing.archive.sql import rows
from sharing.consent.rules import ConsentState, Decision, Force, GranteeKind
from sharing.kernel.purposes import Action
from sharing.kernel.sql import moment
from sharing.tenants.rules import Actor, OrganizationState, Role
from sharing.tenants.services import region_settings

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
    own = is_own(actor) and custodian_id in (None, actor.organization_id)
    made = [Arm(actor.organization_id, open=not _kept_out(actor))] if own else []
    if _implicitly_open(actor):
        return made + _everywhere(actor, own, custodian_id)
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


def _kept_out(actor: Actor) -> bool:
    """Whether any patient anywhere excluded this person; then the fence is asked of each study."""
    if actor.user_id is None:
        return False
    return bool(rows(_EXCLUDED, [actor.user_id]))


def _implicitly_open(actor: Actor) -> bool:
    policies = policies_that_open(actor, Action.DISCOVER)
    return bool(policies) and region_settings().policy in policies


def _everywhere(actor: Actor, own: bool, custodian_id: int | None) -> list[Arm]:
    """Every custodian is walked in its own order."""
    found = [pk for (pk,) in rows(_CUSTODIANS)]
    mine = actor.organization_id if own else None
    return [Arm(pk) for pk in found if custodian_id in (None, pk) and pk != mine]


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
    """(custodian, study) that a consent in force, a live grant or a relationship names."""
    sql, slots = _union(tuple(sorted(actor.roles)), actor.user_id is not None)
    values = {
        "organization": actor.organization_id,
        "user": actor.user_id,
        "link": actor.id,
        "now": moment(at),
    }
    params = [values[slot] for slot in slots]
    return rows(f"{sql} LIMIT %s", [*params, most]) if most else rows(sql, params)


@lru_cache(maxsize=64)
def _union(roles: tuple[Role, ...], person: bool) -> tuple[str, tuple[str, ...]]:
    """The text for actors of these roles, and which value stands in each place."""
    texts = [_CONSENTED.format(whom=whom) for whom in _whom(roles, person)]
    texts += [_GRANTED.format(whom=whom, study=study) for whom, study in _granted(roles, person)]
    texts.append(_TIED)
    if person:
        texts.append(_BROKEN)
    slots: list[str] = []

    def placed(found: re.Match[str]) -> str:
        slots.append(found[1])
        return "%s"

    return re.sub(r":(\w+)", placed, " UNION ".join(texts)), tuple(slots)


def _whom(roles: tuple[Role, ...], person: bool) -> Iterator[str]:
    """Conditions on a consent's grantee `g`, each along an index."""
    if Role.BEARER in roles:
        return
    yield f"g.organization_id = :organization AND g.kind = '{GranteeKind.ORGANIZATION}'"
    named = ", ".join(f"'{role}'" for role in ("", *roles))
    yield f"g.kind IN ('{GranteeKind.EVERYONE}', '{GranteeKind.ROLE}') AND g.role IN ({named})"
    if person:
        yield f"g.user_id = :user AND g.kind = '{GranteeKind.PRACTITIONER}'"
        yield _IN_TEAM


def _granted(roles: tuple[Role, ...], person: bool) -> Iterator[tuple[str, str]]:
    """Conditions on a grant `g`, and how it names studies: one, or all of a patient's."""
    kinds = [(GranteeKind.ORGANIZATION, "g.organization_id = :organization")]
    if person:
        kinds.append((GranteeKind.PRACTITIONER, "g.user_id = :user"))
        kinds.append((GranteeKind.TEAM, _IN_TEAM))
    if Role.BEARER in roles:
        by_link = "g.share_id IN (SELECT id FROM access_share WHERE public_id = :link)"
        kinds = [(GranteeKind.LINK, by_link)]
    for kind, whom in kinds:
        for study in (
            "archive_study.study_uid = g.study_uid",
            "g.study_uid = '' AND archive_study.patient_id = g.patient_id",
        ):
            yield f"{whom} AND g.grantee_kind = '{kind}'", study


# Our own words stand in the texts. Where a column that some index is limited by is compared with a
# bound value, SQLite plans the whole statement anew for each value (sqlite.org, queryplanner-ng 4).
_IN_TEAM = "g.team_id IN (SELECT team_id FROM tenants_teammember WHERE user_id = :user)"
_CONSENTED = f"""
    SELECT archive_study.organization_id, archive_study.id
    FROM consent_grantee g CROSS JOIN consent_consent c CROSS JOIN archive_study
    WHERE {{whom}} AND c.id = g.consent_id
    AND c.state = '{ConsentState.ACTIVE}' AND c.decision = '{Decision.PERMIT}'
    AND c.starts_at <= :now
    AND archive_study.patient_id = c.patient_id AND archive_study.organization_id = c.custodian_id
"""  # noqa: S608 - our own words
_GRANTED = """
    SELECT archive_study.organization_id, archive_study.id
    FROM access_grant g CROSS JOIN archive_study
    WHERE {whom} AND g.revoked_at IS NULL AND g.ends_at > :now
    AND archive_study.organization_id = g.custodian_id AND {study}
"""
_TIED = """
    SELECT archive_study.organization_id, archive_study.id
    FROM access_relationship r CROSS JOIN archive_study
    WHERE r.organization_id = :organization AND r.ends_at > :now
    AND archive_study.patient_id = r.patient_id AND archive_study.organization_id = r.custodian_id
"""
_BROKEN = f"""
    SELECT archive_study.organization_id, archive_study.id
    FROM access_glass b CROSS JOIN access_glasspatient p CROSS JOIN archive_study
    WHERE b.user_id = :user AND b.ends_at > :now AND b.organization_id = :organization
    AND b.state = '{GlassState.OPEN}' AND p.glass_id = b.id
    AND archive_study.patient_id = p.patient_id
"""  # noqa: S608 - our own word
_EXCLUDED = f"""
    SELECT 1 FROM consent_grantee g CROSS JOIN consent_consent c
    WHERE g.user_id = %s AND g.kind = '{GranteeKind.PRACTITIONER}' AND c.id = g.consent_id
    AND c.force = '{Force.EXCLUSION}' AND c.state = '{ConsentState.ACTIVE}' LIMIT 1
"""  # noqa: S608 - our own words
_CUSTODIANS = (
    f"SELECT id FROM tenants_organization WHERE state = '{OrganizationState.ACTIVE}' ORDER BY id"  # noqa: S608 - our own word
)
