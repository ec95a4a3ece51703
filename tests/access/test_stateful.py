"""Whatever happens, in whatever order: what may open opens, and nothing else does.

Consents, shares, emergencies, teams and roles come and go through the real services; after each
step every way of asking must agree, and the step may have changed only what its name says.
"""

import os
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from hypothesis.stateful import (
    precondition,
    rule,
    run_state_machine_as_test,
)

from sharing.access.models import Share
from sharing.access.rules import GlassReason
from sharing.access.services import (
    Emergency,
    break_glass,
    end_glass,
    revoke_share,
)
from sharing.audit.rules import SYSTEM
from sharing.consent.rules import Decision, Verification
from sharing.consent.services import (
    Told,
    amend_consent,
    exclude_person,
    opt_out,
    said_by,
)
from sharing.identity.models import Patient
from sharing.identity.services import PatientName, Person, identify
from sharing.kernel.purposes import Action
from sharing.tenants.models import Membership
from sharing.tenants.rules import Role
from sharing.tenants.services import add_member, end_membership, join_team, leave_team
from tests import cast
from tests.access import worlds
from tests.access.sight import decided, listed, on_file
from tests.access.stage import Stage, refused
from tests.cast import NOW, make_study

STEPS = int(os.environ.get("STEPS", "10"))
RUNS = int(os.environ.get("STATEFUL", "2"))
SPOKEN = Told(verification=Verification.VERBAL, witness="Olga Weiss")
QUIET = settings(
    max_examples=RUNS,
    stateful_step_count=STEPS,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking takes minutes
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
LADDERS = st.sampled_from([frozenset(Action.IMAGES.ladder), frozenset(Action.RESHARE.ladder)])
TO = st.sampled_from(["hilltop", "lakeside", "ben", "team", "everyone", "named"])
MODALITIES = st.sampled_from([frozenset(), frozenset(), frozenset({"CT"})])
DAYS = st.integers(min_value=1, max_value=40)
SHARED = st.sampled_from(
    [("hilltop", ""), ("hilltop", "ben"), ("lakeside", ""), ("lakeside", "cleo")]
)


class Portal(Stage):
    """What patients say, what custodians and physicians do, who belongs where, who is who."""

    # --- what patients say ---------------------------------------------------------------------
    @rule(to=TO, actions=LADDERS, modalities=MODALITIES, days=DAYS)
    def pat_permits(self, to: str, actions: Any, modalities: Any, days: int) -> None:
        """Only whom it names sees more; no permit hides anything."""
        with self.step(opens=self.meant(to), closes=False):
            self.say(Decision.PERMIT, to, actions=actions, modalities=modalities, days=days)

    @rule(to=TO.filter(lambda to: to != "named"), actions=LADDERS, modalities=MODALITIES, days=DAYS)
    def pat_refuses(self, to: str, actions: Any, modalities: Any, days: int) -> None:
        """A denial never widens."""
        with self.step():
            self.say(Decision.DENY, to, actions=actions, modalities=modalities, days=days)

    @rule(who=st.sampled_from(["ada", "ben"]))
    def pat_excludes(self, who: str) -> None:
        """One person sees less, and nobody more."""
        others = {row for row in self.sight() if row[0] != who}
        with self.step():
            exclude_person(
                patient=self.world.pat, user=getattr(self.world, who).user, told=SPOKEN,
                by=self.world.mei.actor, at=self.at,
            )  # fmt: skip
        assert others <= self.sight()

    @rule()
    def pat_opts_out(self) -> None:
        """Everybody but the own staff sees less."""
        with self.step():
            opt_out(patient=self.world.pat, told=SPOKEN, by=self.world.mei.actor, at=self.at)
        pats = {study.pk for study in self.studies[:2]}
        assert not {row for row in self.sight() if row[0] in ("ben", "cleo") and row[2] in pats}

    @precondition(lambda self: self.consents(Decision.PERMIT))
    @rule(which=st.integers(min_value=0), error=st.booleans())
    def a_permit_ends(self, which: int, error: bool) -> None:
        """By the patient's word or the clerk's mistake: never more."""
        with self.step():
            self.end(self.consents(Decision.PERMIT), which, error)

    @precondition(lambda self: self.consents(Decision.DENY))
    @rule(which=st.integers(min_value=0), error=st.booleans())
    def a_refusal_ends(self, which: int, error: bool) -> None:
        """Then what was permitted besides is seen again, and nobody sees less."""
        with self.step(opens=set(self.acting), closes=False):
            self.end(self.consents(Decision.DENY), which, error)

    @precondition(lambda self: self.consents(Decision.PERMIT))
    @rule(which=st.integers(min_value=0))
    def a_permit_is_narrowed(self, which: int) -> None:
        """By a new version."""
        found = self.consents(Decision.PERMIT)
        old = found[which % len(found)]
        said = replace(said_by(old), starts_at=self.at + timedelta(minutes=1), **SPOKEN.as_said)
        narrower = replace(said, modalities=frozenset({"CT"}), actions=frozenset({Action.DISCOVER}))
        with self.step(), refused():
            amend_consent(consent=old, said=narrower, by=self.world.mei.actor, at=self.at)

    # --- what custodians and physicians do -----------------------------------------------------
    @rule(
        which=st.integers(min_value=0, max_value=2), to=SHARED, actions=LADDERS, days=DAYS,
        standing=st.booleans(),
    )  # fmt: skip
    def ada_shares(self, which: int, to: Any, actions: Any, days: int, standing: bool) -> None:
        """The one it is for sees more at most, and only what some consent permits."""
        with self.step(opens=self.meant(to[1] or to[0]), closes=False):
            self.share_with(to, self.world.ada.actor, which, actions, days, standing)

    @rule(which=st.integers(min_value=0, max_value=2), actions=LADDERS, days=DAYS)
    def ben_shares_on(self, which: int, actions: Any, days: int) -> None:
        """A share on never gives what the sharer has not."""
        ben = self.acting.get("ben")
        if ben is None:
            return
        before = self.sight()
        with self.step(opens={"cleo"}, closes=False):
            self.share_with(("lakeside", "cleo"), ben, which, actions, days)
        for _, action, study in self.sight() - before:
            assert ("ben", action, study) in before, "wider than the own grant"

    @precondition(lambda self: Share.objects.filter(grants__revoked_at=None).exists())
    @rule(which=st.integers(min_value=0))
    def a_share_ends(self, which: int) -> None:
        """With all that was shared on out of it; nothing of it is seen by it any more."""
        alive = Share.objects.filter(grants__revoked_at=None).distinct().order_by("pk")
        chosen = list(alive)[which % len(alive)]
        with self.step(), refused():
            revoke_share(public_id=chosen.public_id, by=self.world.ada.actor, at=self.at)

    @rule(whom=st.sampled_from(["RV-1", "RV-2", "nobody"]), hours=st.integers(1, 4))
    def ben_breaks_the_glass(self, whom: str, hours: int) -> None:
        """He alone looks, and takes no copy."""
        ben = self.acting.get("ben")
        if ben is None:
            return
        name = PatientName(self.world.pat.issuer, whom, self.world.pat.birth_date)
        words = "Road accident, unconscious, chest trauma."
        emergency = Emergency(name, GlassReason.LIFE, words, hours, attested=True, proven=True)
        before = self.sight()
        with self.step(opens={"ben"}, closes=False), refused():
            break_glass(emergency=emergency, by=ben, at=self.at)
        gained = {action for _, action, _ in self.sight() - before}
        assert not gained & {Action.DOWNLOAD, Action.RESHARE}
        self.glass = (self.world.ben.user.glasses.order_by("pk").last() or Patient()).public_id

    @precondition(lambda self: hasattr(self, "glass"))
    @rule()
    def ben_ends_the_emergency(self) -> None:
        """What it opened is closed."""
        ben = self.acting.get("ben")
        if ben is not None:
            with self.step(), refused():
                end_glass(public_id=self.glass, by=ben, at=self.at)

    # --- who belongs where ---------------------------------------------------------------------
    @rule(joins=st.booleans())
    def the_team_changes(self, joins: bool) -> None:
        """It counts at once: who joins sees what the team sees, who leaves no more."""
        there = replace(
            self.world.admin.actor, organization_id=self.world.hilltop.pk,
            organization_code="hilltop",
        )  # fmt: skip
        if joins and "ben" in self.acting:
            with self.step(opens={"ben"}), refused():
                join_team(team=self.team, user=self.world.ben.user, by=there, at=self.at)
        else:
            with self.step(opens={"ben"}), refused():  # a denial may have named the team
                leave_team(team=self.team, user=self.world.ben.user, by=there, at=self.at)

    @rule()
    def ben_comes_or_goes(self) -> None:
        """His role ends or begins, and with it all that he saw."""
        hired = Membership.objects.filter(user=self.world.ben.user, ended_at=None).first()
        if hired is None:
            with self.step(opens={"ben"}, closes=False):
                add_member(
                    organization=self.world.hilltop, user=self.world.ben.user,
                    role=Role.PHYSICIAN, by=SYSTEM, at=self.at,
                )  # fmt: skip
            return
        there = replace(self.world.admin.actor, organization_id=self.world.hilltop.pk)
        with self.step():
            end_membership(membership=hired, by=there, at=self.at)
        assert not {row for row in self.sight() if row[0] == "ben"}

    # --- who is who ----------------------------------------------------------------------------
    @rule(born=st.dates())
    def a_file_names_somebody_else_by_pat_s_identifier(self, born: Any) -> None:
        """It is not believed: its study is the custodian's alone, whatever Pat permitted."""
        person = Person("RV-1", "", "Somebody^Else", born, "M")
        with self.step(opens={"ada", "mei", "olga"}, closes=False):
            known = identify(organization=self.world.riverside, persons=[person])[person]
            made = make_study(Patient.objects.select_related("organization").get(pk=known.pk))
        if born != self.world.pat.birth_date:
            assert not known.certain
            seen_by = {name for name, _, study in self.sight() if study == made.pk}
            assert seen_by <= {"ada", "mei", "olga"}

    @rule(certain=st.booleans())
    def pat_s_identity_is_doubted(self, certain: bool) -> None:
        """While it is in doubt, nobody but the custodian's own staff sees anything of it."""
        with self.step(opens=set(self.acting) if certain else set()):
            Patient.objects.filter(pk=self.world.pat.pk).update(certain=certain)

    @rule(hours=st.sampled_from([1, 5, 24, 24 * 20]))
    def time_passes(self, hours: int) -> None:
        """What runs out, runs out; the invariants look."""
        self.at += timedelta(hours=hours)


@pytest.mark.django_db
def test_whatever_happens_every_way_of_asking_agrees_and_nothing_widens_by_itself() -> None:
    run_state_machine_as_test(Portal, settings=QUIET)


class Orders(TestCase):
    """The same words in another order."""

    @settings(QUIET)
    @given(
        consents=st.lists(worlds.CONSENTS, min_size=2, max_size=4),
        studies=st.lists(worlds.STUDIES, min_size=1, max_size=3),
        region=worlds.REGIONS,
        data=st.data(),
    )
    def test_consents_given_in_another_order_open_the_same(
        self, consents: Any, studies: Any, region: Any, data: Any
    ) -> None:
        world = cast.region.__wrapped__(None)
        worlds.settle(world, region)
        made = [worlds.add_study(world, facts) for facts in studies]
        actors = {str(n): actor for n, actor in enumerate(worlds.actors(world))}
        seen = []
        for order in (consents, data.draw(st.permutations(consents))):
            with transaction.atomic():
                for said in order:
                    worlds.add_consent(world, made, said)
                seen.append((decided(actors, NOW, *on_file()), listed(actors, NOW)))
                transaction.set_rollback(True)
        assert seen[0] == seen[1]
