"""Inviting people and ending their roles."""

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from sharing.audit.rules import What, Who
from sharing.audit.services import record
from sharing.kernel.errors import BadValue
from sharing.outbox.services import promise
from sharing.tenants.errors import LastAdministrator, LinkInvalid, NotAllowed
from sharing.tenants.models import Letter, Membership, Organization, User
from sharing.tenants.rules import Actor, Duty, Role

from .acting import require
from .posts import accepted, enrolled, invited, roles_ended

INVITATION_LASTS = timedelta(days=14)
_NEVER_INVITED = (Role.OPERATOR, Role.CLIENT, Role.BEARER, Role.SUPPORT)
INVITABLE = tuple(role for role in Role if role not in _NEVER_INVITED)


@transaction.atomic
def invite(*, email: str, name: str, roles: Iterable[Role], by: Actor, at: datetime) -> str:
    """Invite a person to the actor's organization by a letter; returns its secret.

    Raises NotAllowed, BadValue for no role or one that can't be given by invitation, NotNow for a
    person who is on leave.
    """
    require(by, Duty.MANAGE_MEMBERS)
    wanted = sorted(set(roles))
    if not wanted or not set(wanted) <= set(INVITABLE):
        raise BadValue("Choose at least one role.")
    invited(email=email, name=name, by=by, at=at)
    letter = Letter.objects.create(
        kind=Letter.Kind.JOIN,
        organization_id=by.organization_id,
        email=email.lower(),
        name=name,
        roles=wanted,
        sent_by=by.name,
        sent_at=at,
        expires_at=at + INVITATION_LASTS,
    )
    promise("notify.send_letter", at=at, letter_id=letter.pk)
    what = What(custodian=by.organization_code, detail={"roles": wanted})
    record(who=by.who, action="member.invite", at=at, what=what)
    return letter.secret


def invitation(*, secret: str, at: datetime) -> Letter:
    """The open invitation of that secret. Raises LinkInvalid."""
    letter = (
        Letter.objects.select_related("organization")
        .filter(kind=Letter.Kind.JOIN, public_id=Letter.name_in(secret))
        .first()
    )
    if letter is None or not letter.open_at(at):
        raise LinkInvalid()
    return letter


def has_account(*, email: str) -> bool:
    """Whether the address belongs to a person already; ask it for the holder of a letter only."""
    return User.objects.filter(email=email.lower()).exists()


def open_invitations(organization_id: int, *, at: datetime) -> QuerySet[Letter]:
    """Invitations that nobody has taken up and that are still good, newest first."""
    return Letter.objects.filter(
        kind=Letter.Kind.JOIN, organization_id=organization_id, used_at=None, expires_at__gt=at
    ).order_by("-sent_at", "-pk")


@transaction.atomic
def accept_invitation(*, secret: str, name: str, password: str | None, at: datetime) -> User:
    """Take an invitation up. A new address gets an account with the password given.

    An account that exists keeps its password, and only gains the roles. Raises LinkInvalid.
    """
    found = invitation(secret=secret, at=at)
    letter = Letter.objects.select_for_update().get(pk=found.pk)
    if not letter.open_at(at):
        raise LinkInvalid()
    user = User.objects.filter(email=letter.email).first()
    if user is None:
        user = User.objects.create_user(letter.email, name or letter.name, password)
    who = Who(kind="user", id=user.public_id, name=user.name)
    accepted(organization=letter.organization, user=user, at=at)
    for role in letter.roles:
        add_member(organization=letter.organization, user=user, role=Role(role), by=who, at=at)
    letter.used_at = at
    letter.save(update_fields=["used_at"])
    return user


@transaction.atomic
def add_member(
    *, organization: Organization, user: User, role: Role, by: Who, at: datetime
) -> Membership:
    """Give a person a role; holding it already is no error. Raises NotNow while the post rests."""
    enrolled(organization=organization, user=user, by=by, at=at)
    member, created = Membership.objects.get_or_create(
        organization=organization, user=user, role=role, ended_at=None, defaults={"since": at}
    )
    if created:
        detail = {"user": user.public_id, "role": role.value}
        what = What(custodian=organization.code, detail=detail)
        record(who=by, action="member.add", at=at, what=what)
    return member


@transaction.atomic
def end_membership(*, membership: Membership, by: Actor, at: datetime) -> None:
    """Take a role away, effective with the next request.

    Raises NotAllowed, also for another organization's member, or LastAdministrator: somebody
    must be left who can invite.
    """
    require(by, Duty.MANAGE_MEMBERS)
    if membership.organization_id != by.organization_id:
        raise NotAllowed()
    if membership.role == Role.ADMINISTRATOR and not _others(membership):
        raise LastAdministrator()
    ended = Membership.objects.filter(pk=membership.pk, ended_at=None).update(ended_at=at)
    if not ended:
        return
    whose = {"user_id": membership.user_id, "organization_id": by.organization_id}
    roles_ended([membership.role], **whose, at=at)
    detail = {"user": membership.user.public_id, "role": membership.role}
    what = What(custodian=by.organization_code, detail=detail)
    record(who=by.who, action="member.end", at=at, what=what)


def _others(membership: Membership) -> bool:
    """Whether another person administers the organization; locked until the transaction ends."""
    Organization.objects.select_for_update().get(pk=membership.organization_id)
    administrators = Membership.objects.filter(
        organization_id=membership.organization_id,
        role=Role.ADMINISTRATOR,
        ended_at=None,
        user__is_active=True,
    )
    return administrators.exclude(user_id=membership.user_id).exists()


@transaction.atomic
def first_password(*, user: User) -> str | None:
    """A password to begin with, for one who has never signed in and must change it.

    Made when the letter is written and kept as its hash only; a second letter replaces it.
    None for a person who has signed in before or needs no new password.
    """
    if user.last_login is not None or not user.must_change_password:
        return None
    password = secrets.token_urlsafe(12)
    user.set_password(password)
    user.save(update_fields=["password"])
    return password


@transaction.atomic
def password_changed(*, user: User, at: datetime) -> None:
    """The person has chosen a password of their own."""
    User.objects.filter(pk=user.pk).update(must_change_password=False)
    record(who=Who(kind="user", id=user.public_id, name=user.name), action="password.change", at=at)


@transaction.atomic
def require_second_factor(
    *, organization: Organization, required: bool, by: Who, at: datetime
) -> None:
    """Say whether the organization's people must use a second factor from now on."""
    Organization.objects.filter(pk=organization.pk).update(requires_second_factor=required)
    what = What(custodian=organization.code, detail={"required": required})
    record(who=by, action="organization.second_factor", at=at, what=what)
