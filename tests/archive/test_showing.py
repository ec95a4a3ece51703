"""What lists, counts and searches show: what is in sight at this moment, and nothing beside it."""

from datetime import timedelta

from sharing.archive.services.finding import find_studies, grounds
from sharing.archive.services.searching import Query, search_studies
from sharing.archive.services.showing import patient_lines, patients_in_sight, show
from sharing.consent.rules import Verification
from sharing.consent.services import Told, exclude_person
from sharing.identity.models import Patient
from tests.cast import NOW, Person, Region, make_patient

SPOKEN = Told(verification=Verification.VERBAL, witness="Olga Weiss")


def lines(person: Person) -> list[tuple[str, int]]:
    """The patients in sight, each with the number of studies that the list says."""
    actor = person.actor
    found = list(patients_in_sight(actor, at=NOW))
    return [(line.patient.identifier, line.studies) for line in patient_lines(actor, found, at=NOW)]


def test_a_patient_s_line_counts_what_is_in_sight(region: Region) -> None:
    region.study()
    named = region.study()
    make_patient(region.riverside, "RV-2", name="Okafor^Amara")
    region.permit(studies=frozenset({named.study_uid}))
    assert lines(region.ben) == [("RV-1", 1)]
    assert lines(region.ada) == [("RV-1", 2), ("RV-2", 0)]
    assert lines(region.cleo) == []


def test_no_count_is_given_of_a_patient_out_of_sight(region: Region) -> None:
    region.study()
    everybody = list(Patient.objects.all())
    told = patient_lines(region.cleo.actor, everybody, at=NOW)
    assert [(line.studies, line.latest) for line in told] == [(0, None)]


def test_what_ended_since_the_list_was_made_is_left_out(region: Region) -> None:
    ending, lasting = region.study(), region.study()
    consent = region.permit(studies=frozenset({ending.study_uid}))
    region.permit(studies=frozenset({lasting.study_uid}))
    listed = list(find_studies(region.ben.actor, at=NOW))
    assert {study.pk for study in listed} == {ending.pk, lasting.pk}
    region.revoke(consent)
    shown = grounds(region.ben.actor, listed, at=NOW)
    assert [found.study for found in shown] == [lasting]
    assert [each.study for each in show(region.ben.actor, listed, at=NOW)] == [lasting]


def test_a_search_by_key_and_without_one_finds_what_is_in_sight(region: Region) -> None:
    region.study()
    keys: list[dict[str, str]] = [{}, {"PatientID": "RV-1"}, {"PatientName": "Moreau*"}]
    for person, count in ((region.ada, 1), (region.ben, 0), (region.cleo, 0)):
        for key in keys:
            assert found(person, **key) == count, (person.user.name, key)
    consent = region.permit()
    assert [found(region.ben, **key) for key in keys] == [1, 1, 1]
    region.revoke(consent, at=NOW + timedelta(minutes=1))
    assert [found(region.ben, **key) for key in keys] == [0, 0, 0]


def test_a_search_at_home_leaves_out_whom_the_patient_excluded(region: Region) -> None:
    region.study()
    other = make_patient(region.riverside, "RV-2", name="Okafor^Amara")
    region.study(other)
    assert found(region.ada) == 2
    exclude_person(
        patient=region.pat, user=region.ada.user, told=SPOKEN, by=region.mei.actor, at=NOW
    )
    assert found(region.ada) == 1
    assert found(region.ada, PatientID="RV-1") == 0


def found(person: Person, **keys: str) -> int:
    """How many studies a search finds for that person."""
    return len(search_studies(person.actor, Query(keys=keys), at=NOW).rows)
