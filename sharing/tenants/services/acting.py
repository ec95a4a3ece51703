"""From a session or a token to an Actor: who, for whom, for what purpose."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.utils import timezone

from sharing.kernel.purposes import Purpose
from sharing.tenants.errors import NotAllowed
from sharing.tenants.models import Membership, Organization, SupportSession, User
from sharing.tenants.rules import (
    Actor,
    Duty,
    OrganizationState,
    Role,
    purposes_of,
    roles_in,
)
from sharing.tenants.sittings import Limits
from sharing.tenants.support import Support


@dataclass(frozen=True)
class ActingChoice:
    """One organization and purpose that a person may act for."""

    organization: Organization
    purpose: Purpose
    roles: frozenset[Role]
    support: Support | None = None

    @property
    def key(self) -> str:
        """How the choice is named in a form and kept in the session."""
        return f"{self.organization.code}:{self.purpose}"


def acting_choices(user: User, *, only: str = "") -> list[ActingChoice]:
    """What the person may act for, by name and purpose.

    Of organizations that prepare or leave as their administrator only (`rules.roles_in`).
    `only`: the code of the one organization by whose own sign-in the person came.
    """
    held: dict[Organization, set[Role]] = defaultdict(set)
    held_rows = Membership.objects.filter(user=user, ended_at=None)
    for row in held_rows.select_related("organization__sitting").order_by(
        "organization__name", "pk"
    ):
        held[row.organization].add(Role(row.role))
    own = [
        ActingChoice(organization, purpose, roles)
        for organization, named in held.items()
        if only in {"", organization.code}
        for roles in [roles_in(OrganizationState(organization.state), frozenset(named))]
        for purpose in purposes_of(roles)
    ]
    operates = any(Role.OPERATOR in choice.roles for choice in own)
    return own + (_support(user, own, timezone.now()) if operates else [])


def _support(user: User, own: list[ActingChoice], at: datetime) -> list[ActingChoice]:
    """Where somebody of the operator may look now, because the hospital let them in."""
    lasting = SupportSession.objects.lasting(at).filter(
        asked_by=user, organization__state=OrganizationState.ACTIVE
    )
    choices = [
        ActingChoice(row.organization, Purpose.OPERATIONS, frozenset({Role.SUPPORT}), row.support)
        for row in lasting.select_related("organization__sitting", "answered_by").order_by("pk")
    ]
    taken = {choice.key for choice in own}
    return [choice for choice in choices if choice.key not in taken]


def actor_for_session(
    user: User, session: Mapping[str, Any], *, assured: bool, only: str = ""
) -> Actor | None:
    """The actor of a signed-in person, or None when they may act for nobody.

    `session["acting"]` holds the chosen ActingChoice key; without it the first choice is taken.
    `assured` says whether a second factor was used in this session.
    """
    choices = acting_choices(user, only=only) if user.is_active else []
    if not choices:
        return None
    chosen = next((c for c in choices if c.key == session.get("acting")), choices[0])
    organization = chosen.organization
    return Actor(
        kind="user",
        id=user.public_id,
        user_id=user.pk,
        name=user.name if chosen.support is None else f"{user.name}, support",
        organization_id=organization.pk,
        organization_code=organization.code,
        organization_name=organization.name,
        organization_mark=organization.mark,
        purpose=chosen.purpose,
        roles=chosen.roles,
        assured=assured or (chosen.support is None and not organization.requires_second_factor),
        support=chosen.support,
        stage=OrganizationState(organization.state),
        limits=_limits(organization),
    )


def _limits(organization: Organization) -> Limits:
    sitting = getattr(organization, "sitting", None)  # read along with the roles
    return sitting.limits if sitting else Limits()


def actor_for_link(*, link: str, given_by: str, purpose: Purpose) -> Actor:
    """Whoever bears that link: of no organization, and never a person that we know.

    That the link may still be used is for who asks (`exchange`) to have found out.
    """
    return Actor(
        kind="link",
        id=link,
        name=f"Whoever has a link from {given_by}",
        organization_id=0,
        organization_code="",
        organization_name="",
        organization_mark="",
        purpose=purpose,
        roles=frozenset({Role.BEARER}),
    )


def still_acting(actor: Actor, *, at: datetime) -> Actor | None:
    """The actor of a session as they are now, for streams that outlive a role or an account.

    A link has no account: what it opens ends with its grants, of which the fence asks each time.
    """
    if Role.BEARER in actor.roles:
        return actor
    if actor.user_id is None:
        return None
    user = User.objects.filter(pk=actor.user_id, is_active=True).first()
    wanted = (actor.organization_id, actor.purpose)
    for choice in acting_choices(user) if user else ():
        if (choice.organization.pk, choice.purpose) == wanted:
            stage = OrganizationState(choice.organization.state)
            return replace(actor, roles=choice.roles, stage=stage)
    return None


def acting_again(user: User, *, organization_id: int, purpose: str, assured: bool) -> Actor | None:
    """The actor whom a person was, as they are now: for what they began and somebody else ends.

    `assured` is what they had proved then. None when they may not act so any more.
    """
    wanted = (organization_id, purpose)
    for choice in acting_choices(user) if user.is_active else ():
        if (choice.organization.pk, choice.purpose) == wanted:
            return actor_for_session(user, {"acting": choice.key}, assured=assured)
    return None


def user_needs(user: User, *, has_second_factor: bool) -> str | None:
    """What the person must do before anything else: "password", "second_factor" or None."""
    if user.must_change_password:
        return "password"
    required = Membership.objects.filter(
        user=user, ended_at=None, organization__requires_second_factor=True
    ).exists()
    return "second_factor" if required and not has_second_factor else None


def require(actor: Actor, duty: Duty) -> None:
    """Raise NotAllowed unless the actor's roles include the duty."""
    if not actor.may(duty):
        raise NotAllowed()
