"""The cast, three patients and a clock, for tests in which anything may happen next."""

from collections.abc import Iterator, Set
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.db import transaction
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant

from sharing.access.services import share
from sharing.archive.models import Study
from sharing.consent.models import Consent
from sharing.consent.rules import ConsentState, Decision, GranteeKind, Verification
from sharing.consent.services import Whom, mark_error
from sharing.kernel.errors import DomainError
from sharing.kernel.purposes import Action, Purpose
from sharing.tenants.models import Team
from sharing.tenants.rules import Actor, Role
from tests import cast
from tests.access.sight import LISTED, Sight, decided, listed, numbers, on_file
from tests.cast import NOW, Region, make_patient, make_study


@contextmanager
def refused() -> Iterator[None]:
    """What the house refuses changes nothing: the transaction is undone."""
    try:
        with transaction.atomic():
            yield
    except DomainError:
        pass


class Stage(RuleBasedStateMachine):
    """The cast, two patients of Riverside and one of Lakeside, and a clock."""

    @initialize()
    def begin(self) -> None:
        """Each run in a transaction of its own, that ends with it."""
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.world: Region = cast.region.__wrapped__(None)
        self.at = NOW
        other = make_patient(self.world.riverside, "RV-2", name="Okafor^Amara")
        self.studies = [
            self.world.study(),
            self.world.study(modalities="|MR|", study_date=None),
            self.world.study(other),
        ]
        twin = make_patient(self.world.lakeside, "LK-1")
        make_study(twin, study_uid=self.studies[0].study_uid)
        self.team = Team.objects.create(
            organization=self.world.hilltop, kind="care_team", name="Chest"
        )
        self.look()

    def teardown(self) -> None:
        """Nothing stays."""
        if hasattr(self, "atomic"):
            transaction.set_rollback(True)
            self.atomic.__exit__(None, None, None)

    # --- who asks, and what they see -----------------------------------------------------------
    def actors(self) -> dict[str, Actor]:
        """Whoever may act for somebody at this moment."""
        found: dict[str, Actor] = {}
        for name in ("ada", "mei", "olga", "ben", "cleo"):
            person = getattr(self.world, name)
            actor = cast.actor_for_session(person.user, {}, assured=True)
            if actor is not None:
                found[name] = actor
        found["machine"] = replace(
            self.world.cleo.actor, kind="client", id="m", user_id=None,
            organization_id=self.world.hilltop.pk, roles=frozenset({Role.CLIENT}),
        )  # fmt: skip
        return found

    def look(self) -> None:
        """Read what is on file; who may act is read with it."""
        self.facts, self.held = on_file()
        self.acting = self.actors()

    def sight(self) -> Sight:
        """What everybody may do at this moment, by what was on file when we looked."""
        return decided(self.acting, self.at, self.facts, self.held)

    @contextmanager
    def step(self, *, opens: Set[str] = frozenset(), closes: bool = True) -> Iterator[None]:
        """One thing happens: only those named may see more, and nobody less unless it closes."""
        self.at += timedelta(minutes=1)
        before = self.sight()
        with transaction.atomic():
            yield
        self.look()
        after = self.sight()
        widened = {name for name, _, _ in after - before}
        assert widened <= set(opens), f"{widened} see more"
        assert closes or before <= after, f"less is seen: {before - after}"

    @invariant()
    def every_way_of_asking_agrees(self) -> None:
        """The list is the decision, at each door; the order of what is on file does not matter."""
        if not hasattr(self, "held"):
            return
        seen = self.sight()
        assert listed(self.acting, self.at) == {row for row in seen if row[1] in LISTED}
        for name in ("ben", "ada"):
            if name in self.acting:
                known = {key for who, what, key in seen if (who, what) == (name, Action.DISCOVER)}
                assert numbers(self.acting[name], self.at) == {len(known)}, name
        turned = replace(
            self.facts, consents=self.facts.consents[::-1], grants=self.facts.grants[::-1],
            glasses=self.facts.glasses[::-1],
        )  # fmt: skip
        assert decided(self.acting, self.at, turned, self.held) == seen

    def meant(self, to: str) -> set[str]:
        """Who may see more when that one is named."""
        staff = {"ben", "machine"}
        return {
            "hilltop": staff, "lakeside": {"cleo"}, "ben": {"ben"}, "cleo": {"cleo"},
            "team": {"ben"}, "everyone": set(self.acting),
            "named": {*staff, "cleo"},  # shares of before never wake: none gains in fact
        }[to]  # fmt: skip

    def say(self, decision: Decision, to: str, *, days: int, **said: Any) -> Consent:
        """Mei records it."""
        whom = {
            "team": (Whom(GranteeKind.TEAM, team=self.team),),
            "ben": (Whom(GranteeKind.PRACTITIONER, user=self.world.ben.user),),
            "everyone": (Whom(GranteeKind.EVERYONE),),
            "named": (Whom(GranteeKind.NAMED_BY_CUSTODIAN),),
        }
        named = whom.get(to) or (
            Whom(GranteeKind.ORGANIZATION, organization=getattr(self.world, to)),
        )
        return self.world.say(
            decision, self.world.hilltop, at=self.at, organizations=(), others=named,
            ends_at=self.at + timedelta(days=days), verification=Verification.VERBAL,
            witness="Olga Weiss", evidence=None, **said,
        )  # fmt: skip

    def consents(self, decision: Decision) -> list[Consent]:
        """Those of Pat's that stand."""
        rows = Consent.objects.filter(state=ConsentState.ACTIVE, decision=decision)
        return list(rows.order_by("pk"))

    def end(self, found: list[Consent], which: int, error: bool) -> None:
        """Withdrawn, or never meant."""
        consent = found[which % len(found)]
        if error:
            mark_error(consent=consent, by=self.world.mei.actor, why="A slip.", at=self.at)
        else:
            self.world.revoke(consent, at=self.at)

    def share_with(
        self, to: Any, by: Actor, which: int, actions: Any, days: int, standing: Any = None
    ) -> None:
        """Refused in words, or done."""
        with refused():
            share(
                subjects=[Study.objects.with_owners().get(pk=self.studies[which].pk).subject],
                to=getattr(self.world, to[0]),
                person=getattr(self.world, to[1]).user if to[1] else None,
                purpose=Purpose.TREATMENT, until=self.at + timedelta(days=days), note="", by=by,
                at=self.at, actions=tuple(actions), standing=bool(standing),
            )  # fmt: skip
