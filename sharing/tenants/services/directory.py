"""Looking up organizations and people, for those who act."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from django.db import DEFAULT_DB_ALIAS
from django.db.models import CharField, Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Concat

from sharing.kernel.bulk import read
from sharing.kernel.errors import Absent
from sharing.kernel.sql import rows
from sharing.tenants.models import Membership, Organization, User
from sharing.tenants.rules import (
    TREATING,
    Actor,
    Duty,
    ImplicitPolicy,
    OrganizationState,
    RegionSettings,
    Role,
)


def find_organization(code: str) -> Organization:
    """The active organization of that code. Raises Absent."""
    return _one("code = %s AND state = %s", [code, OrganizationState.ACTIVE])


def organization_of(actor: Actor) -> Organization:
    """The actor's own, in whatever state it is: its machines send before it is active, and while
    it is suspended. Raises Absent.
    """
    return _one("code = %s", [actor.organization_code])


def _one(condition: str, params: list[Any]) -> Organization:
    found = read(Organization, _ALL, condition, params)
    if not found:
        raise Absent()
    return Organization.from_db(DEFAULT_DB_ALIAS, _ALL, found[0])


_ALL = [field.attname for field in Organization._meta.concrete_fields]


def organization_options(*, without: int) -> QuerySet[Organization]:
    """The active organizations of the region that something can be shared with."""
    return (
        Organization.objects.filter(state=OrganizationState.ACTIVE)
        .exclude(kind=Organization.Kind.OPERATOR)
        .exclude(pk=without)
        .order_by("name")
    )


def members(organization_id: int) -> QuerySet[Membership]:
    """Present roles at an organization, by person."""
    return (
        Membership.objects.filter(organization_id=organization_id, ended_at=None)
        .select_related("user")
        .order_by("user__name", "role")
    )


def physicians_mail(organization_id: int) -> QuerySet[User]:
    """The active people at an organization who treat patients: whom a share is told to."""
    return User.objects.filter(
        is_active=True,
        memberships__organization_id=organization_id,
        memberships__ended_at=None,
        memberships__role__in=[role.value for role in TREATING],
    ).distinct()


def researchers(organizations: Iterable[Organization]) -> dict[int, list[User]]:
    """The active researchers of these organizations, by the organization's key."""
    rows = Membership.objects.filter(
        organization__in=organizations, ended_at=None, role=Role.RESEARCHER, user__is_active=True
    )
    found: dict[int, list[User]] = {}
    for row in rows.select_related("user").order_by("user__name", "pk"):
        found.setdefault(row.organization_id, []).append(row.user)
    return found


def privacy_officers(organization_id: int) -> QuerySet[User]:
    """The active privacy officers of an organization."""
    return User.objects.filter(
        is_active=True,
        memberships__organization_id=organization_id,
        memberships__ended_at=None,
        memberships__role=Role.PRIVACY_OFFICER,
    ).distinct()


def treating_people(*, without: int, most: int = 500) -> list[Membership]:
    """Whom of the region's other organizations something can be shared with by name."""
    rows = Membership.objects.filter(
        ended_at=None,
        role__in=[role.value for role in TREATING],
        user__is_active=True,
        organization__state=OrganizationState.ACTIVE,
    ).exclude(Q(organization_id=without) | Q(user__listing__listed=False))
    related = rows.select_related("organization", "user")
    found = related.order_by("organization__name", "user__name", "pk")[:most]
    return list({(row.organization_id, row.user_id): row for row in found}.values())


def organizations_in_sight(actor: Actor) -> QuerySet[Organization]:
    """The active organizations, for whoever acts for one of them."""
    if not actor.active:
        return Organization.objects.none()
    return Organization.objects.filter(state=OrganizationState.ACTIVE)


def people_in_sight(
    actor: Actor, *, roles: Collection[str] = (), each_once: bool = False
) -> QuerySet[Any]:
    """Whom the actor may know by name, once for each organization, or `each_once` in all.

    Those of the region who treat patients, for who shares, records consents or is a machine; own
    staff for administrators; always oneself. `place` names a person at an organization.
    """
    seen = _people(actor, roles)
    same = ["user"] if each_once else ["user", "organization"]
    before = seen.filter(pk__lt=OuterRef("pk"), **{name: OuterRef(name) for name in same})
    parts = (F("user__public_id"), Value("-"), F("organization__code"))
    place = Concat(*parts, output_field=CharField())
    found = seen.filter(~Exists(before)).annotate(place=place)
    return found.select_related("user", "organization")


def _people(actor: Actor, roles: Collection[str]) -> QuerySet[Membership]:
    treating = Q(role__in=[role.value for role in TREATING])
    seen = Q(user_id=actor.user_id) if actor.user_id else Q(pk__in=[])
    if actor.may(Duty.MANAGE_MEMBERS):
        seen |= Q(organization_id=actor.organization_id)
    if actor.may(Duty.SHARE) or actor.may(Duty.RECORD_CONSENT) or actor.kind == "client":
        seen |= treating
    active = {"user__is_active": True, "organization__state": OrganizationState.ACTIVE}
    found = Membership.objects.filter(seen, ended_at=None, **active)
    return found.filter(role__in=roles) if roles else found


def roles_of_people(
    actor: Actor, rows: Iterable[Membership]
) -> Mapping[tuple[int, int], list[str]]:
    """What the actor may know these people to be, by person and organization."""
    held: dict[tuple[int, int], list[str]] = defaultdict(list)
    known = _people(actor, ()).filter(user_id__in={row.user_id for row in rows})
    for row in known.order_by("pk"):
        held[row.user_id, row.organization_id].append(row.role)
    return held


def operators_mail() -> list[str]:
    """The addresses of those who decide on applications."""
    rows = Membership.objects.filter(role=Role.OPERATOR, ended_at=None, user__is_active=True)
    return sorted(set(rows.values_list("user__email", flat=True)))


def region_settings() -> RegionSettings:
    """What the region decided for all, read anew at each decision."""
    found = rows(_REGION)
    if not found:
        return RegionSettings()
    policy, implied, majority, hours, days, a_day, agreements = found[0]
    return RegionSettings(
        ImplicitPolicy(policy), bool(implied), majority, hours, days, a_day, bool(agreements)
    )


_REGION = """
    SELECT implicit_policy, implied_relationships, age_of_majority, emergency_hours, review_days,
    emergencies_a_day, demands_agreements FROM tenants_region WHERE id = 1
"""
