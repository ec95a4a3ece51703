"""An organization leaves with everything it brought, and only two persons let it be deleted."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from sharing.archive.models import Study
from sharing.audit.models import Event
from sharing.kernel.lifecycle import NotNow
from sharing.office import services
from sharing.office.errors import ExportMissing, SamePerson
from sharing.office.models import Leaving
from sharing.tenants import services as tenants
from sharing.tenants.errors import NotAllowed
from sharing.tenants.models import Organization
from sharing.tenants.rules import Role
from tests.archive.sending import dicom_files, send
from tests.cast import NOW, Person, Region, make_organization, make_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def olu() -> Person:
    """The region's operator."""
    office = make_organization("office", "Exchange Office", kind="operator")
    return make_person("Olu Park", office, Role.OPERATOR)


@pytest.fixture
def left(region: Region, olu: Person, real_data: Path, settings: Any, tmp_path: Path) -> Region:
    """Riverside has a study and a consent, and is on its way out."""
    settings.DATA_DIR = tmp_path
    send(region, *dicom_files(real_data / "studies/mr_epi_multiseries"))
    region.permit()
    tenants.offboard(organization=region.riverside, why="A merger.", by=olu.actor, at=NOW)
    return region


def exported(region: Region) -> Leaving:
    """The export, as the worker writes it."""
    found = services.export(organization_id=region.riverside.pk, at=timezone.now())
    assert found is not None
    return found


def folder_of(found: Leaving, tmp_path: Path) -> Path:
    return tmp_path / found.folder


def test_all_of_it_is_written_with_sums_that_are_right(
    left: Region, tmp_path: Path, real_data: Path
) -> None:
    """Each image byte for byte; the consent, the history, the people and the log beside them."""
    found = exported(left)
    folder = folder_of(found, tmp_path)
    lines = (folder / "SHA256SUMS").read_text().splitlines()
    for line in lines:
        digest, name = line.split("  ")
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    sent = {f.read_bytes() for f in dicom_files(real_data / "studies/mr_epi_multiseries")}
    assert {f.read_bytes() for f in (folder / "dicom").rglob("*.dcm")} == sent
    names = {Path(line.split("  ")[1]).name for line in lines}
    assert {"consents.ndjson", "history.ndjson", "people.ndjson", "log.ndjson"} <= names
    assert left.pat.identifier in (folder / "consents.ndjson").read_text()
    assert (found.files, exported(left).pk) == (len(lines), found.pk)


def test_two_persons_close_it_and_then_nothing_of_it_is_left(left: Region, olu: Person) -> None:
    """Its administrator asks, the operator confirms; the history names both."""
    exported(left)
    services.ask_closing(organization=left.riverside, by=left.admin.actor, at=NOW)
    with pytest.raises(SamePerson):
        services.confirm_closing(organization=left.riverside, by=left.admin.actor, at=NOW)
    done = services.confirm_closing(organization=left.riverside, by=olu.actor, at=NOW)
    told = Event.objects.filter(action="organization.confirm_close", actor_id=olu.actor.id)
    assert told.get().custodian == "riverside"
    assert services.close(leaving_id=done.pk, at=NOW)
    left.riverside.refresh_from_db()
    assert left.riverside.state == "closed"
    assert not Study.objects.filter(organization=left.riverside).exists()
    line = tenants.history(left.riverside.pk).last()
    assert line is not None
    assert "Ines Roth and Olu Park" in line.reason


def test_one_person_with_two_offices_is_one_person(left: Region, olu: Person) -> None:
    """Olu asks for the operator and confirms as the house's own administrator."""
    exported(left)
    tenants.add_member(
        organization=left.riverside, user=olu.user, role=Role.ADMINISTRATOR,
        by=left.admin.actor.who, at=NOW,
    )  # fmt: skip
    services.ask_closing(organization=left.riverside, by=olu.actor, at=NOW)
    same = tenants.actor_for_session(olu.user, {"acting": "riverside:HOPERAT"}, assured=True)
    assert same is not None
    with pytest.raises(SamePerson):
        services.confirm_closing(organization=left.riverside, by=same, at=NOW)


def test_two_of_the_house_are_not_enough(left: Region) -> None:
    """One of the two is the operator's."""
    exported(left)
    other = make_person("Ivo Holt", left.riverside, Role.ADMINISTRATOR)
    services.ask_closing(organization=left.riverside, by=left.admin.actor, at=NOW)
    with pytest.raises(SamePerson):
        services.confirm_closing(organization=left.riverside, by=other.actor, at=NOW)
    with pytest.raises(NotAllowed):
        services.confirm_closing(organization=left.riverside, by=left.ben.actor, at=NOW)


def test_who_only_works_for_the_operator_too_is_not_its_word(left: Region, olu: Person) -> None:
    """Ines keeps the office's books as well: that decides nothing for the region."""
    exported(left)
    tenants.add_member(
        organization=olu.organization, user=left.admin.user, role=Role.AUDITOR,
        by=olu.actor.who, at=NOW,
    )  # fmt: skip
    ines = left.admin.user
    actor = tenants.actor_for_session(ines, {"acting": "riverside:HOPERAT"}, assured=True)
    assert actor is not None
    services.ask_closing(organization=left.riverside, by=actor, at=NOW)
    other = make_person("Ivo Holt", left.riverside, Role.ADMINISTRATOR)
    with pytest.raises(SamePerson):
        services.confirm_closing(organization=left.riverside, by=other.actor, at=NOW)


def test_nothing_is_deleted_before_all_was_exported(left: Region, olu: Person) -> None:
    """Neither asked for nor confirmed."""
    with pytest.raises(NotNow):
        services.ask_closing(organization=left.riverside, by=olu.actor, at=NOW)
    Leaving.objects.create(organization=left.riverside, begun_at=NOW)
    with pytest.raises(ExportMissing):
        services.ask_closing(organization=left.riverside, by=olu.actor, at=NOW)
    with pytest.raises(IntegrityError), transaction.atomic():
        Leaving.objects.update(confirmed_at=NOW, asked_by_id="a", confirmed_by_id="b")


@pytest.mark.parametrize("fault", ["another file", "no file", "a hold"])
def test_a_wrong_sum_or_a_hold_stops_it_and_both_are_asked_anew(
    left: Region, olu: Person, tmp_path: Path, fault: str
) -> None:
    """The studies are all there still."""
    found = exported(left)
    file = next(folder_of(found, tmp_path).rglob("*.dcm"))
    if fault == "another file":
        file.write_bytes(b"x")
    elif fault == "no file":
        file.unlink()
    else:
        Organization.objects.filter(pk=left.riverside.pk).update(legal_hold="Case 12")
    services.ask_closing(organization=left.riverside, by=left.admin.actor, at=NOW)
    services.confirm_closing(organization=left.riverside, by=olu.actor, at=NOW)
    assert not services.close(leaving_id=found.pk, at=NOW)
    found.refresh_from_db()
    assert found.stopped
    assert (found.asked_at, found.confirmed_at) == (None, None)
    left.riverside.refresh_from_db()
    assert left.riverside.state == "offboarding"
    assert Study.objects.filter(organization=left.riverside).exists()


def test_who_stays_is_suspended_and_leaves_no_more(left: Region, olu: Person) -> None:
    """What was asked for has ended."""
    exported(left)
    services.stay(organization=left.riverside, why="No merger.", by=olu.actor, at=NOW)
    left.riverside.refresh_from_db()
    assert left.riverside.state == "suspended"
    assert services.leaving_of(left.riverside.pk) is None
    assert services.export(organization_id=left.riverside.pk, at=NOW) is None
    with pytest.raises(NotNow):
        services.ask_closing(organization=left.riverside, by=olu.actor, at=NOW)
