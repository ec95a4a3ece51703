"""Deciding with the facts on file."""

from collections.abc import Sequence
from datetime import datetime

from sharing.access.rules import Ask, Decision, Subject, decide
from sharing.kernel.purposes import Action, Purpose
from sharing.tenants.models import Organization, User
from sharing.tenants.rules import Actor, Role

from .on_file import facts_on_file


def decide_one(
    actor: Actor, action: Action, subject: Subject, *, at: datetime, deidentified: bool = False
) -> Decision:
    """The decision about one study, with all that is on file now."""
    return decide(Ask(actor, action, subject, at, deidentified), facts_on_file([subject]))


def decide_many(
    actor: Actor,
    action: Action,
    subjects: Sequence[Subject],
    *,
    at: datetime,
    deidentified: bool = False,
) -> list[Decision]:
    """The decisions about many studies, in their order; the number of queries does not grow.

    `deidentified`: about copies of them that name nobody.
    """
    (decisions,) = decide_each(actor, (action,), subjects, at=at, deidentified=deidentified)
    return decisions


def decide_each(
    actor: Actor,
    actions: Sequence[Action],
    subjects: Sequence[Subject],
    *,
    at: datetime,
    deidentified: bool = False,
) -> list[list[Decision]]:
    """For each action what `decide_many` says of it, from facts that are read once."""
    if not subjects:
        return [[] for _ in actions]
    facts = facts_on_file(subjects)
    return [
        [decide(Ask(actor, action, subject, at, deidentified), facts) for subject in subjects]
        for action in actions
    ]


def physician_of(
    organization: Organization,
    purpose: Purpose,
    *,
    roles: frozenset[Role] = frozenset({Role.PHYSICIAN}),
    user: User | None = None,
) -> Actor:
    """Anybody there who treats patients, or one of them: whom a preview asks for."""
    return Actor(
        kind="user",
        id="",
        name="",
        organization_id=organization.pk,
        organization_code=organization.code,
        organization_name=organization.name,
        organization_mark=organization.mark,
        purpose=purpose,
        roles=roles,
        user_id=user.pk if user else None,
    )
