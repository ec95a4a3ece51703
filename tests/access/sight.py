"""What everybody may do with every study at a moment, asked in each of the ways that there are."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sharing.access.rules import Ask, Facts, Subject, decide
from sharing.access.services import facts_on_file
from sharing.archive.models import Study
from sharing.archive.services.finding import find_studies
from sharing.archive.services.listing import Criteria, browse, facets
from sharing.archive.services.searching import Query, search_studies
from sharing.kernel.purposes import Action
from sharing.tenants.rules import Actor

ACTIONS = (Action.DISCOVER, Action.IMAGES, Action.DOWNLOAD, Action.RESHARE)
LISTED = (Action.DISCOVER, Action.DOWNLOAD)
"""Of these the list is asked after each step: PostgreSQL thinks ten milliseconds about each."""
Sight = frozenset[tuple[str, Action, int]]
"""(name of the actor, action, key of the study), each of which is permitted."""


def decided(
    actors: Mapping[str, Actor], at: datetime, facts: Facts, studies: Sequence[tuple[int, Subject]]
) -> Sight:
    """By `decide`, from what is on file about these studies."""
    return frozenset(
        (name, action, key)
        for name, actor in actors.items()
        for action in ACTIONS
        for key, subject in studies
        if decide(Ask(actor, action, subject, at), facts).allowed
    )


def on_file() -> tuple[Facts, list[tuple[int, Subject]]]:
    """All studies, and all that is on file about their patients."""
    held = [(study.pk, study.subject) for study in Study.objects.with_owners()]
    return facts_on_file([subject for _, subject in held]), held


def listed(actors: Mapping[str, Actor], at: datetime) -> Sight:
    """By the fence as querysets ask it."""
    return frozenset(
        (name, action, key)
        for name, actor in actors.items()
        for action in LISTED
        for key in Study.objects.visible_to(actor, at, action).values_list("pk", flat=True)
    )


def numbers(actor: Actor, at: datetime) -> set[int]:
    """How many studies each list and each count says that there are; one number when they agree."""
    criteria = Criteria()
    counted = facets(actor, criteria, at=at)
    return {
        len(search_studies(actor, Query(keys={}), at=at).rows),
        browse(actor, criteria, at=at).count(),
        find_studies(actor, at=at).count(),
        sum(counted.custodians.values()),
    }
