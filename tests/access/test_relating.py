"""Referrals, consults and transfers: the custodian's people record them, a day or they end them."""

from datetime import timedelta
from typing import Any

import pytest

from sharing.access.errors import TieInvalid, TieNotFound
from sharing.access.models import Relationship
from sharing.access.rules import Rule
from sharing.access.services import (
    Kind,
    Tie,
    decide_one,
    end_given,
    end_tie,
    kinds_of,
    record_tie,
    ties_of,
)
from sharing.archive.models import Study
from sharing.audit.models import Event
from sharing.identity.errors import PatientNotFound
from sharing.kernel.purposes import Action
from sharing.tenants.errors import NotAllowed
from sharing.tenants.models import Region as RegionRow
from sharing.tenants.rules import ImplicitPolicy, Role
from tests.cast import NOW, Person, Region, make_person

DAY = timedelta(days=1)


def tie(region: Region, study: Study, by: Person | None = None, **said: Any) -> Relationship:
    """Mei confirms that Ben referred Pat for the study."""
    values = {
        "kind": Kind.REFERRER,
        "patient": study.patient,
        "organization": region.hilltop,
        "person": region.ben.user,
        "study_uid": study.study_uid,
        "until": NOW + 30 * DAY,
        "reason": "The referral letter",
    } | said
    return record_tie(tie=Tie(**values), by=(by or region.mei).actor, at=NOW)


def sees(person: Person, study: Study, at: Any = NOW, action: Action = Action.IMAGES) -> bool:
    """By the decision and by the fence alike."""
    found = decide_one(person.actor, action, study.subject, at=at)
    listed = Study.objects.visible_to(person.actor, at, action).filter(pk=study.pk).exists()
    assert listed == found.allowed
    assert not found.allowed or found.basis.rule == Rule.IMPLIED_RELATIONSHIP
    return found.allowed


@pytest.fixture
def study(region: Region) -> Study:
    """Pat's, in a region that lets relationships open what they name."""
    RegionRow.objects.create(pk=1, implied_relationships=True)
    return region.study()


def test_a_referrer_sees_the_study_until_the_day_and_no_longer(
    region: Region, study: Study
) -> None:
    other = region.study()
    assert not sees(region.ben, study)
    tie(region, study)
    assert sees(region.ben, study)
    assert not sees(region.ben, study, action=Action.DOWNLOAD)
    assert not sees(region.ben, other)
    assert not sees(region.cleo, study)
    assert not sees(region.ben, study, at=NOW + 30 * DAY)


def test_where_the_region_lets_it_open_nothing_it_opens_nothing(
    region: Region, study: Study
) -> None:
    tie(region, study)
    RegionRow.objects.update(implied_relationships=False)
    assert not sees(region.ben, study)


def test_who_left_their_house_and_comes_again_is_tied_no_more(region: Region, study: Study) -> None:
    """Ben's own tie ends, and the log says so; Lakeside's as a whole goes on."""
    tie(region, study)
    whole = tie(
        region, study, kind=Kind.TRANSFER, person=None, study_uid="", organization=region.lakeside
    )
    where = {"user_id": region.ben.user.pk, "organization_id": region.hilltop.pk}
    assert end_given(**where, at=NOW + DAY) == 1
    assert sees(region.ben, study)
    assert not sees(region.ben, study, at=NOW + DAY)
    assert Event.objects.filter(action="tie.end").count() == 1
    whole.refresh_from_db()
    assert whole.ends_at == NOW + 30 * DAY
    assert end_given(**where, at=NOW + 2 * DAY) == 0


def test_what_the_patient_refused_stays_closed(region: Region, study: Study) -> None:
    tie(region, study)
    region.deny()
    assert not sees(region.ben, study)


def test_a_closed_consult_opens_nothing_and_only_a_radiologist_asks_for_one(
    region: Region, study: Study
) -> None:
    said = {"kind": Kind.CONSULT, "person": None}
    with pytest.raises(NotAllowed):
        tie(region, study, **said)
    made = tie(region, study, by=region.ada, **said)
    assert sees(region.ben, study)
    with pytest.raises(TieNotFound):
        end_tie(public_id=made.public_id, why="Answered", by=region.mei.actor, at=NOW)
    end_tie(public_id=made.public_id, why="Answered", by=region.ada.actor, at=NOW + DAY)
    assert not sees(region.ben, study, at=NOW + DAY)
    with pytest.raises(TieInvalid):
        end_tie(public_id=made.public_id, why="Twice", by=region.ada.actor, at=NOW + DAY)
    told = Event.objects.filter(action__startswith="tie.").order_by("pk")
    assert [(e.action, e.actor_name) for e in told] == [
        ("tie.record", "Ada Brandt"),
        ("tie.end", "Ada Brandt"),
    ]


def test_a_transfer_is_about_all_studies_those_that_come_too(region: Region, study: Study) -> None:
    tie(region, study, kind=Kind.TRANSFER, person=None, study_uid="")
    assert sees(region.ben, study)
    assert sees(region.ben, region.study())


@pytest.mark.parametrize(
    "said",
    [
        {"person": None},
        {"study_uid": ""},
        {"kind": Kind.TRANSFER},
        {"until": NOW},
        {"until": NOW + 400 * DAY},
        {"reason": "  "},
    ],
)
def test_half_a_relationship_is_none(region: Region, study: Study, said: dict[str, Any]) -> None:
    with pytest.raises(TieInvalid):
        tie(region, study, **said)
    for wrong in ({"organization": region.riverside}, {"person": region.cleo.user}):
        with pytest.raises(TieInvalid):
            tie(region, study, **wrong)
    assert not Relationship.objects.exists()


def test_a_name_on_a_study_ties_nobody(region: Region, study: Study) -> None:
    Study.objects.update(referring_physician="HARTLEY^BEN")
    assert not sees(region.ben, study)
    assert not Relationship.objects.exists()


def test_only_the_custodian_s_people_record_and_read(region: Region, study: Study) -> None:
    tie(region, study)
    assert kinds_of(region.mei.actor) == (Kind.REFERRER, Kind.TRANSFER)
    assert kinds_of(region.ada.actor) == (Kind.CONSULT,)
    assert kinds_of(region.ben.actor) == ()
    with pytest.raises(NotAllowed):
        ties_of(region.ben.actor, patient=region.pat)
    assert ties_of(region.ada.actor, patient=region.pat).count() == 1
    mia = make_person("Mia Horn", region.hilltop, Role.CLERK)
    with pytest.raises(PatientNotFound):
        tie(region, study, by=mia, organization=region.lakeside, person=region.cleo.user)


def test_a_labelled_study_is_opened_by_a_relationship_and_by_no_policy(
    region: Region, study: Study
) -> None:
    """Rung 5 names the study; rung 6 names nothing, and stops at a label."""
    Study.objects.update(labels="|PSY|")
    RegionRow.objects.update(implicit_policy=ImplicitPolicy.ALL_NORMAL)
    study.refresh_from_db()
    assert not sees(region.ben, study)
    tie(region, study)
    assert sees(region.ben, study)
