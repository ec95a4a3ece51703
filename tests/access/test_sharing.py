"""Sharing with a person or an organization, for all time to come, and on: always inside."""

from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.test import Client

from sharing.access.errors import NotCovered, ShareInvalid, ShareNotFound, ShareWidens
from sharing.access.models import PassedOn, Share
from sharing.access.rules import Ask, decide
from sharing.access.services import (
    REVIEWED_EVERY,
    SHARED_ACTIONS,
    decide_one,
    facts_at,
    preview_share,
    revoke_share,
    share,
    shares_made,
)
from sharing.archive.models import Study
from sharing.audit.models import Event
from sharing.audit.rules import SYSTEM
from sharing.kernel.purposes import Action, Purpose
from sharing.tenants.errors import NotAllowed
from sharing.tenants.rules import OrganizationEvent, Role
from sharing.tenants.services import acting_choices, actor_for_session, add_member
from sharing.tenants.services.moving import move
from tests.cast import NOW, Person, Region, make_organization, make_patient, make_person
from tests.sessions import sign_in

DAY = timedelta(days=1)
ALL = frozenset({*SHARED_ACTIONS, Action.DOWNLOAD, Action.RESHARE})
SHARED_ON = (*SHARED_ACTIONS, Action.RESHARE)


def sees(person: Person, study: Study, action: Action = Action.IMAGES, at: Any = NOW) -> bool:
    """The decision; fails when the fence says otherwise."""
    allowed = decide_one(person.actor, action, study.subject, at=at).allowed
    listed = Study.objects.visible_to(person.actor, at, action).filter(pk=study.pk).exists()
    assert listed == allowed
    return allowed


def saw(person: Person, study: Study, at: Any) -> bool:
    """The decision with the facts of that moment."""
    ask = Ask(person.actor, Action.IMAGES, study.subject, at)
    return decide(ask, facts_at([study.subject], at)).allowed


def shared(region: Region, *studies: Study, **said: Any) -> Share:
    """Ada shares with Hilltop for 30 days; `said` changes that."""
    values: dict[str, Any] = {
        "to": region.hilltop,
        "purpose": Purpose.TREATMENT,
        "until": NOW + 30 * DAY,
        "note": "",
        "by": region.ada.actor,
        "at": NOW,
    }
    return share(subjects=[study.subject for study in studies], **(values | said))


@pytest.fixture
def study(region: Region) -> Study:
    """Pat lets Riverside name who may see, download and share on."""
    region.permit(organizations=(), named_by_custodian=True, actions=ALL)
    return region.study()


@pytest.fixture
def hugo(region: Region) -> Person:
    """Another physician of Hilltop."""
    return make_person("Hugo Lind", region.hilltop, Role.PHYSICIAN)


def test_a_share_with_ben_is_not_for_the_rest_of_his_clinic(
    region: Region, study: Study, hugo: Person
) -> None:
    shared(region, study, person=region.ben.user)
    assert sees(region.ben, study)
    assert not sees(hugo, study)
    assert not sees(region.cleo, study)


def test_who_was_named_sees_it_at_the_named_organization_only(region: Region, study: Study) -> None:
    """Ben works at Lakeside too; there the share does not follow him."""
    shared(region, study, person=region.ben.user)
    add_member(
        organization=region.lakeside, user=region.ben.user, role=Role.PHYSICIAN, by=SYSTEM, at=NOW
    )
    keys = {choice.organization.code: choice.key for choice in acting_choices(region.ben.user)}
    seen = {}
    for code, key in keys.items():
        actor = actor_for_session(region.ben.user, {"acting": key}, assured=True)
        assert actor is not None
        seen[code] = decide_one(actor, Action.IMAGES, study.subject, at=NOW).allowed
        fenced = Study.objects.visible_to(actor, NOW, Action.IMAGES).filter(pk=study.pk)
        assert fenced.exists() == seen[code]
    assert seen == {"hilltop": True, "lakeside": False}


@pytest.mark.parametrize(
    ("actions", "may", "may_not"),
    [
        ((Action.DISCOVER, Action.REPORT), Action.REPORT, Action.IMAGES),
        (SHARED_ACTIONS, Action.IMAGES, Action.DOWNLOAD),
        ((*SHARED_ACTIONS, Action.DOWNLOAD), Action.DOWNLOAD, Action.RESHARE),
    ],
)
def test_a_share_gives_the_actions_that_it_names_and_no_more(
    region: Region, study: Study, actions: tuple[Action, ...], may: Action, may_not: Action
) -> None:
    shared(region, study, actions=actions)
    assert sees(region.ben, study, may)
    assert not sees(region.ben, study, may_not)


def test_a_standing_share_opens_what_comes_later_while_the_consent_covers_it(
    region: Region, study: Study
) -> None:
    shared(region, study, standing=True)
    later, stranger = region.study(), make_patient(region.riverside, "RV-2", name="Doe^Jo")
    assert sees(region.ben, later)
    assert not sees(region.ben, region.study(stranger))
    moved = region.study(stranger)
    Study.objects.filter(pk=later.pk).update(patient=stranger)
    assert not sees(region.ben, Study.objects.get(pk=later.pk))
    assert not sees(region.ben, moved)


def test_a_standing_share_rests_at_the_very_moment_its_review_is_overdue(
    region: Region, study: Study
) -> None:
    region.permit(organizations=(), named_by_custodian=True, actions=ALL, ends_at=None)
    shared(region, study, standing=True, until=NOW + 360 * DAY)
    due = NOW + REVIEWED_EVERY
    assert sees(region.ben, study, at=due - timedelta(microseconds=1))
    assert not sees(region.ben, study, at=due)


@pytest.mark.parametrize(
    ("said", "error", "words"),
    [
        ({"until": NOW}, ShareInvalid, "must end in the future"),
        ({"standing": True, "until": NOW + 367 * DAY}, ShareInvalid, "a year at most"),
        ({"actions": (*SHARED_ACTIONS, Action.SEND)}, NotCovered, "does not let anybody send"),
        ({"purpose": Purpose.OPERATIONS}, NotCovered, "may not act for this purpose"),
    ],
)
def test_what_can_t_be_shared_is_refused_with_the_reason(
    region: Region, study: Study, said: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        shared(region, study, **said)
    assert not Share.objects.exists()


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({}, ""),
        ({"actions": frozenset(SHARED_ACTIONS)}, "C-1001 v1 does not let anybody download"),
        ({"modalities": frozenset({"MR"})}, "C-1001 v1 does not cover this study"),
        (
            {"purposes": frozenset({Purpose.RESEARCH}), "modalities": frozenset({"MR"})},
            "C-1001 v1 does not cover this study and is not for treatment",
        ),
        ({"named_by_custodian": False}, "C-1001 v1 neither names them nor lets"),
        ({"starts_at": NOW + DAY}, "C-1001 v1 is not in force now"),
        (None, "No consent is on file"),
    ],
)
def test_what_is_missing_is_said_study_by_study(
    region: Region, said: dict[str, Any] | None, words: str
) -> None:
    study = region.study()
    if said is not None:
        base: dict[str, Any] = {"named_by_custodian": True, "actions": ALL}
        region.permit(region.lakeside, organizations=(region.lakeside,), **(base | said))
    [found] = preview_share(
        subjects=[study.subject],
        to=region.hilltop,
        purpose=Purpose.TREATMENT,
        until=NOW + DAY,
        by=region.riverside.pk,
        at=NOW,
        actions=(*SHARED_ACTIONS, Action.DOWNLOAD),
    )
    assert found.missing.startswith(words)
    assert found.after.allowed == (words == "")


def test_ben_shares_on_inside_what_ada_gave_him(region: Region, study: Study) -> None:
    shared(region, study, person=region.ben.user, actions=SHARED_ON)
    again = shared(region, study, to=region.lakeside, by=region.ben.actor, until=NOW + 20 * DAY)
    assert sees(region.cleo, study)
    grant = again.grants.get()
    assert grant.parent is not None
    assert (grant.parent.user, again.custodian, again.shared_for) == (
        region.ben.user,
        region.riverside,
        region.hilltop,
    )


@pytest.mark.parametrize(
    ("given", "wanted", "words"),
    [
        ({}, {"actions": (*SHARED_ON, Action.DOWNLOAD)}, "You may not download yourself"),
        ({}, {"until": NOW + 31 * DAY}, "for a shorter time"),
        ({}, {"standing": True}, "Only single studies"),
        ({"actions": SHARED_ACTIONS}, {}, "does not cover this"),
        ({"to": "lakeside"}, {}, "does not cover this"),
    ],
)
def test_sharing_on_never_widens(
    region: Region, study: Study, given: dict[str, Any], wanted: dict[str, Any], words: str
) -> None:
    to = getattr(region, given.pop("to", "hilltop"))
    shared(region, study, **{"to": to, "actions": SHARED_ON, **given})
    with pytest.raises((ShareWidens, NotCovered), match=words):
        shared(region, study, **{"to": region.lakeside, "by": region.ben.actor, **wanted})
    assert Share.objects.count() == 1


def test_who_shares_on_learns_whether_and_not_why_not_nor_who_sees_it_already(
    region: Region, study: Study
) -> None:
    """Pat's refusal of Lakeside, and what Pat permitted North, are Riverside's to know."""
    shared(region, study, actions=SHARED_ON)
    north = make_organization("north", "North Clinic")
    refusal, other = region.deny(region.lakeside), region.permit(north, ends_at=None)
    asked: dict[str, Any] = {
        "subjects": [study.subject], "purpose": Purpose.TREATMENT, "until": NOW + DAY, "at": NOW,
    }  # fmt: skip
    for by, told in ((region.riverside, True), (region.hilltop, False)):
        [refused] = preview_share(**asked, to=region.lakeside, by=by.pk)
        assert (refusal.key in refused.missing) is told
        assert refused.missing
        [seen] = preview_share(**asked, to=north, by=by.pk)
        assert (seen.before.allowed, seen.after.allowed) == (told, True)
    with pytest.raises(NotCovered) as error:
        shared(region, study, to=region.lakeside, by=region.ben.actor, until=NOW + 20 * DAY)
    assert "refused" not in str(error.value)
    page = sign_in(Client(), region.ben.user).get(f"/shares/new/?study={study.public_id}")
    for word in (refusal.key, other.key, "refused"):
        assert word not in page.content.decode()


def test_a_consent_that_names_hilltop_directly_gives_nothing_to_share_on(region: Region) -> None:
    study = region.study()
    region.permit(actions=ALL)
    assert sees(region.ben, study, Action.RESHARE)
    with pytest.raises(ShareWidens):
        shared(region, study, to=region.lakeside, by=region.ben.actor)


def test_ending_a_share_ends_all_that_was_shared_on_out_of_it(region: Region, study: Study) -> None:
    first = shared(region, study, actions=SHARED_ON)
    shared(region, study, to=region.lakeside, by=region.ben.actor)
    assert sees(region.cleo, study)
    assert revoke_share(public_id=first.public_id, by=region.ada.actor, at=NOW) == 2
    assert not sees(region.ben, study)
    assert not sees(region.cleo, study)
    assert Event.objects.filter(action="study.unshare").count() == 2


def passed_on_twice(region: Region, study: Study) -> tuple[Person, dict[str, Any]]:
    """Riverside to Hilltop, to Lakeside, to Nora's clinic: she, and how each shared on."""
    said: dict[str, Any] = {"actions": SHARED_ON, "until": NOW + 20 * DAY}
    nora = make_person("Nora Berg", make_organization("north", "North Clinic"), Role.PHYSICIAN)
    shared(region, study, actions=SHARED_ON)
    shared(region, study, to=region.lakeside, by=region.ben.actor, **said)
    shared(region, study, to=nora.organization, by=region.cleo.actor, **said)
    return nora, said


def test_what_a_suspended_organization_shared_on_opens_nothing_until_it_resumes(
    region: Region, study: Study
) -> None:
    """What rests on what rests does, too. What was, is explained as it was."""
    nora, said = passed_on_twice(region, study)
    said_why: dict[str, Any] = {"by": SYSTEM, "why": "Stolen accounts"}
    move(region.hilltop.pk, OrganizationEvent.SUSPEND, **said_why, at=NOW + DAY)
    for person in (region.cleo, nora):
        assert not sees(person, study, at=NOW + DAY)
        assert saw(person, study, at=NOW + DAY / 2)
    with pytest.raises(NotCovered):
        shared(region, study, to=nora.organization, by=region.cleo.actor, **said, at=NOW + DAY)
    move(region.hilltop.pk, OrganizationEvent.RESUME, **said_why, at=NOW + 2 * DAY)
    for person in (region.cleo, nora):
        assert sees(person, study, at=NOW + 2 * DAY)
        assert not saw(person, study, at=NOW + DAY * 1.5)


def test_what_was_shared_on_before_it_was_written_down_says_through_whom_it_came(
    region: Region, study: Study
) -> None:
    """The migration finds what sharing writes."""
    passed_on_twice(region, study)
    written = set(PassedOn.objects.values_list("grant", "organization__code"))
    assert [code for _, code in sorted(written)] == ["hilltop", "hilltop", "lakeside"]
    PassedOn.objects.all().delete()
    import_module("sharing.access.migrations.0013_passed_on").follow(apps, None)
    assert set(PassedOn.objects.values_list("grant", "organization__code")) == written


def test_whose_a_share_is_not_can_t_end_it_nor_learn_of_it(region: Region, study: Study) -> None:
    made = shared(region, study)
    for stranger in (region.ben, region.cleo):
        assert not shares_made(stranger.actor, at=NOW).exists()
        with pytest.raises(ShareNotFound):
            revoke_share(public_id=made.public_id, by=stranger.actor, at=NOW)
    with pytest.raises(NotAllowed):
        revoke_share(public_id=made.public_id, by=region.mei.actor, at=NOW)
    assert sees(region.ben, study)


def test_a_share_serves_the_purpose_that_it_names(region: Region) -> None:
    """Mei's colleague of Hilltop acts for operations; the study was shared to treat."""
    both = frozenset({Purpose.TREATMENT, Purpose.OPERATIONS})
    region.permit(organizations=(), named_by_custodian=True, actions=ALL, purposes=both)
    study = region.study()
    clerk = make_person("Nia Obi", region.hilltop, Role.CLERK)
    shared(region, study)
    assert sees(region.ben, study)
    assert not sees(clerk, study)
