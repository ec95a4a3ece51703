"""Albums: a selection shared and added to, which opens nothing but what a consent lets be named."""

import pytest

from sharing.access.errors import NotCovered, ShareInvalid
from sharing.access.models import Grant, Share
from sharing.access.services import (
    decide_one,
    revoke_share,
    share,
    shares_made,
)
from sharing.archive.models import Study
from sharing.exchange.errors import AlbumInvalid
from sharing.exchange.models import AlbumMember, AlbumStudy
from sharing.exchange.services import (
    close_album,
    members_of,
    remove_member,
    share_again,
    take_out,
)
from sharing.kernel.purposes import Action, Purpose
from sharing.tenants.models import Membership
from sharing.tenants.rules import Role, TeamKind
from sharing.tenants.services import found_team, join_team, leave_team
from tests.cast import NOW, Region, make_patient, make_person
from tests.exchange.collecting import ALL, DAY, an_album, lets_in, puts, seen_by, sees, study

__all__ = ["study"]


def test_each_study_opens_to_each_member_whichever_came_first(region: Region, study: Study) -> None:
    album, later = an_album(region), region.study()
    puts(region, album, study)
    assert not sees(region.ben, study)
    lets_in(region, album)
    assert sees(region.ben, study)
    assert not sees(region.ben, later)
    puts(region, album, later)
    assert sees(region.ben, later)
    assert seen_by(region.ben, album) == [later, study]
    assert not sees(region.cleo, study)
    assert seen_by(region.cleo, album) is None


def test_a_member_may_look_and_neither_download_nor_share_on(region: Region, study: Study) -> None:
    album = an_album(region)
    puts(region, album, study)
    lets_in(region, album)
    for action in (Action.DOWNLOAD, Action.RESHARE):
        assert not decide_one(region.ben.actor, action, study.subject, at=NOW).allowed
    with pytest.raises(AlbumInvalid):
        an_album(region, actions=(*Action.IMAGES.ladder, Action.RESHARE))


@pytest.mark.parametrize("how", ["study", "member", "album", "consent"])
def test_sight_ends_at_once_when_the_study_the_member_the_album_or_the_consent_goes(
    region: Region, how: str
) -> None:
    consent = region.permit(organizations=(), named_by_custodian=True, actions=ALL)
    study, other = region.study(), region.study()
    album, ada = an_album(region), region.ada.actor
    puts(region, album, study, other)
    lets_in(region, album)
    (member,) = members_of(album)
    ends = {
        "study": lambda: take_out(public_id=album.public_id, study=study, by=ada, at=NOW),
        "member": lambda: remove_member(
            public_id=album.public_id, member_id=member.public_id, by=ada, at=NOW
        ),
        "album": lambda: close_album(public_id=album.public_id, by=ada, at=NOW),
        "consent": lambda: region.revoke(consent),
    }
    ends[how]()
    assert not sees(region.ben, study)
    assert sees(region.ben, other) == (how == "study")
    assert seen_by(region.ben, album) == ([other] if how == "study" else None)
    left = Grant.objects.live(NOW).filter(study_uid=study.study_uid)
    assert left.exists() == (how == "consent")


def test_what_came_another_way_stays_when_it_leaves_the_album(region: Region, study: Study) -> None:
    share(
        subjects=[study.subject], to=region.hilltop, purpose=Purpose.TREATMENT, note="",
        until=NOW + DAY, by=region.ada.actor, at=NOW,
    )  # fmt: skip
    album = an_album(region)
    puts(region, album, study)
    lets_in(region, album)
    take_out(public_id=album.public_id, study=study, by=region.ada.actor, at=NOW)
    assert sees(region.ben, study)
    assert seen_by(region.ben, album) is None


def test_who_left_their_house_is_given_nothing_and_keeps_nobody_from_filling_it(
    region: Region, study: Study
) -> None:
    """Gus comes back later: what was put in meanwhile is not waiting for him."""
    album = an_album(region)
    gus = make_person("Gus Low", region.hilltop, Role.PHYSICIAN)
    roles = Membership.objects.filter(user=gus.user)
    puts(region, album, study)
    for user in (region.ben.user, gus.user):
        lets_in(region, album, person=user)
    roles.update(ended_at=NOW)
    later = region.study()
    puts(region, album, later)
    roles.update(ended_at=None)
    assert sees(region.ben, later)
    assert not sees(gus, later)
    roles.update(ended_at=NOW)
    with pytest.raises(ShareInvalid):
        lets_in(region, an_album(region, name="Other"), person=gus.user)


def test_who_comes_again_sees_it_again_and_the_old_rows_stay(region: Region, study: Study) -> None:
    album, ada = an_album(region), region.ada.actor
    puts(region, album, study)
    lets_in(region, album)
    (member,) = members_of(album)
    remove_member(public_id=album.public_id, member_id=member.public_id, by=ada, at=NOW)
    take_out(public_id=album.public_id, study=study, by=ada, at=NOW)
    lets_in(region, album)
    puts(region, album, study)
    assert sees(region.ben, study)
    assert AlbumMember.objects.count() == AlbumStudy.objects.count() == 2
    with pytest.raises(AlbumInvalid, match="already"):
        puts(region, album, study)
    with pytest.raises(AlbumInvalid, match="already"):
        lets_in(region, album)


def test_a_study_that_no_consent_covers_for_any_member_is_not_put_in(
    region: Region, study: Study
) -> None:
    anna = make_patient(region.riverside, "RV-2", name="Berg^Anna")
    hers, album = region.study(anna), an_album(region)
    lets_in(region, album)
    with pytest.raises(NotCovered, match="No consent is on file"):
        puts(region, album, study, hers)
    assert not AlbumStudy.objects.exists()
    assert not Share.objects.exists()
    puts(region, album, study)
    assert seen_by(region.ada, album) == [study]


def test_who_is_covered_for_nothing_of_it_is_not_let_in(region: Region, study: Study) -> None:
    region.deny(region.lakeside)
    album = an_album(region)
    puts(region, album, study)
    with pytest.raises(NotCovered):
        lets_in(region, album, to=region.lakeside, person=region.cleo.user)
    assert members_of(album) == []
    assert seen_by(region.cleo, album) is None


def test_of_an_album_each_sees_and_counts_what_the_ordinary_decision_lets_them_see(
    region: Region, study: Study
) -> None:
    anna = make_patient(region.riverside, "RV-2", name="Berg^Anna")
    region.permit(patient=anna, organizations=(), named_by_custodian=True, actions=ALL)
    region.deny(patient=anna)
    hers, album = region.study(anna), an_album(region)
    lets_in(region, album, to=region.lakeside, person=region.cleo.user)
    puts(region, album, study, hers)
    lines = lets_in(region, album)
    assert {line.study: line.covered for line in lines} == {study: True, hers: False}
    assert seen_by(region.ben, album) == [study]
    assert seen_by(region.cleo, album) == [hers, study]
    assert not Grant.objects.filter(user=region.ben.user, patient=anna).exists()


def test_what_a_consent_came_to_cover_is_opened_when_somebody_says_so(
    region: Region, study: Study
) -> None:
    album, later = an_album(region), NOW + DAY
    denied = region.deny()
    lets_in(region, album, to=region.lakeside, person=region.cleo.user)
    puts(region, album, study)
    anna = make_patient(region.riverside, "RV-2", name="Berg^Anna")
    region.permit(patient=anna, organizations=(), named_by_custodian=True, actions=ALL)
    puts(region, album, region.study(anna))
    lets_in(region, album)
    assert not sees(region.ben, study, later)
    region.revoke(denied, later)
    assert not sees(region.ben, study, later)
    assert share_again(public_id=album.public_id, by=region.ada.actor, at=later) == 1
    assert sees(region.ben, study, later)
    assert share_again(public_id=album.public_id, by=region.ada.actor, at=later) == 0


def test_what_the_custodian_took_back_stays_back_while_others_are_put_in(
    region: Region, study: Study
) -> None:
    album, other = an_album(region), region.study()
    puts(region, album, study)
    lets_in(region, album)
    (made,) = shares_made(region.olga.actor, at=NOW)
    revoke_share(public_id=made.public_id, by=region.olga.actor, at=NOW)
    puts(region, album, other)
    lets_in(region, album, to=region.lakeside, person=region.cleo.user)
    assert not sees(region.ben, study)
    assert sees(region.ben, other)
    assert sees(region.cleo, study)


def test_a_department_is_let_in_and_only_its_people_of_that_moment_see_it(
    region: Region, study: Study
) -> None:
    chief = make_person("Inga Falk", region.hilltop, Role.ADMINISTRATOR)
    hugo = make_person("Hugo Lind", region.hilltop, Role.PHYSICIAN)
    chest = found_team(kind=TeamKind.DEPARTMENT, name="Chest clinic", by=chief.actor, at=NOW)
    join_team(team=chest, user=region.ben.user, by=chief.actor, at=NOW)
    album = an_album(region)
    puts(region, album, study)
    lets_in(region, album, person=None, team=chest)
    assert seen_by(region.ben, album) == [study]
    assert seen_by(hugo, album) is None
    leave_team(team=chest, user=region.ben.user, by=chief.actor, at=NOW)
    assert seen_by(region.ben, album) is None


def test_an_organization_is_let_in_and_its_people_see_it_for_the_albums_purpose(
    region: Region, study: Study
) -> None:
    clerk = make_person("Kim Roe", region.hilltop, Role.CLERK)
    album = an_album(region)
    puts(region, album, study)
    lets_in(region, album, person=None)
    assert seen_by(region.ben, album) == [study]
    region.permit(purposes=frozenset({Purpose.OPERATIONS}))
    assert Study.objects.visible_to(clerk.actor, NOW).exists()
    assert seen_by(clerk, album) is None
