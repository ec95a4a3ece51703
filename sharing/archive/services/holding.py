"""Legal holds: while one is in force nothing of the study is deleted, rejected or purged."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from django.db import transaction

from sharing.archive.errors import HoldNotFound, RemovalInvalid
from sharing.archive.models import Erasure, Hold, Study
from sharing.audit.services import record
from sharing.outbox.services import promise
from sharing.tenants.rules import Actor, Duty

from .leaving import lock_own, own_study


def study_to_hold(actor: Actor, *, public_id: str, at: datetime) -> Study:
    """The study that a page asks about. Raises NotAllowed, StudyNotFound."""
    return own_study(actor, public_id=public_id, at=at, duty=Duty.HOLD)


@transaction.atomic
def place_hold(actor: Actor, *, public_id: str, reason: str, at: datetime) -> Hold:
    """Hold an own study; several holds may be in force at once, each for its own case.

    Raises NotAllowed, StudyNotFound, RemovalInvalid.
    """
    words = _words(reason)
    study = lock_own(actor, public_id=public_id, at=at, duty=Duty.HOLD)
    hold = Hold.objects.create(
        organization_id=study.organization_id,
        study_uid=study.study_uid,
        reason=words,
        placed_by=actor.name,
        placed_at=at,
    )
    _record(actor, "study.hold", study, hold, at)
    return hold


@transaction.atomic
def lift_hold(actor: Actor, *, public_id: str, hold_id: str, why: str, at: datetime) -> Hold:
    """End one hold of an own study; what waited for it goes on.

    Raises NotAllowed, StudyNotFound, HoldNotFound, RemovalInvalid.
    """
    words = _words(why)
    study = lock_own(actor, public_id=public_id, at=at, duty=Duty.HOLD)
    hold = Hold.objects.on(study.organization_id, study.study_uid).filter(public_id=hold_id).first()
    if hold is None:
        raise HoldNotFound()
    hold.lifted_at, hold.lifted_by, hold.lifted_why = at, actor.name, words
    hold.save(update_fields=["lifted_at", "lifted_by", "lifted_why"])
    _record(actor, "study.lift_hold", study, hold, at)
    go_on_erasing(organization_id=study.organization_id, at=at)
    return hold


@transaction.atomic
def go_on_erasing(*, organization_id: int, at: datetime) -> None:
    """What waited for a hold is tried again: what is still held waits on."""
    waiting = Erasure.objects.filter(organization_id=organization_id, waits="hold")
    for erasure_id in waiting.values_list("pk", flat=True):
        promise("archive.erase", at=at, erasure_id=erasure_id)


def holds_on(study: Study) -> Sequence[Hold]:
    """The holds in force on a study that was opened, oldest first."""
    return list(Hold.objects.on(study.organization_id, study.study_uid).order_by("placed_at"))


def _words(text: str) -> str:
    words = " ".join(text.split())
    if not words or len(words) > 300:
        raise RemovalInvalid("Say in a few words why.")
    return words


def _record(actor: Actor, action: str, study: Study, hold: Hold, at: datetime) -> None:
    what = replace(study.subject.what, detail={"hold": hold.public_id})
    record(who=actor.who, action=action, at=at, what=what)
