"""What the acts have in common: who acts, about what, and how the model is told."""

from random import Random
from typing import Any

from sharing.access.models import Grant, Share
from sharing.consent.models import Consent
from sharing.consent.services import (
    Told,
)
from sharing.kernel.errors import Absent
from sharing.kernel.purposes import Action, Purpose
from sharing.tenants.rules import Actor
from tests.oracle import facts
from tests.oracle.region import (
    CLERK,
    Twice,
    noted_grants,
)


def clerk(both: Twice, patient: str) -> Actor:
    """Who records consents at the patient's custodian."""
    home = both.world.patients[patient].custodian
    return acting(both, CLERK[home], home, "HOPERAT")


def acting(both: Twice, key: str, home: str, purpose: str = "TREAT") -> Actor:
    """The person as they may act now. Raises Absent when they may not."""
    actor = both.actor(key, home, purpose)
    if actor is None:
        raise Absent()  # they lost the role by now
    return actor


def one(rng: Random, found: list[Any]) -> Any:
    """One of them. Raises Absent when there is none."""
    if not found:
        raise Absent()
    return rng.choice(found)


def some_consent(both: Twice, rng: Random) -> Consent:
    """Mostly one that speaks."""
    speaking = [pk for pk, said in both.consents.items() if said.state == "active"]
    return Consent.objects.get(pk=one(rng, speaking or list(both.consents)))


def home_of(both: Twice, patient: str) -> str:
    return both.world.patients[patient].custodian


def told(both: Twice, patient: str) -> Told:
    return Told(evidence=both.evidence(home_of(both, patient)))


def refusal(both: Twice, patient: str, named: facts.Whom, force: str) -> facts.Consent:
    every = frozenset(map(str, Purpose)), frozenset(map(str, Action))
    return facts.Consent(patient, False, (named,), *every, both.at, force=force)  # noqa: FBT003


def note_share(
    both: Twice, made: Share, there: str, person: str | None, actions: set[Action]
) -> None:
    whom = facts.Whom("practitioner" if person else "organization", there, person or "")
    grant = Grant.objects.filter(share=made).first()
    noted_grants(both, made, facts.Grant(
        "", None, whom, made.purpose, frozenset(map(str, actions)), both.at, grant.ends_at
    ))  # fmt: skip
