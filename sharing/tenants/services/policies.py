"""What holds when nothing is on file: the region decides, an organization may only tighten."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import transaction

from sharing.audit.rules import What
from sharing.audit.services import as_it_was, keep_past, record
from sharing.tenants.errors import PolicyWidens, SettingsInvalid
from sharing.tenants.models import Organization, Region
from sharing.tenants.rules import (
    Actor,
    Duty,
    ImplicitPolicy,
    OrganizationState,
    RegionSettings,
    tightest,
)

from .acting import require
from .directory import region_settings


@dataclass(frozen=True)
class Standing:
    """An organization as it stood at a moment."""

    organization: Organization
    state: OrganizationState
    policy: ImplicitPolicy | None

    @property
    def active(self) -> bool:
        """Whether it was one of the region's."""
        return self.state == OrganizationState.ACTIVE


@transaction.atomic
def set_region(*, settings: RegionSettings, by: Actor, at: datetime) -> Region:
    """Decide for the whole region. Raises NotAllowed, SettingsInvalid.

    Organizations that decided for themselves keep their word as far as it is tighter.
    """
    require(by, Duty.SET_REGION)
    _check(settings)
    region, _ = Region.objects.select_for_update().get_or_create(pk=1)
    keep_past(kind="region", key="", value=_by_value(region), at=at)
    region.implicit_policy = settings.policy
    region.implied_relationships = settings.implied
    region.age_of_majority = settings.majority
    region.emergency_hours = settings.emergency_hours
    region.review_days = settings.review_days
    region.emergencies_a_day = settings.emergencies_a_day
    region.demands_agreements = settings.agreements
    region.save()
    detail = {
        "policy": str(settings.policy),
        "implied": settings.implied,
        "majority": settings.majority,
        "emergency_hours": settings.emergency_hours,
        "review_days": settings.review_days,
        "emergencies_a_day": settings.emergencies_a_day,
        "agreements": settings.agreements,
    }
    record(who=by.who, action="region.set", at=at, what=What(detail=detail))
    return region


def _check(settings: RegionSettings) -> None:
    """What a form lets through is looked at here too: there are other doors."""
    least = (settings.majority, settings.review_days, settings.emergencies_a_day)
    if not 1 <= settings.emergency_hours <= 4 or min(least) < 1 or max(least) > 100:
        raise SettingsInvalid()


def policy_at(organization: Organization) -> ImplicitPolicy:
    """What holds for what this organization keeps, where no consent is on file."""
    return tightest(region_settings().policy, organization.own_policy)


def policy_for(actor: Actor) -> ImplicitPolicy:
    """The same for the actor's own organization."""
    return policy_at(Organization.objects.get(pk=actor.organization_id))


def own_policy(actor: Actor) -> ImplicitPolicy | None:
    """What the actor's organization said for itself; None: as the region says."""
    return Organization.objects.get(pk=actor.organization_id).own_policy


@transaction.atomic
def set_organization_policy(*, policy: ImplicitPolicy | None, by: Actor, at: datetime) -> None:
    """Tighten the implicit policy for what the own organization holds; None: as the region says.

    Raises NotAllowed, and PolicyWidens for one that opens more than the region's.
    """
    require(by, Duty.SET_POLICY)
    region = Region.objects.select_for_update().filter(pk=1).first()
    common = ImplicitPolicy(region.implicit_policy) if region else ImplicitPolicy.DENY
    if policy is not None and tightest(common, policy) != policy:
        raise PolicyWidens()
    own = Organization.objects.select_for_update().get(pk=by.organization_id)
    keep_organization(own, at=at)
    Organization.objects.filter(pk=own.pk).update(implicit_policy=policy or "")
    what = What(custodian=by.organization_code, detail={"policy": str(policy or "")})
    record(who=by.who, action="organization.set_policy", at=at, what=what)


def keep_organization(organization: Organization, *, at: datetime) -> None:
    """What decisions rest on of an organization, as it was until now."""
    value = {"state": organization.state, "policy": organization.implicit_policy}
    keep_past(kind="organization", key=organization.code, value=value, at=at)


def region_at(at: datetime) -> RegionSettings:
    """What the region had decided at that moment, of what decisions rest on."""
    present = region_settings()
    was = as_it_was(kind="region", keys=[""], at=at).get("")
    if was is None:
        return present
    policy = ImplicitPolicy(was["policy"])
    return replace(present, policy=policy, implied=was["implied"], agreements=was["agreements"])


def organizations_at(codes: Iterable[str], *, at: datetime) -> dict[str, Standing]:
    """Whether these organizations were active at that moment, and their own policies."""
    rows = Organization.objects.filter(code__in=set(codes))
    was = as_it_was(kind="organization", keys=(row.code for row in rows), at=at)
    return {row.code: _standing(row, was.get(row.code)) for row in rows}


def _standing(row: Organization, was: Mapping[str, Any] | None) -> Standing:
    said = was or {"state": row.state, "policy": row.implicit_policy}
    policy = ImplicitPolicy(said["policy"]) if said["policy"] else None
    return Standing(row, OrganizationState(said["state"]), policy)


def _by_value(region: Region) -> dict[str, Any]:
    return {
        "policy": str(region.implicit_policy),
        "implied": region.implied_relationships,
        "agreements": region.demands_agreements,
    }
