"""Whatever happens in a region, the portal and the independent model give the same answers.

Worlds of random acts, each done by the services and told to the model (tests/oracle/acts.py);
after each act all actors, studies and actions are compared, now and at a later moment. WORLDS
says how many; a failure names the seed of its world and the acts that led to it.
"""

import os
from datetime import datetime
from itertools import product
from random import Random

import pytest
from django.db import transaction

from sharing.access.rules import Ask, decide
from sharing.access.services import facts_on_file
from sharing.archive.models import Study
from sharing.kernel.errors import DomainError
from sharing.kernel.purposes import Action
from sharing.tenants.rules import Actor
from tests.kinds import ON_POSTGRESQL
from tests.oracle import facts
from tests.oracle.acts import ACTS
from tests.oracle.model import may
from tests.oracle.region import DAY, HOUR, Twice, build

WORLDS = int(os.environ.get("WORLDS", "2"))
FIRST = int(os.environ.get("FIRST_WORLD", "2" if ON_POSTGRESQL else "0"))
LENGTH = 24
WITH_A_LINK = 16
"""Few histories come to a link that is given; this one does."""
SEEDS = {*range(FIRST, FIRST + WORLDS), *(() if ON_POSTGRESQL else (WITH_A_LINK,))}


Everybody = list[tuple[facts.Actor, Actor | None]]


@pytest.mark.django_db
@pytest.mark.parametrize("seed", sorted(SEEDS))
def test_the_portal_answers_as_the_model_does(seed: int) -> None:
    rng = Random(seed)
    both = build()
    told: list[str] = []
    for _ in range(LENGTH):
        told.append(_do(both, rng))
        if not told[-1].startswith("not"):
            everybody = both.everybody()
            later = both.at + rng.choice([HOUR, DAY, 3 * DAY])
            for at in (both.at, later):
                _agree(both, everybody, at, f"seed {seed}, at {at:%d %H:%M}: {told}")
            _lists_agree(both, everybody, rng.choice(list(Action)), f"seed {seed}: {told}")


def _do(both: Twice, rng: Random) -> str:
    """One act; what the portal refuses is undone and not told to the model."""
    act = rng.choice(ACTS)
    try:
        with transaction.atomic():
            act(both, rng)
    except DomainError as error:
        return f"not {act.__name__} ({error.code})"
    return f"{act.__name__} {both.at:%d %H:%M}"


def _agree(both: Twice, everybody: Everybody, at: datetime, history: str) -> None:
    """`decide` for everything, and the model for everything."""
    subjects = {name: both.fresh(name).subject for name in both.studies}
    on_file = facts_on_file(list(subjects.values()))
    for asker, actor in everybody:
        for name, action in product(subjects, Action):
            theirs = may(both.world, asker, str(action), name, at)
            if actor is None:
                assert not theirs.allowed, f"{asker} is nobody to the portal; {history}"
                continue
            ours = decide(Ask(actor, action, subjects[name], at), on_file)
            assert ours.allowed == theirs.allowed, (
                f"{asker} {action} {name}: portal {ours}, model {theirs}; {history}"
            )
        for name in subjects if actor else ():
            copy = may(both.world, asker, "download", name, at, unnamed=True)
            ask = Ask(actor, Action.DOWNLOAD, subjects[name], at, deidentified=True)
            given = decide(ask, on_file)
            assert given.allowed == copy.allowed, f"{asker} {name} without names: {history}"


def _lists_agree(both: Twice, everybody: Everybody, action: Action, history: str) -> None:
    """The fence, which is what pages, searches and machines ask; of copies without names too."""
    for (asker, actor), unnamed in product(everybody, (False, True)):
        if actor is not None:
            inside = Study.objects.visible_to(actor, both.at, action, deidentified=unnamed)
            right = {
                row.pk
                for key, row in both.studies.items()
                if may(both.world, asker, str(action), key, both.at, unnamed=unnamed)
            }
            assert set(inside.values_list("pk", flat=True)) == right, (
                f"{asker} {action}, unnamed {unnamed}: {history}"
            )
