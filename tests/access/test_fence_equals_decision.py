"""Whatever consents and shares are on file, the list shows exactly what the decision allows."""

import os
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from sharing.access.rules import kind_of
from sharing.access.services import decide_many
from sharing.archive.models import Study
from sharing.archive.services.searching.arms import arms
from sharing.archive.services.sight import in_sight
from sharing.archive.services.unnamed import copies_in_sight
from sharing.archive.sql import fence_sql, rows
from sharing.kernel import scope
from sharing.kernel.purposes import Action, Obligation, Purpose
from sharing.tenants.rules import Actor
from tests import cast
from tests.access import worlds
from tests.cast import NOW, Region


class FenceEqualsDecision(TestCase):
    """Many small worlds: some in each run, WORLDS=2000 in a soak."""

    @settings(
        max_examples=int(os.environ.get("WORLDS", "6")),
        phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking takes minutes
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(
        consents=st.lists(worlds.CONSENTS, max_size=4),
        studies=st.lists(worlds.STUDIES, min_size=1, max_size=4),
        grants=st.lists(worlds.GRANTS, max_size=3),
        ties=st.lists(worlds.TIES, max_size=2),
        glasses=st.lists(worlds.GLASSES, max_size=2),
        agreements=st.lists(worlds.AGREEMENTS, max_size=3),
        region=worlds.REGIONS,
        action=worlds.ACTIONS,
    )
    def test_the_list_is_the_decision_for_each_study(
        self, consents, studies, grants, ties, glasses, agreements, region, action
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
        for agreement in agreements:
            worlds.add_agreement(world, agreement)
        subjects = [study.subject for study in Study.objects.with_owners().order_by("pk")]
        made = list(Study.objects.order_by("pk"))
        for actor in worlds.actors(world):
            decisions = decide_many(actor, action, subjects, at=NOW)
            allowed = {s.pk for s, d in zip(made, decisions, strict=True) if d.allowed}
            with scope.within(actor.scope):
                self._in_its_own_scope(actor, action, subjects, made, allowed)
                if action in (Action.DOWNLOAD, Action.IMAGES):
                    wider = self._without_names(actor, action, subjects, made)
                    assert allowed <= wider, f"{actor.name}: lost without names"
            listed = set(Study.objects.visible_to(actor, NOW, action).values_list("pk", flat=True))
            assert listed == allowed, f"{actor.name}: {decisions}"
            assert in_sql(actor, action) == allowed, f"{actor.name}, SQL: {decisions}"
            if kind_of(action):  # nothing of these worlds is under way: what is counted is new
                free = {s.pk for s, d in zip(made, decisions, strict=True) if not d.counted}
                seen = in_sql(actor, action, uncounted=True)
                assert seen == allowed & free, f"{actor.name}, uncounted: {decisions}"
            assert allowed <= in_arms(actor), f"{actor.name}: not all is looked at"
            if action is Action.DISCOVER:
                assert in_lists(actor) == allowed, f"{actor.name}, in lists: {decisions}"

    def _without_names(self, actor, action, subjects, made):
        """Of copies that name nobody the list is the decision too, and so is the compiled fence."""
        decisions = decide_many(actor, action, subjects, at=NOW, deidentified=True)
        wider = {s.pk for s, d in zip(made, decisions, strict=True) if d.allowed}
        inside = Study.objects.visible_to(actor, NOW, action, deidentified=True)
        listed = set(inside.values_list("pk", flat=True))
        assert listed == wider, f"{actor.name}, without names: {decisions}"
        assert in_sql(actor, action, deidentified=True) == wider, f"{actor.name}, in SQL"
        if actor.purpose == Purpose.RESEARCH and action is Action.DOWNLOAD:
            assert set(copies_in_sight(actor, NOW).values_list("pk", flat=True)) == wider
        return wider

    def _in_its_own_scope(self, actor, action, subjects, made, allowed):
        """The second fence hides no study that is permitted, and no denial of another."""
        decisions = decide_many(actor, action, subjects, at=NOW)
        decided = {s.pk for s, d in zip(made, decisions, strict=True) if d.allowed}
        assert decided == allowed, f"{actor.name}, in its scope: {decisions}"
        listed = set(Study.objects.visible_to(actor, NOW, action).values_list("pk", flat=True))
        assert listed == in_sql(actor, action) == allowed, f"{actor.name}, in its scope"
        assert allowed <= in_arms(actor), f"{actor.name}: not all is looked at in its scope"
        if action is Action.DISCOVER:
            assert in_lists(actor) == allowed, f"{actor.name}, in lists, in its scope"


def in_sql(actor: Actor, action: Action, at: datetime = NOW, **how: bool) -> set[int]:
    """The studies that pass the compiled fence, as hot paths ask."""
    fence = fence_sql(actor, action, at, **how)
    if fence is None:
        return set()
    sql, params = fence
    return {pk for (pk,) in rows(f"SELECT id FROM archive_study WHERE {sql}", params)}  # noqa: S608


def in_lists(actor: Actor) -> set[int]:
    """What the lists of the pages and of REST are made of."""
    return set(in_sight(actor, NOW).values_list("pk", flat=True))


def in_arms(actor: Actor) -> set[int]:
    """Where a search looks, before the fence; an open arm is nothing but what the fence says."""
    found: set[int] = set()
    for arm in arms(actor, NOW, custodian_id=None):
        held = Study.objects.filter(organization_id=arm.organization_id)
        found |= set(arm.studies) | set(held.values_list("pk", flat=True))
        if arm.open:
            seen = set(Study.objects.visible_to(actor, NOW).values_list("pk", flat=True))
            gated = fence_sql(actor, Action.DISCOVER, NOW) is None
            assert gated or set(held.values_list("pk", flat=True)) <= seen, f"{actor.name}: open"
    return found


@pytest.mark.parametrize("order", [1, -1])
def test_the_order_in_which_consents_were_given_changes_nothing(region: Region, order: int) -> None:
    study = region.study()
    words = [
        lambda: region.permit(region.lakeside),
        lambda: region.deny(),
        lambda: region.permit(),
    ]
    for say in words[::order]:
        say()
    allowed = [
        decision.allowed
        for person in (region.ben, region.cleo)
        for decision in decide_many(person.actor, Action.IMAGES, [study.subject], at=NOW)
    ]
    assert allowed == [False, True]


def test_the_compiled_fence_keeps_no_request_of_before(region: Region) -> None:
    """The text is shared by all of one shape; organization, person and moment are not."""
    study = region.study()
    region.permit(ends_at=NOW + timedelta(days=1))
    for person, day, seen in (
        (region.ben, 0, {study.pk}),
        (region.cleo, 0, set()),
        (region.ben, 2, set()),
        (region.ben, 0, {study.pk}),
    ):
        assert in_sql(person.actor, Action.IMAGES, NOW + timedelta(days=day)) == seen
    texts = {fence_sql(p.actor, Action.IMAGES, NOW)[0] for p in (region.ben, region.cleo)}
    assert len(texts) == 1


def test_a_permit_for_copies_without_names_opens_nothing_else(region: Region) -> None:
    """Neither list nor decision nor compiled fence, in the house's scope and in Ben's own."""
    study = region.study()
    actions = frozenset(Action.DOWNLOAD.ladder)
    region.permit(obligations={Obligation.DEIDENTIFY}, actions=actions)
    ben = region.ben.actor
    for within in (scope.HOUSE, ben.scope):
        for action in (Action.DISCOVER, Action.IMAGES, Action.DOWNLOAD):
            for deidentified, seen in ((False, set()), (True, {study.pk}), (False, set())):
                with scope.within(within):
                    assert _seen(ben, action, study, deidentified) == [seen] * 3


def _seen(actor: Actor, action: Action, study: Study, deidentified: bool) -> list[set[int]]:
    how = {"deidentified": deidentified}
    (decision,) = decide_many(actor, action, [study.subject], at=NOW, **how)
    listed = Study.objects.visible_to(actor, NOW, action, **how)
    decided = {study.pk} if decision.allowed else set()
    return [set(listed.values_list("pk", flat=True)), in_sql(actor, action, **how), decided]
