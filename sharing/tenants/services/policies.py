"""What holds when nothing is on file: the region decides, an organization may only tighten."""

from datetime import datetime

from django.db import transaction

from sharing.audit.rules import What
from sharing.audit.services import record
from sharing.tenants.errors import PolicyWidens, SettingsInvalid
from sharing.tenants.models import Organization, Region
from sharing.tenants.rules import Actor, Duty, ImplicitPolicy, RegionSettings, tightest

from .acting import require
from .directory import region_settings


@transaction.atomic
def set_region(*, settings: RegionSettings, by: Actor, at: datetime) -> Region:
    """Decide for the whole region. Raises NotAllowed, SettingsInvalid.

    Organizations that decided for themselves keep their word as far as it is tighter.
    """
    require(by, Duty.SET_REGION)
    _check(settings)
    region, _ = Region.objects.select_for_update().get_or_create(pk=1)
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
    Organization.objects.filter(pk=by.organization_id).update(implicit_policy=policy or "")
    what = What(custodian=by.organization_code, detail={"policy": str(policy or "")})
    record(who=by.who, action="organization.set_policy", at=at, what=what)
