"""What the model and the portal answered differently once; consent.md decided."""

from datetime import datetime, timedelta

import pytest

from sharing.access.errors import ShareWidens
from sharing.access.models import Share
from sharing.access.services import decide_one, revoke_share, share
from sharing.archive.models import Study
from sharing.consent.models import Consent
from sharing.kernel.purposes import Action, Purpose
from sharing.tenants.models import Region as Rules
from tests.cast import NOW, Person, Region

HOUR = timedelta(hours=1)
SHARING_ON = tuple(Action.RESHARE.ladder)


def sees(person: Person, study: Study, at: datetime = NOW) -> bool:
    """By the decision and by the list, which agree."""
    actor = person.actor
    decided = decide_one(actor, Action.IMAGES, study.subject, at=at).allowed
    listed = Study.objects.visible_to(actor, at, Action.IMAGES).filter(pk=study.pk).exists()
    assert decided == listed
    return decided


def shared(
    study: Study, by: Person, to: Person, at: datetime = NOW, *, actions: tuple[Action, ...]
) -> Share:
    """With the whole organization, for a week."""
    return share(
        subjects=[study.subject], to=to.organization, purpose=Purpose.TREATMENT,
        until=NOW + timedelta(days=7), note="", by=by.actor, at=at, actions=actions,
    )  # fmt: skip


def choose(region: Region, at: datetime = NOW) -> Consent:
    """Pat lets Riverside name who may see, and let them share on."""
    actions = frozenset(SHARING_ON)
    return region.permit(organizations=(), named_by_custodian=True, actions=actions, at=at)


def test_what_was_shared_on_ends_with_the_consent_that_carried_the_share_it_came_from(
    region: Region,
) -> None:
    """A later permit carried what Ben gave on, while Ben himself saw nothing any more."""
    study, first = region.study(), choose(region)
    shared(study, region.ada, region.ben, actions=SHARING_ON)
    choose(region, at=NOW + HOUR)
    looking = SHARING_ON[:3]
    shared(study, region.ben, region.cleo, at=NOW + 2 * HOUR, actions=looking)
    at = NOW + 3 * HOUR
    assert sees(region.ben, study, at)
    assert sees(region.cleo, study, at)
    region.revoke(first, at=at)
    assert not sees(region.ben, study, at)
    assert not sees(region.cleo, study, at)


def test_nobody_shares_on_what_no_consent_carries_any_more(region: Region) -> None:
    """Ben may share on by a word of Pat's to Hilltop; what Ada shared was withdrawn."""
    study, first = region.study(), choose(region)
    shared(study, region.ada, region.ben, actions=SHARING_ON)
    region.revoke(first, at=NOW + HOUR)
    choose(region, at=NOW + HOUR)
    region.permit(at=NOW + HOUR, actions=frozenset(SHARING_ON))
    with pytest.raises(ShareWidens):
        shared(study, region.ben, region.cleo, at=NOW + 2 * HOUR, actions=SHARING_ON[:3])
    assert not sees(region.cleo, study, NOW + 2 * HOUR)


def test_shared_on_again_ends_with_the_first_share_too(region: Region) -> None:
    """Through as many hands as it went."""
    study, first = region.study(), choose(region)
    made = shared(study, region.ada, region.ben, actions=SHARING_ON)
    shared(study, region.ben, region.cleo, at=NOW + HOUR, actions=SHARING_ON)
    assert sees(region.cleo, study, NOW + HOUR)
    revoke_share(public_id=made.public_id, by=region.ada.actor, at=NOW + HOUR)
    assert not sees(region.cleo, study, NOW + HOUR)
    assert first.state == "active"


@pytest.mark.parametrize("says", ["permit", "deny"])
def test_a_consent_that_names_studies_and_series_means_each_of_them(
    region: Region, says: str
) -> None:
    """They are one axis: OR within it. Both at once meant neither, and a denial denied nothing."""
    one, other, third = region.study(), region.study(), region.study()
    series = frozenset(other.series.values_list("series_uid", flat=True))
    if says == "deny":
        region.permit()
    getattr(region, says)(studies=frozenset({one.study_uid}), series=series)
    seen = [sees(region.ben, study) for study in (one, other, third)]
    assert seen == ([True, True, False] if says == "permit" else [False, False, True])


def test_who_may_not_look_takes_no_copy(region: Region) -> None:
    """A refusal of looking said nothing of copies: where all normal is open, they were given."""
    study = region.study()
    Rules.objects.update_or_create(pk=1, defaults={"implicit_policy": "all_normal"})
    region.deny(actions=frozenset({Action.DISCOVER}))
    for action in (Action.DISCOVER, Action.IMAGES, Action.DOWNLOAD):
        assert not decide_one(region.ben.actor, action, study.subject, at=NOW).allowed
        assert decide_one(region.cleo.actor, action, study.subject, at=NOW).allowed
        seen = Study.objects.visible_to(region.ben.actor, NOW, action)
        assert not seen.filter(pk=study.pk).exists()


def test_a_refusal_of_more_leaves_what_is_less(region: Region) -> None:
    study = region.study()
    region.permit(actions=frozenset(Action))
    region.deny(actions=frozenset({Action.DOWNLOAD}))
    expected = {Action.IMAGES: True, Action.DOWNLOAD: False, Action.RESHARE: False}
    for action, allowed in expected.items():
        decision = decide_one(region.ben.actor, action, study.subject, at=NOW)
        assert decision.allowed == allowed, action
