"""Who somebody was at a moment: roles, teams and tokens have a beginning and an end."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q, QuerySet

from sharing.audit.rules import Who
from sharing.kernel.prepared import prepared
from sharing.kernel.purposes import Purpose
from sharing.tenants.models import Membership, Organization, SupportSession, TeamMember
from sharing.tenants.rules import WORKING, Actor, Role, roles_in

from .acting import actor_for_link
from .policies import organizations_at


def actor_at(who: Who, *, at: datetime, assured: bool = True) -> Actor | None:
    """The actor of those words in the access log, as they were then; None: they acted for nobody.

    `assured`: whether a second factor had been used; no row tells it, the log does.
    """
    if who.kind == "link":
        return actor_for_link(link=who.id, given_by="", purpose=Purpose(who.purpose))
    here = organizations_at([who.organization], at=at).get(who.organization)
    if here is None:
        return None
    user_id, roles = _roles(who, here.organization, at)
    support = None if roles else _support_at(who, here.organization, at)
    if support is not None:
        user_id, roles = support.asked_by_id, frozenset({Role.SUPPORT})
    if not roles:
        return None
    purpose = Purpose.TREATMENT if who.purpose == Purpose.EMERGENCY else Purpose(who.purpose)
    return Actor(
        kind=who.kind,
        id=who.id,
        name=who.name,
        organization_id=here.organization.pk,
        organization_code=here.organization.code,
        organization_name=here.organization.name,
        organization_mark=here.organization.mark,
        purpose=purpose,
        roles=roles_in(here.state, roles) or roles,
        active=here.state in WORKING[who.kind],
        stage=here.state,
        assured=assured,
        user_id=user_id,
        support=support.support if support is not None else None,
    )


def _roles(
    who: Who, organization: Organization, at: datetime
) -> tuple[int | None, frozenset[Role]]:
    """A person's roles there at that moment; a machine has one."""
    if who.kind != "user":
        return None, frozenset({Role.CLIENT} if who.kind == "client" else ())
    held = Membership.objects.filter(
        _then(at), user__public_id=who.id, organization=organization
    ).values_list("user_id", "role")
    roles = frozenset(Role(role) for _, role in held)
    return next((user_id for user_id, _ in held), None), roles


def _support_at(who: Who, organization: Organization, at: datetime) -> SupportSession | None:
    """The support session by which somebody of the operator looked then."""
    if who.kind != "user":
        return None
    lasted = SupportSession.objects.lasting(at).filter(
        asked_by__public_id=who.id, organization=organization
    )
    return lasted.select_related("answered_by").first()


def members_at(teams: Iterable[int], *, at: datetime) -> dict[int, frozenset[int]]:
    """Who was in these teams at that moment, by their keys."""
    return _by_team(TeamMember.objects.filter(_then(at), team_id__in=set(teams)))


def members_now(teams: Iterable[int]) -> dict[int, frozenset[int]]:
    """Who is in these teams, by their keys; asked for where there are none as well."""
    return _by_team(prepared(_members, teams))


def _members(teams: list[int]) -> QuerySet[TeamMember]:
    return TeamMember.objects.filter(team__in=teams, ended_at=None)


def _by_team(rows: Iterable[TeamMember]) -> dict[int, frozenset[int]]:
    found: dict[int, set[int]] = {}
    for row in rows:
        found.setdefault(row.team_id, set()).add(row.user_id)
    return {team: frozenset(users) for team, users in found.items()}


def _then(at: datetime) -> Q:
    return Q(since__lte=at) & (Q(ended_at=None) | Q(ended_at__gt=at))
