"""The staff directory of the region: who agreed to be in it, with what they agreed to show."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from sharing.audit.services import record
from sharing.tenants.errors import NoActor
from sharing.tenants.models import Listing, Membership
from sharing.tenants.rules import TREATING, Actor, OrganizationState, Role


@dataclass(frozen=True)
class Shown:
    """What a person lets the region see; nothing by itself."""

    listed: bool = False
    speciality: str = ""
    phone: str = ""
    languages: str = ""
    shows_email: bool = False


@dataclass(frozen=True)
class Entry:
    """One line of the directory: only what was agreed to."""

    name: str
    organization: str
    mark: str
    role: str
    shown: Shown
    email: str


def shown_of(actor: Actor) -> Shown:
    """What the actor agreed to. Raises NoActor for a machine."""
    if actor.user_id is None:
        raise NoActor()
    found = Listing.objects.filter(pk=actor.user_id).first()
    if found is None:
        return Shown()
    return _shown(found)


@transaction.atomic
def say_shown(*, shown: Shown, by: Actor, at: datetime) -> None:
    """Agree to that much, from now on. Raises NoActor."""
    if by.user_id is None:
        raise NoActor()
    Listing.objects.update_or_create(pk=by.user_id, defaults=vars(shown) | {"said_at": at})
    record(who=by.who, action="listing.say", at=at)


def directory(actor: Actor, *, words: str = "", most: int = 200) -> list[Entry]:
    """Those of the region who treat patients and agreed, by name; for people of the region."""
    if actor.user_id is None or actor.apart:
        raise NoActor()
    rows = Membership.objects.filter(
        ended_at=None,
        role__in=[role.value for role in TREATING],
        user__is_active=True,
        user__listing__listed=True,
        organization__state=OrganizationState.ACTIVE,
    ).select_related("user__listing", "organization")
    for word in words.split():
        rows = rows.filter(
            Q(user__name__icontains=word)
            | Q(organization__name__icontains=word)
            | Q(user__listing__speciality__icontains=word)
        )
    once = {(row.user_id, row.organization_id): row for row in rows.order_by("user__name", "pk")}
    return [_entry(row) for row in list(once.values())[:most]]


def _entry(row: Membership) -> Entry:
    listing = row.user.listing
    return Entry(
        name=row.user.name,
        organization=row.organization.name,
        mark=row.organization.mark,
        role=Role(row.role).words,
        shown=_shown(listing),
        email=row.user.email if listing.shows_email else "",
    )


def _shown(found: Listing) -> Shown:
    return Shown(found.listed, found.speciality, found.phone, found.languages, found.shows_email)
