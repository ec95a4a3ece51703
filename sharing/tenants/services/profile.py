"""What an organization says of itself, kept true by its administrator."""

import re
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import available_timezones

from django.db import transaction

from sharing.audit.rules import What
from sharing.audit.services import record
from sharing.kernel import outgoing
from sharing.outbox.services import promise
from sharing.tenants.devices import Device, devices_of
from sharing.tenants.errors import ProfileInvalid
from sharing.tenants.models import Logo, Organization
from sharing.tenants.rules import Actor, Duty, Hosting, OrganizationState, Tier

from .acting import require
from .moving import organization_to_run

COLOUR = re.compile(r"#[0-9a-f]{6}")
LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?")
LOGO_MAX_BYTES = 64 * 1024
PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Profile:
    """All that its administrator may change; who it is for the authority stays as applied for."""

    name: str
    native_name: str
    facility_scheme: str
    tier: str
    parent: str
    address: str
    time_zone: str
    contact_name: str
    contact_email: str
    contact_phone: str
    privacy_officer_name: str
    privacy_officer_email: str
    patient_id_issuer: str
    uid_root: str
    default_charset: str
    hosting: str
    legal_hold: str
    colour: str
    retention_years: int | None
    languages: list[str] = field(default_factory=list)


def profile_of(organization: Organization) -> Profile:
    """As it stands."""
    names = [name for name in Profile.__dataclass_fields__ if name != "parent"]
    values = {name: getattr(organization, name) for name in names}
    return Profile(**values, parent=organization.parent.code if organization.parent else "")


def parents_for(organization: Organization) -> list[Organization]:
    """Whose network it may belong to: active ones that don't belong to it."""
    found = Organization.objects.filter(state=OrganizationState.ACTIVE).exclude(
        kind=Organization.Kind.OPERATOR
    )
    others = found.exclude(pk=organization.pk).select_related("parent").order_by("name")
    return [each for each in others if organization.pk not in _above(each)]


@transaction.atomic
def set_profile(*, profile: Profile, by: Actor, at: datetime) -> list[str]:
    """Say anew what is true of the own organization; the names of what changed.

    Raises NotAllowed, ProfileInvalid.
    """
    own = organization_to_run(by)
    own = Organization.objects.select_for_update(of=("self",)).get(pk=own.pk)
    before = profile_of(own)
    changed = [key for key, value in asdict(profile).items() if getattr(before, key) != value]
    if not changed:
        return []
    _check(profile, before)
    parent = _parent(own, profile.parent)
    for name, value in (asdict(profile) | {"parent": parent}).items():
        setattr(own, name, value)
    own.save(update_fields=list(asdict(profile)))
    _log(by, own, "organization.set_profile", {"changed": ", ".join(changed)}, at)
    if before.legal_hold and not profile.legal_hold:
        promise("archive.go_on_erasing", at=at, organization_id=own.pk)
    return changed


def devices(organization: Organization) -> list[Device]:
    """Its systems, in the order in which they were named."""
    return devices_of(organization.ae_titles, organization.device_places)


@transaction.atomic
def set_devices(*, devices: list[Device], by: Actor, at: datetime) -> None:
    """The own systems. Raises NotAllowed, AddressRefused for where the portal never asks."""
    own = organization_to_run(by)
    placed = [device for device in devices if device.host]
    for device in placed:
        outgoing.check_machine(device.host, device.port)
    Organization.objects.filter(pk=own.pk).update(
        ae_titles=[device.ae_title for device in devices],
        device_places={device.ae_title: device.place for device in placed},
    )
    detail = {"devices": len(devices), "with_address": len(placed)}
    _log(by, own, "organization.set_devices", detail, at)


@transaction.atomic
def set_quota(*, organization: Organization, quota: int | None, by: Actor, at: datetime) -> None:
    """How many bytes of images it may hold; None: as the region's. Raises NotAllowed."""
    require(by, Duty.APPROVE_ORGANIZATIONS)
    if quota is not None and quota < 0:
        raise ProfileInvalid("A quota is not less than nothing.")
    Organization.objects.filter(pk=organization.pk).update(quota_bytes=quota)
    _log(by, organization, "organization.set_quota", {"bytes": -1 if quota is None else quota}, at)


@transaction.atomic
def set_logo(*, png: bytes, by: Actor, at: datetime) -> None:
    """A picture for the own organization, as a PNG that we drew. Raises NotAllowed."""
    own = organization_to_run(by)
    if not png.startswith(PNG) or len(png) > LOGO_MAX_BYTES:
        raise ProfileInvalid("The picture is no PNG of 64 kB at most.")
    Logo.objects.update_or_create(organization=own, defaults={"png": png, "set_at": at})
    _log(by, own, "organization.set_logo", {"bytes": len(png)}, at)


def logo_of(code: str) -> bytes | None:
    """The picture of an organization, None where it has none."""
    found = Logo.objects.filter(organization__code=code).first()
    return bytes(found.png) if found else None


def _check(profile: Profile, before: Profile) -> None:
    """What a form lets through is looked at here too: there are other doors."""
    if profile.tier not in {"", *Tier}:
        raise ProfileInvalid("Choose a kind of house.")
    if profile.hosting != Hosting.REGION and profile.hosting != before.hosting:
        raise ProfileInvalid("Images at the hospital, index only here: not offered yet.")
    if profile.time_zone and profile.time_zone not in available_timezones():
        raise ProfileInvalid("Choose a time zone.")
    if profile.colour and not COLOUR.fullmatch(profile.colour):
        raise ProfileInvalid("A colour is # and six hexadecimal figures.")
    if not all(LANGUAGE.fullmatch(word) for word in profile.languages):
        raise ProfileInvalid("A language is a code such as en or zh-Hans.")
    if profile.retention_years is not None and not 0 <= profile.retention_years <= 100:
        raise ProfileInvalid("Retention is 0 to 100 years.")
    if not profile.name.strip() or not profile.patient_id_issuer.strip():
        raise ProfileInvalid("It has a name, and an issuer of its patient IDs.")


def _parent(own: Organization, code: str) -> Organization | None:
    """The network that it belongs to. Raises ProfileInvalid for itself and what is below it."""
    if not code:
        return None
    found = next((each for each in parents_for(own) if each.code == code), None)
    if found is None:
        raise ProfileInvalid("Choose a network that doesn't belong to you.")
    return found


def _above(organization: Organization) -> set[int]:
    """The keys of all that it belongs to."""
    seen: set[int] = set()
    here = organization.parent
    while here is not None and here.pk not in seen:
        seen.add(here.pk)
        here = here.parent
    return seen


def _log(
    by: Actor, organization: Organization, action: str, detail: dict[str, Any], at: datetime
) -> None:
    record(who=by.who, action=action, at=at, what=What(custodian=organization.code, detail=detail))
