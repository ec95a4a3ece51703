"""What an organization says of itself, and what of it binds: quota, retention, legal hold."""

import io
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from sharing.archive.errors import OnHold, QuotaReached, RemovalInvalid
from sharing.archive.rules import Why
from sharing.archive.services.allowance import allow
from sharing.archive.services.removing import delete_study
from sharing.audit.models import Event
from sharing.outbox.models import Job
from sharing.tenants import services
from sharing.tenants.errors import NotAllowed, ProfileInvalid
from sharing.tenants.models import Organization
from sharing.tenants.rules import Role
from tests.cast import NOW, Person, Region, make_organization, make_person
from tests.sessions import sign_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def olu() -> Person:
    """The region's operator."""
    office = make_organization("office", "Exchange Office", kind="operator")
    return make_person("Olu Park", office, Role.OPERATOR)


def say(region: Region, **changes: Any) -> list[str]:
    """Ines changes what Riverside says of itself."""
    region.riverside.refresh_from_db()
    profile = replace(services.profile_of(region.riverside), **changes)
    return services.set_profile(profile=profile, by=region.admin.actor, at=NOW)


def test_the_administrator_says_anew_what_is_true(region: Region) -> None:
    """The log names what changed, not what it was."""
    changed = say(
        region, tier="county", parent="hilltop", time_zone="Europe/Berlin", colour="#0b5560",
        languages=["en", "zh-Hans"], retention_years=10, address="1 River Street",
    )  # fmt: skip
    region.riverside.refresh_from_db()
    assert len(changed) == 7
    assert region.riverside.parent == region.hilltop
    assert services.profile_of(region.riverside).languages == ["en", "zh-Hans"]
    event = Event.objects.get(action="organization.set_profile")
    assert "address" in event.detail["changed"]
    assert "River Street" not in str(event.detail)
    assert say(region) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"tier": "palace"}, {"time_zone": "Mars/Base"}, {"colour": "red"}, {"languages": ["x!"]},
        {"retention_years": 101}, {"hosting": "index"}, {"name": " "}, {"parent": "nobody"},
        {"parent": "riverside"}, {"patient_id_issuer": ""},
    ],
)  # fmt: skip
def test_what_cannot_be_is_not_saved(region: Region, wrong: dict[str, Any]) -> None:
    """By no door."""
    with pytest.raises(ProfileInvalid):
        say(region, **wrong)
    assert not Event.objects.filter(action="organization.set_profile").exists()


def test_a_network_has_no_circle(region: Region) -> None:
    """Lakeside belongs to Hilltop, Hilltop to Riverside: Riverside belongs to neither."""
    Organization.objects.filter(pk=region.hilltop.pk).update(parent=region.riverside)
    Organization.objects.filter(pk=region.lakeside.pk).update(parent=region.hilltop)
    for code in ("hilltop", "lakeside"):
        with pytest.raises(ProfileInvalid):
            say(region, parent=code)


def test_nobody_else_says_it(region: Region, olu: Person) -> None:
    """Not Riverside's privacy officer, not the operator; and only the operator sets the quota."""
    profile = services.profile_of(region.riverside)
    for person in (region.ada, region.olga, olu):
        with pytest.raises(NotAllowed):
            services.set_profile(profile=profile, by=person.actor, at=NOW)
    with pytest.raises(NotAllowed):
        services.set_quota(organization=region.riverside, quota=1, by=region.admin.actor, at=NOW)


def test_the_own_quota_goes_before_the_regions(region: Region, olu: Person, settings: Any) -> None:
    """Also where it is wider: 0 is no end."""
    settings.STORE_QUOTA_BYTES = 1
    with pytest.raises(QuotaReached):
        allow(region.ada.actor, announced=2, at=NOW)
    services.set_quota(organization=region.riverside, quota=0, by=olu.actor, at=NOW)
    assert allow(region.ada.actor, announced=2, at=NOW)
    services.set_quota(organization=region.riverside, quota=1, by=olu.actor, at=NOW)
    with pytest.raises(QuotaReached):
        allow(region.ada.actor, announced=2, at=NOW)


def test_a_legal_hold_on_everything_holds_each_study(region: Region) -> None:
    """Until it is taken away: then what waited is tried again."""
    study = region.study()
    say(region, legal_hold="Case 12")
    gone = {"public_id": study.public_id, "why": Why.MISTAKE, "at": NOW}
    with pytest.raises(OnHold):
        delete_study(region.olga.actor, **gone)
    say(region, legal_hold="")
    assert Job.objects.filter(task="archive.go_on_erasing").count() == 1
    delete_study(region.olga.actor, **gone)


def test_who_says_that_the_period_is_over_is_held_to_it(region: Region) -> None:
    """Ten years from the day of the study; other reasons stay what they are."""
    young = region.study(study_date=date(2016, 11, 25))
    old = region.study(study_date=date(2016, 11, 24))
    say(region, retention_years=10)
    words = {"why": Why.RETENTION, "at": NOW}
    with pytest.raises(RemovalInvalid, match="10 years"):
        delete_study(region.olga.actor, public_id=young.public_id, **words)
    delete_study(region.olga.actor, public_id=old.public_id, **words)
    delete_study(region.olga.actor, public_id=young.public_id, why=Why.REQUEST, at=NOW)


def test_the_profiles_page_keeps_what_was_typed_and_draws_the_picture_anew(
    client: Client, region: Region
) -> None:
    """A picture becomes a small PNG; what is none is refused."""
    sign_in(client, region.admin.user)
    page = client.get("/organization/profile/")
    said = {k: v for k, v in page.context["form"].initial.items() if v is not None}
    answer = client.post("/organization/profile/", said | {"tier": "county"}, follow=True)
    assert "Saved: tier." in answer.content.decode()
    wrong = client.post("/organization/profile/", said | {"colour": "red", "address": "Here 1"})
    assert wrong.status_code == 422
    assert "Here 1" in wrong.content.decode()
    out = io.BytesIO()
    Image.new("RGB", (900, 300), "teal").save(out, "JPEG")
    for name, data, status in (("a.jpg", out.getvalue(), 302), ("a.svg", b"<svg/>", 422)):
        file = SimpleUploadedFile(name, data)
        assert client.post("/organization/logo/", {"picture": file}).status_code == status
    shown = client.get("/organization/logo/riverside/")
    with Image.open(io.BytesIO(shown.content)) as picture:
        assert (picture.format, picture.size) == ("PNG", (256, 85))
    assert client.get("/organization/logo/hilltop/").status_code == 404


def test_devices_are_ae_titles(client: Client, region: Region) -> None:
    """As DICOM has them."""
    sign_in(client, region.admin.user)
    url = "/organization/devices/"
    assert client.post(url, {"devices": "RV_CT1\nRV_MR1, RV_CT1"}).status_code == 302
    region.riverside.refresh_from_db()
    assert region.riverside.ae_titles == ["RV_CT1", "RV_MR1"]
    assert client.post(url, {"devices": "A\\B"}).status_code == 422
