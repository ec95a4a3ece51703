"""Deleting a study: its rows go in one transaction with the journal and the log; its bytes follow.

A deleted study may be sent again and is then a new one: nothing that was shared comes back.
"""

from datetime import datetime

from sharing.archive.errors import RemovalInvalid
from sharing.archive.models import Removal, Study
from sharing.archive.rules import WHY_DELETE, RemovalKind, Why
from sharing.tenants.errors import NotAllowed
from sharing.tenants.rules import Actor, Duty

from .leaving import (
    Order,
    attempt,
    check_free,
    forget_study,
    journal,
    lock_own,
    owe_erasure,
    own_study,
)

SCOPE = "studies.delete"
"""What a machine's token must carry; people delete by their duty."""


def study_to_delete(actor: Actor, *, public_id: str, at: datetime) -> Study:
    """The study that a page asks about. Raises NotAllowed, StudyNotFound."""
    if actor.kind == "client" and SCOPE not in actor.scopes:
        raise NotAllowed()
    return own_study(actor, public_id=public_id, at=at, duty=Duty.DELETE)


def delete_study(
    actor: Actor, *, public_id: str, why: Why, words: str = "", at: datetime
) -> Removal:
    """Delete a study of the actor's own organization, for good.

    Raises NotAllowed, StudyNotFound, RemovalInvalid, or OnHold, which is in the log afterwards.
    """
    order = Order(why, words, actor.who, at).checked(WHY_DELETE)
    study = study_to_delete(actor, public_id=public_id, at=at)
    with attempt(study, action="study.delete", by=actor.who, at=at):
        locked = lock_own(actor, public_id=public_id, at=at, duty=Duty.DELETE)
        return delete_locked(locked, order)


def delete_locked(study: Study, order: Order) -> Removal:
    """The deletion itself, in the caller's transaction. Raises OnHold."""
    check_free(study)
    if order.why == Why.RETENTION:
        _check_retention(study, order.at)
    removal = journal(
        study.organization_id,
        study.subject.what,
        RemovalKind.DELETED,
        order,
        instances=study.instance_count,
    )
    owe_erasure(study.organization_id, forget_study(study, order.at), order.at)
    return removal


def _check_retention(study: Study, at: datetime) -> None:
    """Whoever says that the period is over is held to it. Raises RemovalInvalid."""
    years = study.organization.retention_years
    if not years:
        return
    taken = study.study_date or study.received_at.date()
    over = (taken.year + years, taken.month, taken.day)
    if (at.year, at.month, at.day) < over:
        raise RemovalInvalid(f"Your organization keeps studies for {years} years.")
