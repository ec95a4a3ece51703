"""What ends goes on only by a new share inside the consent; what stands is confirmed in time."""

from typing import Any

import pytest

from sharing.access.errors import NotCovered, ShareInvalid, ShareNotFound, ShareWidens
from sharing.access.models import Grant, RenewalAsk, Share
from sharing.access.services import (
    REVIEWED_EVERY,
    SHARED_ACTIONS,
    ask_renewal,
    facts_at,
    gifts_for,
    recertify,
    renew_share,
    revoke_share,
    shares_ending,
    shares_made,
    shares_to_review,
)
from sharing.archive.models import Study
from sharing.audit.models import Event
from sharing.kernel.lifecycle import NotNow
from sharing.kernel.purposes import Action
from sharing.tenants.errors import NotAllowed
from sharing.tenants.models import Membership
from tests.access.test_sharing import ALL, DAY, SHARED_ON, sees, shared
from tests.cast import NOW, Person, Region

LATER = NOW + 20 * DAY


@pytest.fixture
def study(region: Region) -> Study:
    """Pat lets Riverside name who may see, without an end."""
    region.permit(organizations=(), named_by_custodian=True, actions=ALL, ends_at=None)
    return region.study()


def renewed(region: Region, made: Share, *studies: Study, **said: Any) -> Share:
    """Ada lets it go on for 60 days from the first day on."""
    values = {"until": NOW + 60 * DAY, "by": region.ada.actor, "at": LATER} | said
    subjects = [study.subject for study in studies]
    return renew_share(public_id=made.public_id, subjects=subjects, **values)


def titles(person: Person, what: Any = shares_ending, at: Any = LATER) -> list[str]:
    return [each.public_id for each in what(person.actor, at=at)]


def test_a_share_is_listed_in_its_last_thirty_days_by_its_own_organization(
    region: Region, study: Study
) -> None:
    made = shared(region, study, until=NOW + 40 * DAY)
    assert titles(region.ada, at=NOW + 9 * DAY) == []
    assert titles(region.ada, at=NOW + 10 * DAY) == [made.public_id]
    assert titles(region.ada, at=NOW + 40 * DAY) == []
    assert titles(region.ben, at=LATER) == []
    with pytest.raises(NotAllowed):
        shares_ending(region.mei.actor, at=LATER)


def test_a_renewed_share_goes_on_and_the_old_rows_stay_as_they_were(
    region: Region, study: Study
) -> None:
    made = shared(region, study, person=region.ben.user, note="Second opinion")
    before = Grant.objects.filter(share=made).values().get()
    again = renewed(region, made, study)
    assert Grant.objects.filter(share=made).values().get() == before
    assert (again.renews, again.to_user, again.note) == (made, region.ben.user, "Second opinion")
    assert sees(region.ben, study, at=NOW + 59 * DAY)
    assert not sees(region.ben, study, at=NOW + 60 * DAY)
    assert titles(region.ada) == []
    assert Event.objects.filter(action="study.renew").count() == 1


def test_a_renewal_gives_the_same_studies_and_actions_and_no_more(
    region: Region, study: Study
) -> None:
    other = region.study()
    made = shared(region, study, actions=(Action.DISCOVER, Action.REPORT))
    renewed(region, made, study, other)
    assert sees(region.ben, study, Action.REPORT, NOW + 59 * DAY)
    assert not sees(region.ben, study, Action.IMAGES, NOW + 59 * DAY)
    assert not sees(region.ben, other, Action.DISCOVER, NOW + 59 * DAY)


def test_a_renewal_stays_inside_the_consent_of_now(region: Region, study: Study) -> None:
    made = shared(region, study)
    region.deny(at=LATER)
    with pytest.raises(NotCovered):
        renewed(region, made, study)
    assert Share.objects.count() == 1


def test_what_was_shared_on_is_renewed_inside_what_came(region: Region, study: Study) -> None:
    shared(region, study, actions=SHARED_ON, until=NOW + 50 * DAY)
    onward = shared(region, study, to=region.lakeside, by=region.ben.actor, until=NOW + 25 * DAY)
    with pytest.raises(ShareWidens):
        renewed(region, onward, study, by=region.ben.actor)
    renewed(region, onward, study, by=region.ben.actor, until=NOW + 50 * DAY)
    assert sees(region.cleo, study, at=NOW + 49 * DAY)


def test_what_ran_out_is_not_renewed_for_who_left_since(region: Region, study: Study) -> None:
    made = shared(region, study, person=region.ben.user)
    Membership.objects.filter(user=region.ben.user).update(ended_at=NOW + 40 * DAY)
    with pytest.raises(ShareInvalid):
        renew_share(
            public_id=made.public_id,
            subjects=[study.subject],
            until=NOW + 60 * DAY,
            by=region.ada.actor,
            at=NOW + 41 * DAY,
        )


def test_a_share_is_renewed_once_and_by_its_own_organization(region: Region, study: Study) -> None:
    made = shared(region, study)
    for stranger in (region.ben, region.cleo):
        with pytest.raises(ShareNotFound):
            renewed(region, made, study, by=stranger.actor)
    renewed(region, made, study)
    with pytest.raises(NotNow):
        renewed(region, made, study)


@pytest.mark.parametrize("which", ["old", "new"])
def test_ending_either_ends_both_and_what_was_shared_on(
    region: Region, study: Study, which: str
) -> None:
    made = shared(region, study, actions=SHARED_ON)
    shared(region, study, to=region.lakeside, by=region.ben.actor, until=NOW + 29 * DAY)
    again = renewed(region, made, study)
    listed = shares_made(region.ada.actor, at=LATER)
    assert {again.pk} == {each.pk for each in listed if each.shared_for == region.riverside}
    ended = made if which == "old" else again
    revoke_share(public_id=ended.public_id, by=region.ada.actor, at=LATER)
    assert not sees(region.ben, study, at=LATER)
    assert not sees(region.cleo, study, at=LATER)


def test_a_standing_share_is_confirmed_for_a_quarter_with_all_out_of_it(
    region: Region, study: Study
) -> None:
    said: dict[str, Any] = {"standing": True, "until": NOW + 300 * DAY}
    made = shared(region, study, actions=SHARED_ON, **said)
    shared(region, study, to=region.lakeside, by=region.ben.actor, **said)
    at = NOW + REVIEWED_EVERY - DAY
    assert titles(region.ada, shares_to_review, NOW + 50 * DAY) == []
    assert titles(region.ada, shares_to_review, at) == [made.public_id]
    assert titles(region.ben, shares_to_review, at) == []  # whose review is their parent's
    until = recertify(public_id=made.public_id, by=region.ada.actor, at=at)
    assert set(Grant.objects.values_list("review_by", flat=True)) == {until}
    was = {each.review_by for each in facts_at([study.subject], at - DAY).grants}
    assert was == {NOW + REVIEWED_EVERY}  # as a replay of the day before reads it
    for person in (region.ben, region.cleo):
        assert sees(person, study, at=until - DAY)
        assert not sees(person, study, at=until)
    assert Event.objects.get(action="study.recertify").detail["review_by"] == until.isoformat()


def test_a_share_that_rests_is_not_woken_but_renewed(region: Region, study: Study) -> None:
    """Else a replay of the days in which it rested would say that it was open."""
    made = shared(region, study, standing=True, until=NOW + 300 * DAY)
    at = NOW + REVIEWED_EVERY
    assert titles(region.ada, shares_to_review, at) == [made.public_id]
    with pytest.raises(NotNow):
        recertify(public_id=made.public_id, by=region.ada.actor, at=at)
    renewed(region, made, study, until=at + 100 * DAY, at=at + 5 * DAY)
    assert sees(region.ben, study, at=at + 5 * DAY)
    assert not sees(region.ben, study, at=at + 4 * DAY)
    assert titles(region.ada, shares_to_review, at) == []


def test_a_share_that_rests_is_ended_by_who_gave_it(region: Region, study: Study) -> None:
    made = shared(region, study, standing=True, until=NOW + 300 * DAY)
    at = NOW + REVIEWED_EVERY
    assert revoke_share(public_id=made.public_id, by=region.ada.actor, at=at) == 1
    assert titles(region.ada, shares_to_review, at) == []
    with pytest.raises(ShareInvalid):
        renewed(region, made, study, until=at + 100 * DAY, at=at + DAY)


def test_only_the_custodian_confirms(region: Region, study: Study) -> None:
    said: dict[str, Any] = {"standing": True, "until": NOW + 300 * DAY}
    shared(region, study, actions=SHARED_ON, **said)
    onward = shared(region, study, to=region.lakeside, by=region.ben.actor, **said)
    with pytest.raises(NotNow):
        recertify(public_id=onward.public_id, by=region.ben.actor, at=NOW + DAY)
    with pytest.raises(ShareNotFound):
        recertify(public_id=onward.public_id, by=region.ada.actor, at=NOW + DAY)


def test_ben_asks_once_that_a_share_goes_on(region: Region, study: Study) -> None:
    made = shared(region, study)
    ask_renewal(public_id=made.public_id, by=region.ben.actor, at=LATER)
    with pytest.raises(NotNow):
        ask_renewal(public_id=made.public_id, by=region.ben.actor, at=LATER)
    [gift] = gifts_for(
        region.ben.actor,
        custodian_id=region.riverside.pk,
        patient_id=region.pat.pk,
        study_uid=study.study_uid,
        at=LATER,
    )
    assert (gift.share, gift.asked, gift.ends_at) == (made, True, NOW + 30 * DAY)
    assert RenewalAsk.objects.get().asked_by == region.ben.user


def test_to_whom_it_did_not_come_can_t_ask_nor_learn_of_it(region: Region, study: Study) -> None:
    made = shared(region, study, person=region.ben.user)
    for stranger, when in ((region.cleo, LATER), (region.ada, LATER), (region.ben, NOW + 30 * DAY)):
        with pytest.raises(ShareNotFound):
            ask_renewal(public_id=made.public_id, by=stranger.actor, at=when)
    assert not RenewalAsk.objects.exists()


def test_what_a_share_gave_is_what_its_renewal_asks_for(region: Region, study: Study) -> None:
    assert set(SHARED_ACTIONS) == shared(region, study).grants.get().action_set
