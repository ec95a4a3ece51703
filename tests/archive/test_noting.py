"""Notes on images: who may keep them, what is kept, who sees it again."""

from collections.abc import Iterator
from io import BytesIO
from typing import Any

import orjson
import pydicom
import pytest
from isal import isal_zlib

from sharing.archive.errors import NoteInvalid, NoteRefused, StudyNotFound
from sharing.archive.models import Instance, Study
from sharing.archive.services.noting import Notes, keep_notes, notes_on
from sharing.audit.models import Event
from sharing.blobs import store
from sharing.dicom.measured import Measure
from sharing.identity.models import Patient
from sharing.tenants.models import Region as RegionRow
from tests.cast import NOW, Person, Region
from tests.dciodvfy import iod_errors, is_part10


@pytest.fixture
def wrist_of(wrist: Study, region: Region) -> Study:
    """The study of 16 images, which Ben may see and Cleo may not."""
    region.permit(patient=wrist.patient)
    return wrist


def notes_for(study: Study, **more: Any) -> Notes:
    """A length of 100 columns on the first image, a region, a note, and a key image."""
    sop = Instance.objects.filter(series__study=study).order_by("number")[0].sop_uid
    figures = {"mean": 101.5, "sd": 7.25, "min": 80.0, "max": 130.0}
    return Notes(
        measures=(
            Measure("length", sop, 1, ((20.0, 30.0), (120.0, 30.0))),
            Measure("ellipse", sop, 1, ((40.0, 40.0), (60.0, 80.0)), "", figures),
            Measure("arrow", sop, 1, ((50.0, 50.0),), more.get("label", "Cyst 囊肿")),
        ),
        keys=((sop, 1),),
    )


def keep(person: Person, study: Study, notes: Notes | None = None) -> int:
    """That person keeps notes on the study."""
    said = notes or notes_for(study)
    return keep_notes(person.actor, public_id=study.public_id, notes=said, at=NOW)


def raw_of(instances: Any) -> Iterator[bytes]:
    """The stored bytes of each."""
    for row in instances:
        yield store().read(row.blob, row.offset, row.length)


def test_ben_s_notes_are_objects_of_hilltop_and_of_no_own_patient(
    wrist_of: Study, region: Region
) -> None:
    assert keep(region.ben, wrist_of) == 2
    held = Study.objects.get(organization=region.hilltop)
    assert held.study_uid == wrist_of.study_uid
    assert (held.patient.issuer, held.patient.identifier) == (
        wrist_of.patient.issuer,
        wrist_of.patient.identifier,
    )
    assert Patient.objects.filter(issuer=region.hilltop.patient_id_issuer).count() == 0
    assert Instance.objects.filter(organization=region.riverside).count() == 16


def test_what_is_kept_is_sound_dicom_and_says_the_length_in_mm(
    wrist_of: Study, region: Region
) -> None:
    keep(region.ben, wrist_of)
    kept = Instance.objects.filter(organization=region.hilltop).order_by("sop_class_uid")
    raws = list(raw_of(kept))
    for raw in raws:
        assert iod_errors(raw) == set()
        assert is_part10(raw)
    spacing = float(_metadata(wrist_of)["00280030"]["Value"][1])
    report = pydicom.dcmread(BytesIO(raws[0]))
    found = [item for item in _items(report) if _code(item) == "410668003"]
    value = found[0].MeasuredValueSequence[0]
    assert float(value.NumericValue) == pytest.approx(100 * spacing, abs=1e-3)
    assert value.MeasurementUnitsCodeSequence[0].CodeValue == "mm"


def test_ben_and_nobody_of_lakeside_sees_the_notes_again(wrist_of: Study, region: Region) -> None:
    keep(region.ben, wrist_of)
    again = notes_on(region.ben.actor, wrist_of, at=NOW)
    first = again[0].kept
    assert (first.author, first.organization) == ("Ben Hartley", "Hilltop Family Clinic")
    assert [each.kind for each in first.measures] == ["length", "ellipse", "arrow"]
    assert first.measures[0].points == ((20.0, 30.0), (120.0, 30.0))
    assert first.measures[2].label == "Cyst 囊肿"
    assert again[1].kept.keys == ((first.measures[0].sop, 1),)
    assert notes_on(region.cleo.actor, wrist_of, at=NOW) == []


def test_the_custodian_sees_no_notes_of_another_house_unless_the_patient_permits_it(
    wrist_of: Study, region: Region
) -> None:
    keep(region.ben, wrist_of)
    assert notes_on(region.ada.actor, wrist_of, at=NOW) == []
    keep(region.ada, wrist_of)
    assert [each.custodian for each in notes_on(region.ada.actor, wrist_of, at=NOW)] == [
        "Riverside General Hospital"
    ] * 2
    both = {each.custodian for each in notes_on(region.ben.actor, wrist_of, at=NOW)}
    assert both == {"Riverside General Hospital", "Hilltop Family Clinic"}


def test_who_reads_notes_of_another_house_is_in_the_log_of_that_house(
    wrist_of: Study, region: Region
) -> None:
    """They are of a study of its own, which nobody opened by name."""
    RegionRow.objects.update_or_create(pk=1, defaults={"implicit_policy": "all_normal"})
    keep(region.ben, wrist_of)
    assert len(notes_on(region.ada.actor, wrist_of, at=NOW)) == 2
    read = Event.objects.filter(custodian="hilltop", actor_id=region.ada.actor.id)
    assert read.get().action == "study.images"
    notes_on(region.ben.actor, wrist_of, at=NOW)
    assert not read.exclude(action="study.images").exists()


def test_keeping_is_in_the_log_of_the_custodian_with_its_ground(
    wrist_of: Study, region: Region
) -> None:
    keep(region.ben, wrist_of)
    event = Event.objects.get(action="study.note")
    assert event.study == wrist_of.public_id
    assert event.custodian == "riverside"
    assert event.detail == {"measures": 3, "keys": 1}
    assert event.permitted


def test_cleo_can_keep_nothing_on_what_she_may_not_see(wrist_of: Study, region: Region) -> None:
    with pytest.raises(StudyNotFound):
        keep(region.cleo, wrist_of)
    assert Study.objects.filter(organization=region.lakeside).count() == 0


def test_after_pat_revokes_ben_keeps_nothing_more(wrist: Study, region: Region) -> None:
    consent = region.permit(patient=wrist.patient)
    region.revoke(consent)
    with pytest.raises(StudyNotFound):
        keep(region.ben, wrist)


def test_a_clerk_keeps_no_notes(wrist_of: Study, region: Region) -> None:
    with pytest.raises(NoteRefused, match="keeps no notes"):
        keep(region.mei, wrist_of)


def test_notes_on_images_of_another_study_are_refused(wrist_of: Study, region: Region) -> None:
    stray = Notes(keys=(("1.2.3.4", 1),))
    with pytest.raises(NoteInvalid):
        keep(region.ben, wrist_of, stray)
    with pytest.raises(NoteInvalid):
        keep(region.ben, wrist_of, Notes())
    assert Event.objects.filter(action="study.note").count() == 0


def _metadata(study: Study) -> Any:
    row = Instance.objects.filter(series__study=study).order_by("number")[0]
    return orjson.loads(isal_zlib.decompress(row.metadata))


def _items(item: Any) -> Iterator[Any]:
    for each in item.get("ContentSequence", []):
        yield each
        yield from _items(each)


def _code(item: Any) -> str:
    return str(item.ConceptNameCodeSequence[0].CodeValue)
