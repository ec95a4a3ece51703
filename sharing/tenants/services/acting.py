"""From a session or a token to an Actor: who, for whom, for what purpose."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sharing.kernel.purposes import Purpose
from sharing.kernel.tokens import fingerprint
from sharing.tenants.errors import NotAllowed, TokenInvalid
from sharing.tenants.models import Membership, Organization, PartnerToken, User
from sharing.tenants.rules import Actor, Duty, OrganizationState, Role, purposes_of


@dataclass(frozen=True)
class ActingChoice:
    """One organization and purpose that a person may act for."""

    organization: Organization
    purpose: Purpose
    roles: frozenset[Role]

    @property
    def key(self) -> str:
        """How the choice is named in a form and kept in the session."""
        return f"{self.organization.code}:{self.purpose}"


def acting_choices(user: User) -> list[ActingChoice]:
    """What the person may act for: active organizations only, by name and purpose."""
    held: dict[Organization, set[Role]] = defaultdict(set)
    rows = Membership.objects.filter(
        user=user, ended_at=None, organization__state=OrganizationState.ACTIVE
    ).select_related("organization")
    for row in rows.order_by("organization__name", "pk"):
        held[row.organization].add(Role(row.role))
    return [
        ActingChoice(organization, purpose, frozenset(roles))
        for organization, roles in held.items()
        for purpose in purposes_of(frozenset(roles))
    ]


def actor_for_session(user: User, session: Mapping[str, Any], *, assured: bool) -> Actor | None:
    """The actor of a signed-in person, or None when they may act for nobody.

    `session["acting"]` holds the chosen ActingChoice key; without it the first choice is taken.
    `assured` says whether a second factor was used in this session.
    """
    choices = acting_choices(user) if user.is_active else []
    if not choices:
        return None
    chosen = next((c for c in choices if c.key == session.get("acting")), choices[0])
    organization = chosen.organization
    return Actor(
        kind="user",
        id=user.public_id,
        user_id=user.pk,
        name=user.name,
        organization_id=organization.pk,
        organization_code=organization.code,
        organization_name=organization.name,
        organization_mark=organization.mark,
        purpose=chosen.purpose,
        roles=chosen.roles,
        assured=assured or not organization.requires_second_factor,
    )


def actor_for_token(secret: str, *, at: datetime) -> Actor:
    """The actor of a partner's machine. Raises TokenInvalid."""
    token = (
        PartnerToken.objects.select_related("organization")
        .filter(secret_hash=fingerprint(secret), revoked_at=None)
        .first()
    )
    if token is None or (token.expires_at and token.expires_at <= at):
        raise TokenInvalid()
    return _machine(token)


def still_acting(actor: Actor, *, at: datetime) -> Actor | None:
    """The actor as they are now, for streams that outlive a role, a token or an account."""
    if actor.user_id is None:
        rows = PartnerToken.objects.select_related("organization")
        token = rows.filter(public_id=actor.id, revoked_at=None).first()
        over = token is None or (token.expires_at and token.expires_at <= at)
        return None if token is None or over else _machine(token)
    user = User.objects.filter(pk=actor.user_id, is_active=True).first()
    wanted = (actor.organization_id, actor.purpose)
    for choice in acting_choices(user) if user else ():
        if (choice.organization.pk, choice.purpose) == wanted:
            return replace(actor, roles=choice.roles)
    return None


def _machine(token: PartnerToken) -> Actor:
    organization = token.organization
    return Actor(
        kind="client",
        id=token.public_id,
        name=token.name,
        organization_id=organization.pk,
        organization_code=organization.code,
        organization_name=organization.name,
        organization_mark=organization.mark,
        purpose=Purpose(token.purpose),
        roles=frozenset({Role.CLIENT}),
        active=organization.state == OrganizationState.ACTIVE,
        scopes=frozenset(token.scopes),
    )


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
