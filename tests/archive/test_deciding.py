"""Conflicts: a person sees both, and keeps the old one or takes the new one."""

from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pydicom
import pytest
from django.utils import timezone

from sharing.archive.errors import ConflictNotFound, OnHold, RemovalInvalid
from sharing.archive.models import Conflict, Instance, Study, Withheld
from sharing.archive.rules import Door
from sharing.archive.services.deciding import compare, keep_old, picture_of, take_new, waiting
from sharing.archive.services.finding import find_studies
from sharing.archive.services.holding import place_hold
from sharing.archive.services.receiving import Incoming, receive
from sharing.archive.services.reconciling import reconcile
from sharing.archive.services.rejecting import purge
from sharing.audit.models import Event
from sharing.audit.rules import SYSTEM
from sharing.tenants.errors import NotAllowed
from tests.archive.keeping import held, somewhere
from tests.archive.sending import outcomes, send
from tests.cast import NOW, Region

DAY = timedelta(days=1)
SMALL = "single/pydicom_CT_small.dcm"


@pytest.fixture
def other(real_data: Path) -> bytes:
    """The small CT with another description and brighter pixels, under the same identifier."""
    data = pydicom.dcmread(real_data / SMALL)
    data.StudyDescription = "Corrected"
    data.PixelData = bytes(len(data.PixelData))
    made = BytesIO()
    data.save_as(made)
    return made.getvalue()


@pytest.fixture
def conflict(own_store: None, region: Region, real_data: Path, other: bytes) -> Conflict:
    """Riverside holds the small CT, and the other bytes wait."""
    send(region, real_data / SMALL)
    receive(
        organization=region.riverside, door=Door.STOW, sender="CT 2", by=SYSTEM, at=NOW,
        files=[Incoming("other", [other])],
    )  # fmt: skip
    return Conflict.objects.get()


def test_both_are_shown_side_by_side_and_the_log_knows(region: Region, conflict: Conflict) -> None:
    found = compare(region.ada.actor, conflict_id=conflict.pk, at=NOW)
    said = {each.name: (each.old, each.new) for each in found.differences}
    assert said["Study Description"] == ("e+1", "Corrected")
    assert "Patient's Name" not in said
    assert not found.same_pixels
    assert found.study == Study.objects.get()
    for new in (False, True):
        picture = picture_of(region.ada.actor, conflict_id=conflict.pk, new=new, at=NOW)
        assert picture.startswith(b"\xff\xd8\xff")
    assert Event.objects.get(action="study.compare").actor_id == region.ada.actor.id


def test_it_is_the_custodians_to_decide(region: Region, conflict: Conflict) -> None:
    region.permit(patient=Study.objects.get().patient)
    for person in (region.mei, region.olga, region.ben, region.cleo):
        for verb in (compare, keep_old, take_new):
            with pytest.raises(NotAllowed):
                verb(person.actor, conflict_id=conflict.pk, at=NOW)
    from sharing.tenants.rules import Role
    from tests.cast import make_person

    rita = make_person("Rita Lund", region.hilltop, Role.RADIOLOGIST).actor
    assert list(waiting(rita)) == []
    with pytest.raises(ConflictNotFound):
        take_new(rita, conflict_id=conflict.pk, at=NOW)


def test_the_old_one_is_kept_and_the_new_bytes_are_purged(
    region: Region, conflict: Conflict, other: bytes, run_jobs: Callable[..., int]
) -> None:
    whole = held()
    keep_old(region.ada.actor, conflict_id=conflict.pk, at=NOW)
    assert list(waiting(region.ada.actor)) == []
    assert held() == whole
    assert purge(at=NOW + 29 * DAY) == 0
    assert purge(at=NOW + 31 * DAY) == 1
    later = timezone.now() + 60 * DAY
    run_jobs(at=later)
    reconcile(at=later + DAY, collect=True)
    assert held() == whole
    assert not somewhere(other)
    with pytest.raises(ConflictNotFound):
        take_new(region.ada.actor, conflict_id=conflict.pk, at=NOW)


def test_the_new_one_is_taken_and_the_old_bytes_are_kept_for_a_time(
    region: Region, conflict: Conflict, real_data: Path, other: bytes
) -> None:
    region.permit(patient=Study.objects.get().patient)
    version = Instance.objects.get().series.version
    take_new(region.ada.actor, conflict_id=conflict.pk, at=NOW)
    assert held() == {other}
    kept = Withheld.objects.get()
    assert (kept.refused, somewhere((real_data / SMALL).read_bytes())) == (False, True)
    study = Study.objects.get()
    assert (study.instance_count, study.series_count) == (1, 1)
    assert find_studies(region.ben.actor, at=NOW).get() == study
    assert Instance.objects.get().series.version > version
    assert outcomes(send(region, real_data / SMALL)) == [("conflict", "conflict")]


def test_a_held_study_takes_nothing_new(region: Region, conflict: Conflict) -> None:
    whole = held()
    place_hold(region.olga.actor, public_id=Study.objects.get().public_id, reason="A case", at=NOW)
    with pytest.raises(OnHold):
        take_new(region.ada.actor, conflict_id=conflict.pk, at=NOW)
    assert held() == whole
    assert list(waiting(region.ada.actor)) == [conflict]
    assert Event.objects.filter(action="study.supersede.refused").count() == 1


def test_another_patients_image_never_replaces_one(
    own_store: None, region: Region, real_data: Path
) -> None:
    """The same identifier, and somebody else's name and birth date."""
    send(region, real_data / SMALL)
    data = pydicom.dcmread(real_data / SMALL)
    data.PatientName, data.PatientID, data.PatientBirthDate = "Other^Ann", "9", "19700101"
    made = BytesIO()
    data.save_as(made)
    files = [Incoming("other", [made.getvalue()])]
    receive(
        organization=region.riverside, door=Door.STOW, sender="CT 2", by=SYSTEM, at=NOW, files=files
    )
    whole = held()
    with pytest.raises(RemovalInvalid):
        take_new(region.ada.actor, conflict_id=Conflict.objects.get().pk, at=NOW)
    assert held() == whole
    assert Study.objects.get().instance_count == 1
    assert not Withheld.objects.exists()
