"""Why somebody may or may not, and what would have to change: told as decided, and tried."""

import os
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from sharing.access.rules import LADDER, QUESTIONS, Ask, Rule, decide, explain
from sharing.access.services import explain_access, facts_on_file, share
from sharing.archive.models import Study
from sharing.archive.services.explaining import Wanted, explain_study
from sharing.kernel.purposes import Action, Purpose
from tests import cast
from tests.access import worlds
from tests.cast import NOW, RESEARCH, Person, Region

DAY = timedelta(days=1)


class ExplainedAsDecided(TestCase):
    """Whatever is on file, the explanation ends where `decide` ends."""

    @settings(
        max_examples=int(os.environ.get("WORLDS", "6")),
        phases=[Phase.explicit, Phase.reuse, Phase.generate],
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(
        consents=st.lists(worlds.CONSENTS, max_size=4),
        studies=st.lists(worlds.STUDIES, min_size=1, max_size=2),
        grants=st.lists(worlds.GRANTS, max_size=3),
        ties=st.lists(worlds.TIES, max_size=2),
        glasses=st.lists(worlds.GLASSES, max_size=2),
        region=worlds.REGIONS,
        action=worlds.ACTIONS,
    )
    def test_the_verdict_is_the_decision_and_what_helps_is_told_for_every_refusal(
        self, consents, studies, grants, ties, glasses, region, action
    ):
        world = cast.region.__wrapped__(None)
        worlds.settle(world, region)
        made = [worlds.add_study(world, facts) for facts in studies]
        for said in consents:
            worlds.add_consent(world, made, said)
        for given_ in grants:
            worlds.add_grant(world, made, given_)
        for tie in ties:
            worlds.add_tie(world, made, tie)
        for glass in glasses:
            worlds.add_glass(world, glass)
        for study in Study.objects.with_owners():
            facts = facts_on_file([study.subject])
            for actor in worlds.actors(world):
                ask = Ask(actor, action, study.subject, NOW)
                told = explain(ask, facts)
                assert told.decision == decide(ask, facts)
                assert [step.decided for step in told.steps] == [False] * (len(told.steps) - 1) + [
                    True
                ]
                assert [step.rung for step in told.steps] == [
                    rung.__name__ for rung in LADDER[: len(told.steps)]
                ]
                assert bool(told.ways) != told.decision.allowed, f"{actor.name}: {told}"


def test_every_rung_has_a_question_in_words() -> None:
    assert {rung.__name__ for rung in LADDER} == set(QUESTIONS)


def told(region: Region, study: Study, action=Action.IMAGES, **changed):
    """What Ben is told, or what is told of him with something changed."""
    moment = changed.pop("moment", NOW)
    actor = replace(region.ben.actor, **changed)
    return explain_access(actor, action, study.subject, moment=moment, at=NOW)


def test_without_a_consent_one_that_names_hilltop_would_help_and_does(region: Region) -> None:
    study = region.study()
    found = told(region, study)
    assert found.decision.basis.rule == Rule.IMPLICIT_POLICY
    assert found.ways == (
        ("A consent names Hilltop Family Clinic for treatment, and lets them view images",),
        ("In an emergency: emergency access, for hours",),
    )
    region.permit()
    assert told(region, study).decision.allowed


def test_a_permit_that_begins_later_says_until_when_to_wait(region: Region) -> None:
    region.permit(starts_at=NOW + 9 * DAY, ends_at=NOW + 99 * DAY)
    study = region.study()
    assert told(region, study).ways[0] == ("Wait until 3 Dec 2026, 09:00",)
    assert told(region, study, moment=NOW + 9 * DAY).decision.allowed


def test_without_a_second_factor_it_is_the_second_factor_that_is_missing(region: Region) -> None:
    region.permit()
    found = told(region, region.study(), assured=False)
    assert found.decision.basis.rule == Rule.SECOND_FACTOR_MISSING
    assert found.ways == (("They sign in with a second factor",),)


def test_a_refusal_over_no_permit_needs_both_to_change(region: Region) -> None:
    region.deny()
    found = told(region, region.study())
    assert (
        "The patient takes back the refusal C-1001 v1",
        "A consent names Hilltop Family Clinic for treatment, and lets them view images",
    ) in found.ways


def test_where_the_custodian_may_name_who_sees_a_share_is_enough_and_is(region: Region) -> None:
    region.permit(organizations=(), named_by_custodian=True)
    study = region.study()
    assert told(region, study).ways[0] == (
        "The custodian shares it with Hilltop Family Clinic: C-1001 v1 lets it",
    )
    share(
        subjects=[study.subject], to=region.hilltop, purpose=Purpose.TREATMENT,
        until=NOW + DAY, note="", by=region.ada.actor, at=NOW,
    )  # fmt: skip
    assert told(region, study).decision.allowed


def test_an_opt_out_leaves_no_emergency(region: Region) -> None:
    from sharing.consent.services import Told, opt_out

    opt_out(
        patient=region.pat,
        told=Told(verification="verbal", witness="Olga Weiss"),
        by=region.mei.actor,
        at=NOW,
    )
    found = told(region, region.study())
    assert found.decision.basis.rule == Rule.OPTED_OUT
    assert all(way[0] == "The patient takes back the opt-out C-1001 v1" for way in found.ways)


def test_the_precedence_is_replayed_up_to_the_rung_that_decides(region: Region) -> None:
    region.permit()
    steps = told(region, region.study()).steps
    assert [step.rung for step in steps][-1] == "permitted"
    assert steps[-1].consent == "C-1001 v1"
    assert steps[-1].answer.startswith("Patient permitted Hilltop Family Clinic")
    assert (steps[0].question, steps[0].answer) == QUESTIONS["gates"]


def test_what_held_in_the_past_is_told_as_it_was(region: Region) -> None:
    consent, study = region.permit(at=NOW - 9 * DAY), region.study()
    region.revoke(consent, at=NOW - DAY)
    assert told(region, study, moment=NOW - 2 * DAY).decision.allowed
    assert not told(region, study, moment=NOW - 10 * DAY).decision.allowed
    assert not told(region, study).decision.allowed


def test_who_may_have_copies_without_names_alone_is_told_so(region: Region, rita: Person) -> None:
    """Each way is tried: with the copy instead, the decision is yes."""
    study = region.study()
    facts = facts_on_file([study.subject])
    before = explain(Ask(rita.actor, Action.IMAGES, study.subject, NOW), facts)
    region.permit(**RESEARCH)
    facts = facts_on_file([study.subject])
    after = explain(Ask(rita.actor, Action.IMAGES, study.subject, NOW), facts)
    instead = ("They take a copy without names instead",)
    assert not after.decision.allowed
    assert instead in after.ways
    assert instead not in before.ways
    for_treatment = explain(Ask(region.ben.actor, Action.IMAGES, study.subject, NOW), facts)
    assert instead not in for_treatment.ways


def test_what_pat_said_of_the_time_to_come_is_told_to_the_custodian_alone(region: Region) -> None:
    """Pat refuses Ben from tomorrow on: Ben, who sees the study today, does not learn of it."""
    study = region.study()
    region.permit()
    region.deny(starts_at=NOW + timedelta(days=1))
    asked: Any = {"public_id": study.public_id, "at": NOW}
    later = Wanted(Action.IMAGES, NOW + timedelta(days=2), region.ben.user.public_id, "hilltop")
    own = explain_study(region.ben.actor, **asked, wanted=replace(later, person=""))
    assert (own.wanted.moment, own.explanation.decision.allowed) == (NOW, True)
    told = explain_study(region.mei.actor, **asked, wanted=later)
    assert told.explanation.decision.basis.rule == Rule.CONSENT_DENIES
