"""Sharing with a department: who is in it at that moment, acting for its organization."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from sharing.access.errors import NotCovered, ShareInvalid
from sharing.access.models import Grant, Share
from sharing.access.services import decide_one, preview_share, shares_made, treating_team
from sharing.archive.models import Study
from sharing.audit.rules import SYSTEM
from sharing.kernel.purposes import Purpose
from sharing.notify import services as notify
from sharing.notify.models import Notice
from sharing.tenants.models import Team
from sharing.tenants.rules import Role, TeamKind
from sharing.tenants.services import (
    acting_choices,
    actor_for_session,
    add_member,
    end_team,
    found_team,
    join_team,
    leave_team,
    teams_that_treat,
)
from tests.access.test_sharing import ALL, DAY, sees, shared
from tests.cast import NOW, Person, Region, make_person


@pytest.fixture
def study(region: Region) -> Study:
    """Pat lets Riverside name who may see, download and share on."""
    region.permit(organizations=(), named_by_custodian=True, actions=ALL)
    return region.study()


@pytest.fixture
def chief(region: Region) -> Person:
    """Who keeps Hilltop's departments."""
    return make_person("Inga Falk", region.hilltop, Role.ADMINISTRATOR)


@pytest.fixture
def chest(region: Region, chief: Person) -> Team:
    """Hilltop's chest clinic, with Ben in it."""
    team = found_team(kind=TeamKind.DEPARTMENT, name="Chest clinic", by=chief.actor, at=NOW)
    join_team(team=team, user=region.ben.user, by=chief.actor, at=NOW)
    return team


@pytest.fixture
def hugo(region: Region) -> Person:
    """Another physician of Hilltop, of no department."""
    return make_person("Hugo Lind", region.hilltop, Role.PHYSICIAN)


def test_a_share_with_the_chest_clinic_is_for_its_people_and_not_for_the_rest_of_hilltop(
    region: Region, study: Study, chest: Team, hugo: Person
) -> None:
    shared(region, study, team=chest)
    assert sees(region.ben, study)
    assert not sees(hugo, study)
    assert not sees(region.cleo, study)


def test_who_joins_sees_it_and_who_leaves_does_not_from_that_moment(
    region: Region, study: Study, chest: Team, hugo: Person, chief: Person
) -> None:
    shared(region, study, team=chest)
    join_team(team=chest, user=hugo.user, by=chief.actor, at=NOW)
    assert sees(hugo, study)
    leave_team(team=chest, user=region.ben.user, by=chief.actor, at=NOW)
    assert not sees(region.ben, study)
    end_team(team=chest, by=chief.actor, at=NOW)
    assert not sees(hugo, study)


def test_of_a_member_it_opens_at_the_teams_own_organization_only(
    region: Region, study: Study, chest: Team
) -> None:
    """Ben works at Lakeside too; the chest clinic is Hilltop's."""
    shared(region, study, team=chest)
    add_member(
        organization=region.lakeside, user=region.ben.user, role=Role.PHYSICIAN, by=SYSTEM, at=NOW
    )
    seen = {}
    for choice in acting_choices(region.ben.user):
        actor = actor_for_session(region.ben.user, {"acting": choice.key}, assured=True)
        assert actor is not None
        seen[choice.organization.code] = Study.objects.visible_to(actor, NOW).exists()
        decided = decide_one(actor, "discover", study.subject, at=NOW).allowed  # type: ignore[arg-type]
        assert decided == seen[choice.organization.code]
    assert seen == {"hilltop": True, "lakeside": False}


def test_a_team_shares_on_what_its_people_were_given(
    region: Region, study: Study, chest: Team
) -> None:
    shared(region, study, team=chest, actions=("discover", "report", "images", "reshare"))
    shared(region, study, to=region.lakeside, by=region.ben.actor)
    assert sees(region.cleo, study)


def test_a_department_of_another_organization_a_project_and_an_empty_one_are_refused(
    region: Region, study: Study, chest: Team, chief: Person
) -> None:
    project = found_team(kind=TeamKind.PROJECT, name="Lung study", by=chief.actor, at=NOW)
    join_team(team=project, user=region.ben.user, by=chief.actor, at=NOW)
    empty = found_team(kind=TeamKind.DEPARTMENT, name="Nobody yet", by=chief.actor, at=NOW)
    for team, to in ((chest, region.lakeside), (project, region.hilltop), (empty, region.hilltop)):
        with pytest.raises(ShareInvalid, match="Choose a department"):
            shared(region, study, team=team, to=to)
        with pytest.raises(ShareInvalid):
            treating_team(organization=to, public_id=team.public_id)
    assert not Share.objects.exists()
    assert teams_that_treat(without=region.riverside.pk) == [chest]
    assert teams_that_treat(without=region.hilltop.pk) == []


def test_what_pat_refuses_the_department_can_t_be_shared_with_it(
    region: Region, study: Study, chest: Team
) -> None:
    region.deny()
    with pytest.raises(NotCovered, match="Patient refused Hilltop"):
        shared(region, study, team=chest)
    [found] = preview_share(
        subjects=[study.subject], to=region.hilltop, purpose=Purpose.TREATMENT,
        until=NOW + DAY, by=region.riverside.pk, at=NOW, team=chest,
    )  # fmt: skip
    assert found.missing.startswith("Patient refused Hilltop")


def test_only_the_people_of_the_department_are_told(
    region: Region, study: Study, chest: Team, hugo: Person
) -> None:
    made = shared(region, study, team=chest)
    notify.tell_shared(share_id=made.pk, at=NOW + timedelta(minutes=1))
    assert {notice.user for notice in Notice.objects.all()} == {region.ben.user}
    assert shares_made(region.ada.actor, at=NOW).get().to_team == chest


def test_a_grant_to_a_team_names_the_team(region: Region, study: Study, chest: Team) -> None:
    """The database keeps it, whoever writes."""
    shared(region, study, team=chest)
    for change in ({"team": None}, {"grantee_kind": "organization"}):
        with pytest.raises(IntegrityError, match="a_grant_to_a_team"), transaction.atomic():
            Grant.objects.update(**change)
