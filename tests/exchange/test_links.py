"""Links open what was given by them, inside the consent, and only while all of it holds."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from sharing.access.errors import NotCovered, ShareInvalid, ShareNotFound, ShareWidens
from sharing.access.models import Use
from sharing.access.services import decide_one, revoke_share, share, shares_made
from sharing.archive.models import Study
from sharing.archive.services.finding import open_study
from sharing.archive.services.searching.arms import arms
from sharing.audit.models import Event
from sharing.exchange.errors import LinkNotFound, ProofWrong
from sharing.exchange.models import ShareLink
from sharing.exchange.rules import LinkState, good_code, in_groups, link_state, new_code
from sharing.exchange.services import (
    bearer,
    link_made,
    links_made,
    links_to,
    open_link,
    preview_link,
    revoke_link,
    studies_of,
)
from sharing.kernel.purposes import Action, Purpose
from sharing.outbox.models import Job
from sharing.tenants.errors import NotAllowed
from sharing.tenants.rules import Actor, OrganizationState
from sharing.tenants.services import actor_at
from tests.cast import NOW, Region
from tests.exchange.giving import ALL, CODE, DAY, given, lets_links, whoever_has


@pytest.fixture
def study(region: Region) -> Study:
    """Pat lets Riverside give links away."""
    lets_links(region, NOW)
    return region.study()


def sees(actor: Actor, study: Study, action: Action = Action.IMAGES, at: Any = NOW) -> bool:
    """The decision; fails when the fence, or where a search looks, says otherwise."""
    allowed = decide_one(actor, action, study.subject, at=at).allowed
    inside = Study.objects.visible_to(actor, at, action).filter(pk=study.pk).exists()
    assert inside == allowed
    looked = any(study.pk in arm.studies for arm in arms(actor, at, custodian_id=None))
    assert looked or not allowed
    return allowed


def test_whoever_has_the_link_sees_the_study_and_no_other(region: Region, study: Study) -> None:
    other = region.study()
    actor = whoever_has(given(region, study, at=NOW), NOW)
    assert sees(actor, study)
    assert not sees(actor, study, Action.DOWNLOAD)
    assert not sees(actor, other)
    assert list(studies_of(actor, at=NOW)) == [study]
    for person in (region.ben, region.cleo):
        assert not sees(person.actor, study)


def test_a_link_may_give_the_download_and_nothing_beyond(region: Region, study: Study) -> None:
    actor = whoever_has(given(region, study, at=NOW, actions=Action.DOWNLOAD.ladder), NOW)
    assert sees(actor, study, Action.DOWNLOAD)
    assert not sees(actor, study, Action.RESHARE)


@pytest.mark.parametrize(
    ("said", "asked", "words"),
    [
        ({"others": (), "named_by_custodian": True}, {}, "does not let the custodian give links"),
        ({"actions": frozenset({*Action.IMAGES.ladder, Action.RESHARE})},
         {"actions": Action.DOWNLOAD.ladder}, "does not let anybody download"),
        ({"purposes": frozenset({Purpose.PATIENT_REQUEST})}, {}, "is not for treatment"),
        ({"modalities": frozenset({"MR"})}, {}, "does not cover this study"),
        (None, {}, "No consent is on file"),
    ],
)  # fmt: skip
def test_what_is_missing_for_a_link_is_said_and_none_is_made(
    region: Region, said: dict[str, Any] | None, asked: dict[str, Any], words: str
) -> None:
    study = region.study()
    if said is not None:
        lets_links(region, NOW, **said)
    with pytest.raises(NotCovered, match=words):
        given(region, study, at=NOW, **asked)
    assert not ShareLink.objects.exists()
    [found] = preview_link(
        [study.subject], purpose=Purpose.TREATMENT, until=NOW + DAY, at=NOW,
        by=region.riverside.pk, actions=asked.get("actions", Action.IMAGES.ladder),
    )  # fmt: skip
    assert words in found.missing


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"uses": 0}, "between once and 50"),
        ({"uses": 51}, "between once and 50"),
        ({"until": NOW + 93 * DAY}, "three months"),
        ({"until": NOW}, "must end in the future"),
        ({"not_before": NOW + 8 * DAY}, "begin before it ends"),
        ({"code": "12345"}, "six letters and digits"),
        ({"code": "1111111"}, "six letters and digits"),
        ({"purpose": Purpose.OPERATIONS}, "for treatment, or"),
    ],
)
def test_a_link_that_says_too_much_or_too_little_is_refused(
    region: Region, study: Study, said: dict[str, Any], words: str
) -> None:
    with pytest.raises(ShareInvalid, match=words):
        given(region, study, at=NOW, **said)
    assert not ShareLink.objects.exists()


def test_who_may_not_share_gives_no_link(region: Region, study: Study) -> None:
    for person in (region.mei, region.olga, region.admin):
        with pytest.raises(NotAllowed):
            given(region, study, at=NOW, by=person.actor)
    with pytest.raises(NotCovered):
        given(region, study, at=NOW, by=region.ben.actor)


def test_ben_gives_a_link_inside_what_was_shared_with_him(region: Region, study: Study) -> None:
    region.permit(organizations=(), named_by_custodian=True, actions=ALL)
    share(
        subjects=[study.subject], to=region.hilltop, purpose=Purpose.TREATMENT,
        until=NOW + 10 * DAY, note="", by=region.ada.actor, at=NOW,
        actions=(*Action.IMAGES.ladder, Action.RESHARE),
    )  # fmt: skip
    with pytest.raises(ShareWidens, match="may not download"):
        given(region, study, at=NOW, by=region.ben.actor, actions=Action.DOWNLOAD.ladder)
    with pytest.raises(ShareWidens, match="another purpose"):
        given(region, study, at=NOW, by=region.ben.actor, purpose=Purpose.PATIENT_REQUEST)
    made = given(region, study, at=NOW, by=region.ben.actor)
    actor = whoever_has(made, NOW)
    assert sees(actor, study)
    assert link_made(region.ada.actor, public_id=made.link.public_id) == made.link
    first = shares_made(region.ada.actor, at=NOW).exclude(link=made.link).get()
    revoke_share(public_id=first.public_id, by=region.ada.actor, at=NOW)
    assert bearer(made.link.public_id, at=NOW) is None
    assert not sees(actor, study)


def test_the_link_ends_with_the_consent_its_time_the_custodian_and_by_hand(
    region: Region, study: Study
) -> None:
    made = given(region, study, at=NOW)
    actor, name = whoever_has(made, NOW), made.link.public_id
    last = NOW + 7 * DAY - timedelta(microseconds=1)
    assert bearer(name, at=last) is not None
    assert bearer(name, at=NOW + 7 * DAY) is None
    assert not sees(actor, study, at=NOW + 7 * DAY)
    region.riverside.state = OrganizationState.SUSPENDED
    region.riverside.save()
    assert bearer(name, at=NOW) is None
    region.riverside.state = OrganizationState.ACTIVE
    region.riverside.save()
    revoke_link(public_id=name, by=region.ada.actor, at=NOW)
    assert bearer(name, at=NOW) is None
    assert not sees(actor, study)
    with pytest.raises(ProofWrong):
        open_link(secret=made.secret, code=CODE, client="a", at=NOW)


def test_a_withdrawn_consent_takes_the_study_from_who_is_inside(
    region: Region, study: Study
) -> None:
    actor = whoever_has(given(region, study, at=NOW), NOW)
    consent = study.patient.consents.get()
    region.revoke(consent, at=NOW + DAY)
    lets_links(region, NOW + 2 * DAY)
    assert not sees(actor, study, at=NOW + 3 * DAY), "a later consent wakes no link of before"


def test_a_link_opens_from_its_first_day_on(region: Region, study: Study) -> None:
    made = given(region, study, at=NOW, not_before=NOW + DAY)
    assert bearer(made.link.public_id, at=NOW) is None
    with pytest.raises(ProofWrong):
        open_link(secret=made.secret, code=CODE, client="a", at=NOW)
    open_link(secret=made.secret, code=CODE, client="a", at=NOW + DAY)


def test_uses_are_counted_and_whoever_is_inside_stays_for_the_visit(
    region: Region, study: Study
) -> None:
    made = given(region, study, at=NOW, uses=2)
    for _ in range(2):
        opening = open_link(secret=made.secret, code="k7qm 2xrd", client="a", at=NOW)
        assert opening.until == NOW + timedelta(hours=4)
    with pytest.raises(ProofWrong):
        open_link(secret=made.secret, code=CODE, client="a", at=NOW)
    made.link.refresh_from_db()
    assert (made.link.used, made.link.left, made.link.last_used_at) == (2, 0, NOW)
    assert made.link.state_at(NOW) == LinkState.USED_UP
    assert sees(whoever_has(made, NOW), study)


def test_a_visit_is_never_longer_than_the_link(region: Region, study: Study) -> None:
    made = given(region, study, at=NOW, until=NOW + timedelta(hours=1))
    opening = open_link(secret=made.secret, code=CODE, client="a", at=NOW)
    assert opening.until == NOW + timedelta(hours=1)


def test_all_that_becomes_of_a_link_is_in_the_log_without_its_secret(
    region: Region, study: Study
) -> None:
    made = given(region, study, at=NOW)
    for code in (CODE, "WRONG123"):
        try:
            open_link(secret=made.secret, code=code, client="a", at=NOW)
        except ProofWrong:
            made.link.refresh_from_db()
            assert made.link.failed == 1
    revoke_link(public_id=made.link.public_id, by=region.olga.actor, at=NOW)
    told = Event.objects.filter(action__startswith="link.").order_by("pk")
    assert [(event.action, event.permitted) for event in told] == [
        ("link.make", True),
        ("link.open", True),
        ("link.open.refused", False),
        ("link.revoke", True),
    ]
    assert {event.study_uid for event in told} == {study.study_uid}
    assert {event.patient for event in told} == {study.patient.public_id}
    assert told[1].actor_name == "Whoever has a link from Ada Brandt"
    assert told[1].organization == "", "none of the region's organizations came in"


def test_a_permit_for_one_use_is_used_by_a_link_as_by_anybody(region: Region) -> None:
    """Images by the first link are the use; they go on, and the second link comes too late."""
    study = region.study()
    lets_links(region, NOW, maximum_uses=1)
    first, second = (whoever_has(given(region, study, at=NOW), NOW) for _ in range(2))
    for _ in range(2):
        open_study(first, public_id=study.public_id, at=NOW, action=Action.IMAGES)
    assert sees(first, study)
    assert not sees(second, study)
    assert Use.objects.get().organization is None


def test_what_came_by_a_link_is_decided_again_to_the_same_answer(
    region: Region, study: Study
) -> None:
    actor = whoever_has(given(region, study, at=NOW), NOW)
    open_study(actor, public_id=study.public_id, at=NOW, action=Action.IMAGES)
    event = Event.objects.get(action="study.images")
    assert (event.actor_id, event.organization) == (actor.id, "")
    then = actor_at(actor.who, at=NOW)
    assert then is not None
    assert sees(then, study)


def test_nobody_is_told_of_a_share_when_a_link_is_given(region: Region, study: Study) -> None:
    given(region, study, at=NOW)
    assert not Job.objects.filter(task="notify.tell_shared").exists()


def test_links_of_others_are_not_there(region: Region, study: Study) -> None:
    made = given(region, study, at=NOW)
    for stranger in (region.ben, region.cleo):
        assert not links_made(stranger.actor).exists()
        with pytest.raises(LinkNotFound):
            revoke_link(public_id=made.link.public_id, by=stranger.actor, at=NOW)
        with pytest.raises(ShareNotFound):
            revoke_share(public_id=made.link.share.public_id, by=stranger.actor, at=NOW)
    for nobody in (region.mei, region.admin):
        with pytest.raises(NotAllowed):
            links_made(nobody.actor)
    assert links_to(region.ada.actor, study.subject, at=NOW) == [made.link]
    assert links_to(region.ada.actor, region.study().subject, at=NOW) == []


@pytest.mark.parametrize(
    "change",
    [{"used": 4}, {"uses": 0}, {"expires_at": NOW - DAY}, {"revoked_at": NOW}],
)
def test_the_database_keeps_what_a_link_promises(
    region: Region, study: Study, change: dict[str, Any]
) -> None:
    given(region, study, at=NOW)
    with pytest.raises(IntegrityError), transaction.atomic():
        ShareLink.objects.update(**change)


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ({}, LinkState.OPEN),
        ({"revoked": True, "left": 0}, LinkState.REVOKED),
        ({"expires_at": NOW}, LinkState.EXPIRED),
        ({"not_before": NOW + DAY}, LinkState.WAITING),
        ({"left": 0}, LinkState.USED_UP),
    ],
)
def test_where_a_link_stands(said: dict[str, Any], state: LinkState) -> None:
    values = {"not_before": NOW, "expires_at": NOW + DAY, "left": 1, "revoked": False}
    assert link_state(at=NOW, **(values | said)) == state


def test_codes_are_long_and_can_be_read_out() -> None:
    codes = {new_code() for _ in range(500)}
    assert len(codes) == 500
    assert all(len(code) == 8 and good_code(code) for code in codes)
    assert not set("".join(codes)) & set("01ILOU")
    assert in_groups(CODE) == "K7QM 2XRD"
