"""Teams are asked for at each access; an organization only tightens what the region opens."""

from dataclasses import replace
from datetime import timedelta

import pytest

from sharing.access.rules import Rule
from sharing.access.services import decide_one
from sharing.archive.models import Study
from sharing.audit.models import Event
from sharing.consent.rules import GranteeKind
from sharing.consent.services import Whom
from sharing.kernel.errors import Absent
from sharing.kernel.purposes import Action
from sharing.tenants.errors import NotAllowed, PolicyWidens, TeamInvalid
from sharing.tenants.models import Membership, TeamMember
from sharing.tenants.rules import Actor, ImplicitPolicy, RegionSettings, Role, TeamKind
from sharing.tenants.services import (
    end_team,
    found_team,
    join_team,
    leave_team,
    region_settings,
    set_organization_policy,
    set_region,
)
from tests.cast import NOW, Region


def ben_may(region: Region) -> Rule | None:
    """The rung that refuses him; None where he may."""
    subject = Study.objects.with_owners().get().subject
    found = decide_one(region.ben.actor, Action.IMAGES, subject, at=NOW)
    return None if found.allowed else found.basis.rule


def manager(region: Region) -> Actor:
    """Hilltop's administrator."""
    there = replace(region.admin.actor, organization_id=region.hilltop.pk)
    return replace(there, organization_code="hilltop")


def test_a_consent_for_a_team_means_who_is_in_it_at_that_moment(region: Region) -> None:
    region.study()
    by = manager(region)
    team = found_team(kind=TeamKind.CARE_TEAM, name="Chest", by=by, at=NOW)
    region.permit(organizations=(), others=(Whom(GranteeKind.TEAM, team=team),))
    assert ben_may(region) == Rule.IMPLICIT_POLICY
    member = join_team(team=team, user=region.ben.user, by=by, at=NOW)
    assert join_team(team=team, user=region.ben.user, by=by, at=NOW) == member
    assert ben_may(region) is None
    leave_team(team=team, user=region.ben.user, by=by, at=NOW)
    assert ben_may(region) == Rule.IMPLICIT_POLICY
    join_team(team=team, user=region.ben.user, by=by, at=NOW)
    end_team(team=team, by=by, at=NOW)
    assert ben_may(region) == Rule.IMPLICIT_POLICY
    told = list(Event.objects.filter(action__startswith="team.").values_list("action", flat=True))
    assert told == ["team.found", "team.join", "team.leave", "team.join", "team.end"]


def test_only_the_own_organization_s_administrator_and_people_make_a_team(region: Region) -> None:
    by = manager(region)
    team = found_team(kind=TeamKind.DEPARTMENT, name="Chest", by=by, at=NOW)
    with pytest.raises(TeamInvalid):
        found_team(kind=TeamKind.DEPARTMENT, name=" Chest ", by=by, at=NOW)
    with pytest.raises(TeamInvalid):
        join_team(team=team, user=region.ada.user, by=by, at=NOW)
    with pytest.raises(Absent):
        join_team(team=team, user=region.ben.user, by=region.admin.actor, at=NOW)
    with pytest.raises(NotAllowed):
        found_team(kind=TeamKind.DEPARTMENT, name="Other", by=region.ben.actor, at=NOW)
    assert not TeamMember.objects.exists()


def operator(region: Region) -> Actor:
    """Olga, who runs the region too."""
    olga = region.olga.user
    Membership.objects.create(user=olga, organization=region.riverside, role=Role.OPERATOR)
    return region.olga.actor


def test_an_organization_only_tightens_what_the_region_opens(region: Region) -> None:
    region.study()
    olga = operator(region)
    assert ben_may(region) == Rule.IMPLICIT_POLICY
    set_region(settings=RegionSettings(policy=ImplicitPolicy.TREATING), by=olga, at=NOW)
    assert ben_may(region) is None
    with pytest.raises(PolicyWidens):
        set_organization_policy(policy=ImplicitPolicy.ALL_NORMAL, by=olga, at=NOW)
    set_organization_policy(policy=ImplicitPolicy.DENY, by=olga, at=NOW)
    assert ben_may(region) == Rule.IMPLICIT_POLICY
    set_organization_policy(policy=None, by=olga, at=NOW)
    assert ben_may(region) is None
    Study.objects.update(labels="|mental|")
    assert ben_may(region) == Rule.IMPLICIT_POLICY


def test_a_region_that_tightens_binds_those_who_were_wider(region: Region) -> None:
    """What an organization said under the wider rule opens nothing under the tighter one."""
    study, olga = region.study(), operator(region)
    wide, tight = ImplicitPolicy.ALL_NORMAL, ImplicitPolicy.DENY
    set_region(settings=RegionSettings(policy=wide), by=olga, at=NOW)
    set_organization_policy(policy=wide, by=olga, at=NOW)
    assert ben_may(region) is None
    set_region(settings=RegionSettings(policy=tight), by=olga, at=NOW)
    assert ben_may(region) == Rule.IMPLICIT_POLICY
    assert not Study.objects.visible_to(region.ben.actor, NOW).filter(pk=study.pk).exists()


def test_what_the_region_decided_is_read_back_and_only_its_operator_decides(region: Region) -> None:
    wanted = RegionSettings(
        policy=ImplicitPolicy.BREAK_GLASS, implied=True, majority=16, emergency_hours=2,
        review_days=5, emergencies_a_day=1,
    )  # fmt: skip
    for person in (region.ada, region.admin, region.ben):
        with pytest.raises(NotAllowed):
            set_region(settings=wanted, by=person.actor, at=NOW)
        with pytest.raises(NotAllowed):
            set_organization_policy(policy=ImplicitPolicy.DENY, by=person.actor, at=NOW)
    set_region(settings=wanted, by=operator(region), at=NOW + timedelta(days=1))
    assert region_settings() == wanted
    assert Event.objects.get(action="region.set").detail["majority"] == 16
