"""Albums: who keeps one, what it may give, and what is written down of it."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from sharing.access.errors import NotCovered, ShareInvalid, ShareNotFound
from sharing.access.models import Grant
from sharing.access.services import (
    ask_renewal,
    explain_access,
    revoke_share,
    share,
    shares_ending,
    shares_made,
)
from sharing.archive.models import Study
from sharing.audit.models import Event
from sharing.exchange.errors import AlbumInvalid, AlbumNotFound
from sharing.exchange.models import AlbumMember, AlbumStudy
from sharing.exchange.services import (
    AlbumWanted,
    add_member,
    album_seen,
    albums_seen,
    albums_with,
    close_album,
    foresee_album,
    make_album,
    members_of,
    prolong_album,
    remove_member,
    take_out,
)
from sharing.kernel.purposes import Action, Purpose
from sharing.tenants.errors import NotAllowed
from sharing.tenants.rules import Role
from tests.cast import NOW, Region, make_person
from tests.exchange.collecting import ALL, DAY, an_album, lets_in, puts, seen_by, sees, study

__all__ = ["study"]


def test_the_albums_own_people_see_what_they_see_and_get_no_grant(
    region: Region, study: Study
) -> None:
    tom = make_person("Tom Reis", region.riverside, Role.TECHNOLOGIST)
    album = an_album(region)
    assert seen_by(tom, album) is None
    puts(region, album, study)
    assert seen_by(tom, album) is None
    assert lets_in(region, album, to=region.riverside, person=tom.user) == []
    assert seen_by(tom, album) == [study]
    assert not Grant.objects.exists()


def test_what_was_shared_on_with_hilltop_goes_into_its_album_and_never_beyond_what_it_got(
    region: Region, study: Study
) -> None:
    share(
        subjects=[study.subject], to=region.hilltop, purpose=Purpose.TREATMENT, note="",
        until=NOW + 9 * DAY, by=region.ada.actor, at=NOW,
        actions=(*Action.IMAGES.ladder[:3], Action.RESHARE),
    )  # fmt: skip
    wanted = AlbumWanted("Board", Purpose.TREATMENT, NOW + 5 * DAY)
    album = make_album(wanted=wanted, by=region.ben.actor, at=NOW)
    add_member(
        public_id=album.public_id, to=region.lakeside, person=region.cleo.user,
        by=region.ben.actor, at=NOW,
    )  # fmt: skip
    puts(region, album, study, by=region.ben.actor)
    assert seen_by(region.cleo, album) == [study]
    assert seen_by(region.ada, album) is None
    (given,) = shares_made(region.ada.actor, at=NOW).filter(album="")
    revoke_share(public_id=given.public_id, by=region.ada.actor, at=NOW)
    assert seen_by(region.cleo, album) is None
    assert seen_by(region.ben, album) == []


def test_a_grant_of_an_album_ends_with_the_consent_that_carries_it_or_with_the_album(
    region: Region,
) -> None:
    region.permit(organizations=(), named_by_custodian=True, actions=ALL, ends_at=NOW + 7 * DAY)
    study, album = region.study(), an_album(region)
    lets_in(region, album)
    puts(region, album, study)
    assert Grant.objects.get().ends_at == NOW + 7 * DAY
    assert album not in albums_seen(region.ada.actor, at=NOW + 30 * DAY)


def test_the_reason_names_the_album(region: Region, study: Study) -> None:
    album = an_album(region)
    lets_in(region, album)
    puts(region, album, study)
    told = explain_access(region.ben.actor, Action.IMAGES, study.subject, moment=NOW, at=NOW)
    assert "in the album “Chest board”" in told.decision.reason
    assert albums_with(region.ben.actor, study.subject, at=NOW) == [album]
    assert albums_with(region.cleo.actor, study.subject, at=NOW) == []


def test_who_shares_at_the_organization_keeps_it_and_nobody_else(
    region: Region, study: Study
) -> None:
    album, other = an_album(region), region.study()
    puts(region, album, study)
    lets_in(region, album)
    colleague = make_person("Nora Vos", region.riverside, Role.PHYSICIAN)
    puts(region, album, other, by=colleague.actor)
    fresh = region.study()
    for stranger, refusal in (
        (region.mei, NotAllowed), (region.ben, AlbumNotFound), (region.cleo, AlbumNotFound),
    ):  # fmt: skip
        with pytest.raises(refusal):
            puts(region, album, fresh, by=stranger.actor)
        with pytest.raises((NotAllowed, AlbumNotFound)):
            close_album(public_id=album.public_id, by=stranger.actor, at=NOW)
    with pytest.raises(NotAllowed):
        make_album(
            wanted=AlbumWanted("Mine", Purpose.TREATMENT, NOW + DAY), by=region.mei.actor, at=NOW
        )
    close_album(public_id=album.public_id, by=region.olga.actor, at=NOW)
    with pytest.raises(AlbumNotFound):
        puts(region, album, fresh)
    with pytest.raises(AlbumNotFound):
        album_seen(region.ada.actor, public_id=album.public_id, at=NOW)


def test_only_what_one_may_share_is_put_in(region: Region, study: Study) -> None:
    wanted = AlbumWanted("Board", Purpose.TREATMENT, NOW + DAY)
    album = make_album(wanted=wanted, by=region.cleo.actor, at=NOW)
    with pytest.raises(NotCovered):
        puts(region, album, study, by=region.cleo.actor)
    add_member(
        public_id=album.public_id, to=region.hilltop, person=region.ben.user,
        by=region.cleo.actor, at=NOW,
    )  # fmt: skip
    with pytest.raises((NotCovered, ShareInvalid)):
        puts(region, album, study, by=region.cleo.actor)
    assert not AlbumStudy.objects.exists()
    assert not sees(region.ben, study)


def test_shares_of_an_album_are_not_renewed_by_themselves(region: Region, study: Study) -> None:
    album = an_album(region, until=NOW + 5 * DAY)
    lets_in(region, album)
    puts(region, album, study)
    assert not shares_ending(region.ada.actor, at=NOW).exists()
    (made,) = shares_made(region.ada.actor, at=NOW)
    assert made.album == "Chest board"
    with pytest.raises(ShareNotFound):
        ask_renewal(public_id=made.public_id, by=region.ben.actor, at=NOW)


def test_all_that_is_done_with_an_album_is_in_the_log(region: Region, study: Study) -> None:
    album, ada = an_album(region), region.ada.actor
    lets_in(region, album)
    puts(region, album, study)
    take_out(public_id=album.public_id, study=study, by=ada, at=NOW)
    (member,) = members_of(album)
    remove_member(public_id=album.public_id, member_id=member.public_id, by=ada, at=NOW)
    close_album(public_id=album.public_id, by=ada, at=NOW)
    found = Event.objects.filter(action__in=["study.share"]) | Event.objects.filter(
        action__startswith="album."
    )
    assert list(found.order_by("pk").values_list("action", flat=True)) == [
        "album.make", "album.add_member", "study.share", "album.add_study", "album.take_out",
        "album.remove_member", "album.close",
    ]  # fmt: skip
    named = Event.objects.filter(action="album.add_study").get()
    assert (named.study_uid, named.patient) == (study.study_uid, region.pat.public_id)


def test_a_preview_says_for_whom_it_is_covered_before_anybody_is_let_in(
    region: Region, study: Study
) -> None:
    region.deny(region.lakeside)
    album = an_album(region)
    both = [
        AlbumMember(album=album, organization=place) for place in (region.hilltop, region.lakeside)
    ]
    lines = foresee_album(album, both, [study], at=NOW)
    assert [(line.covered, line.open) for line in lines] == [(True, False), (False, False)]
    assert lines[1].preview.missing
    assert not Grant.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "  "}, {"until": NOW}, {"until": NOW + 400 * DAY}, {"purpose": Purpose.RESEARCH},
        {"actions": ()},
    ],
)  # fmt: skip
def test_an_album_that_says_too_little_is_refused(region: Region, wrong: dict[str, Any]) -> None:
    with pytest.raises(AlbumInvalid):
        an_album(region, **wrong)


def test_the_database_keeps_one_row_for_each_present_member_and_study(
    region: Region, study: Study
) -> None:
    album = an_album(region)
    lets_in(region, album)
    puts(region, album, study)
    member, entry = AlbumMember.objects.get(), AlbumStudy.objects.get()
    for row in (member, entry):
        row.pk, row.public_id = None, "another"
        with pytest.raises(IntegrityError), transaction.atomic():
            row.save(force_insert=True)
    assert str(album) == album.name


def test_an_album_goes_on_longer_with_what_consents_cover_by_then(
    region: Region, study: Study
) -> None:
    album, ada = an_album(region), region.ada.actor
    lets_in(region, album)
    lets_in(region, album, to=region.lakeside, person=region.cleo.user)
    puts(region, album, study)
    at = NOW + 20 * DAY
    region.deny(region.lakeside, at=at)
    taken = shares_made(ada, at=at).get(to_user=region.ben.user)
    prolong_album(public_id=album.public_id, until=NOW + 50 * DAY, by=ada, at=at)
    assert sees(region.ben, study, NOW + 49 * DAY)
    assert not sees(region.cleo, study, at)
    assert not taken.grants.filter(revoked_at=None).exists()
    assert Event.objects.filter(action="album.prolong").count() == 1
    for wrong in (NOW + 40 * DAY, NOW + 500 * DAY):
        with pytest.raises(AlbumInvalid):
            prolong_album(public_id=album.public_id, until=wrong, by=ada, at=at)
    take_out(public_id=album.public_id, study=study, by=ada, at=at)
    assert not sees(region.ben, study, at)


def test_what_was_taken_back_does_not_come_back_with_a_longer_album(
    region: Region, study: Study
) -> None:
    album, ada = an_album(region), region.ada.actor
    lets_in(region, album)
    puts(region, album, study)
    (made,) = shares_made(ada, at=NOW)
    revoke_share(public_id=made.public_id, by=region.olga.actor, at=NOW)
    prolong_album(public_id=album.public_id, until=NOW + 50 * DAY, by=ada, at=NOW)
    assert not sees(region.ben, study)
