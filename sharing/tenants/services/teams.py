"""Departments, care teams and research projects: who is in them is asked at each access."""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from sharing.audit.rules import What
from sharing.audit.services import record
from sharing.kernel.errors import Absent
from sharing.tenants.errors import TeamInvalid
from sharing.tenants.models import Membership, Team, TeamMember, User
from sharing.tenants.rules import Actor, Duty, OrganizationState, TeamKind

from .acting import require
from .directory import physicians_mail


def teams(*, organization_id: int | None = None) -> QuerySet[Team]:
    """The teams of one organization, or of the region, by name."""
    found = Team.objects.filter(ended_at=None).select_related("organization")
    if organization_id is not None:
        found = found.filter(organization_id=organization_id)
    return found.order_by("organization__name", "name", "pk")


def teams_that_treat(*, without: int, most: int = 500) -> list[Team]:
    """The departments and care teams of the region's other organizations, with people in them."""
    found = (
        teams()
        .filter(organization__state=OrganizationState.ACTIVE, members__ended_at=None)
        .exclude(kind=TeamKind.PROJECT)
        .exclude(organization_id=without)
    )
    return [team for team in found.distinct()[:most] if treating_members(team).exists()]


def treating_members(team: Team) -> QuerySet[User]:
    """Who is in it now and treats patients at its organization."""
    inside = team.members.filter(ended_at=None).values("user_id")
    return physicians_mail(team.organization_id).filter(pk__in=inside).order_by("pk")


def team_of(actor: Actor, *, public_id: str) -> Team:
    """One team of the acting organization. Raises Absent."""
    team = teams(organization_id=actor.organization_id).filter(public_id=public_id).first()
    if team is None:
        raise Absent()
    return team


@transaction.atomic
def found_team(*, kind: TeamKind, name: str, by: Actor, at: datetime) -> Team:
    """A new team of the own organization. Raises NotAllowed; TeamInvalid: the name is taken."""
    require(by, Duty.MANAGE_TEAMS)
    if not name.strip():
        raise TeamInvalid("Write a name.")
    try:
        with transaction.atomic():
            team = Team.objects.create(
                organization_id=by.organization_id, kind=kind, name=name.strip(), founded_at=at
            )
    except IntegrityError:
        raise TeamInvalid("There is one of that name already.") from None
    _log(by, "team.found", team, at)
    return team


@transaction.atomic
def end_team(*, team: Team, by: Actor, at: datetime) -> None:
    """Nobody is in it from now on. Raises NotAllowed, Absent for another organization's."""
    _own(team, by)
    TeamMember.objects.filter(team=team, ended_at=None).update(ended_at=at)
    Team.objects.filter(pk=team.pk).update(ended_at=at)
    _log(by, "team.end", team, at)


@transaction.atomic
def join_team(*, team: Team, user: User, by: Actor, at: datetime) -> TeamMember:
    """Somebody of the own organization joins, once. Raises NotAllowed, Absent, TeamInvalid."""
    _own(team, by)
    here = Membership.objects.filter(
        user=user, organization_id=by.organization_id, ended_at=None
    ).exists()
    if not here or team.ended_at is not None:
        raise TeamInvalid("Choose somebody of your organization.")
    member, made = TeamMember.objects.get_or_create(
        team=team, user=user, ended_at=None, defaults={"since": at}
    )
    if made:
        _log(by, "team.join", team, at, user)
    return member


@transaction.atomic
def leave_team(*, team: Team, user: User, by: Actor, at: datetime) -> None:
    """Somebody is no longer in it. Raises NotAllowed, Absent."""
    _own(team, by)
    if TeamMember.objects.filter(team=team, user=user, ended_at=None).update(ended_at=at):
        _log(by, "team.leave", team, at, user)


def _own(team: Team, by: Actor) -> None:
    require(by, Duty.MANAGE_TEAMS)
    if team.organization_id != by.organization_id:
        raise Absent()


def _log(by: Actor, action: str, team: Team, at: datetime, user: User | None = None) -> None:
    detail = {"team": team.public_id, "kind": team.kind}
    if user is not None:
        detail["user"] = user.public_id
    what = What(custodian=by.organization_code, detail=detail)
    record(who=by.who, action=action, at=at, what=what)
