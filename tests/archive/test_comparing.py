"""Earlier studies beside the open one: of the same patient, in sight, and of nobody else."""

import io
from datetime import date, timedelta
from typing import Any

import pytest

from sharing.archive.errors import StudyNotFound
from sharing.archive.models import Study
from sharing.archive.services.comparing import earlier_than, open_beside
from sharing.audit.models import Event
from sharing.consent.rules import Decision
from sharing.consent.services import Said, record_consent
from sharing.kernel.purposes import Action, Purpose
from sharing.tenants.rules import Role
from tests.cast import NOW, PDF, Region, make_patient, make_person, make_study


def beside(region: Region, study: Study, other: Study) -> Any:
    """Ben wants to see the other one beside the study."""
    return open_beside(region.ben.actor, public_id=study.public_id, other=other.public_id, at=NOW)


def at_lakeside(region: Region, **facts: Any) -> Study:
    """A study that Lakeside holds of Pat, under Riverside's identifier and issuer."""
    values = {"issuer": region.pat.issuer, "birth_date": region.pat.birth_date} | facts
    patient = make_patient(region.lakeside, region.pat.identifier, **values)
    return make_study(patient, study_date=date(2025, 5, 2))


def listed(region: Region, study: Study) -> list[tuple[str, bool]]:
    """Who holds each earlier study that Ben may see, and whether it is proposed."""
    found = earlier_than(region.ben.actor, study, at=NOW)
    return [(each.study.organization.code, each.proposed) for each in found]


def test_pat_s_studies_of_other_houses_stand_beside_as_far_as_ben_may_see(region: Region) -> None:
    study, lakeside = region.study(), at_lakeside(region)
    region.permit()
    assert listed(region, study) == []
    _permit_at_lakeside(region, lakeside)
    assert listed(region, study) == [("lakeside", True)]


def test_the_newest_of_the_same_kind_and_region_is_proposed(region: Region) -> None:
    study = region.study(body_regions="|CHEST|")
    region.study(body_regions="|HEAD|", study_date=date(2026, 5, 1))
    fits = region.study(body_regions="|CHEST|", study_date=date(2025, 5, 1))
    region.study(body_regions="|CHEST|", study_date=date(2024, 5, 1))
    region.study(body_regions="|CHEST|", modalities="|MR|", study_date=date(2026, 1, 1))
    region.study(body_regions="|CHEST|", study_date=date(2026, 11, 20))  # a later one
    region.permit()
    found = earlier_than(region.ben.actor, study, at=NOW)
    assert [each.study for each in found if each.proposed] == [fits]


def test_two_patients_never_meet_in_one_viewer(region: Region) -> None:
    study = region.study()
    stranger = make_patient(region.riverside, "RV-2", name="Okafor^Amara")
    other = region.study(stranger)
    region.permit()
    region.permit(patient=stranger)
    with pytest.raises(StudyNotFound):
        beside(region, study, other)
    assert listed(region, study) == []
    assert not Event.objects.filter(study=other.public_id).exists()


def test_the_same_identifier_of_another_issuer_is_another_patient(region: Region) -> None:
    study = region.study()
    lakeside = at_lakeside(region, issuer="")
    region.permit()
    _permit_at_lakeside(region, lakeside)
    assert listed(region, study) == []
    with pytest.raises(StudyNotFound):
        beside(region, study, lakeside)


def test_another_birth_date_is_another_patient(region: Region) -> None:
    study = region.study()
    lakeside = at_lakeside(region, birth_date=date(1990, 1, 1))
    region.permit()
    _permit_at_lakeside(region, lakeside)
    assert listed(region, study) == []


def test_an_earlier_study_is_opened_and_logged_as_one_of_its_own(region: Region) -> None:
    study, other = region.study(), region.study(study_date=date(2025, 1, 1))
    region.permit()
    assert beside(region, study, other).study == other
    assert Event.objects.get(action="study.images").study == other.public_id


def test_what_is_hidden_from_ben_is_absent_beside(region: Region) -> None:
    study, other = region.study(), region.study()
    region.permit(studies=frozenset({study.study_uid}))
    assert listed(region, study) == []
    with pytest.raises(StudyNotFound):
        beside(region, study, other)


def _permit_at_lakeside(region: Region, study: Study) -> None:
    """What Pat said to a clerk of Lakeside."""
    clerk = make_person("Lena Ott", region.lakeside, Role.CLERK)
    said = Said(
        decision=Decision.PERMIT,
        organizations=(region.hilltop,),
        starts_at=NOW,
        ends_at=NOW + timedelta(days=90),
        purposes=frozenset({Purpose.TREATMENT}),
        actions=frozenset(Action.IMAGES.ladder),
        evidence=io.BytesIO(PDF),
    )
    record_consent(patient=study.patient, said=said, by=clerk.actor, at=NOW)
