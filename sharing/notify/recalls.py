"""Recalls: after a consent ended, which copies had left by it, to whom, and what became of them.

Nothing can fetch a copy back. What the portal can do is to know, to ask and to keep the answer.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet

from sharing.audit.rules import SYSTEM, What, Who
from sharing.audit.services import Copy, copies_of_patient, copies_that_left, record
from sharing.consent.models import Consent
from sharing.consent.rules import Decision
from sharing.kernel.lifecycle import NotNow, step
from sharing.outbox.services import promise
from sharing.tenants.errors import NotAllowed
from sharing.tenants.models import Organization
from sharing.tenants.rules import Actor, Duty

from .errors import RecallInvalid, RecallNotFound
from .models import Recall, RecalledCopy
from .outside import is_covered, is_refused, newest_of
from .rules import ANSWERED_WITHIN, RECALL_NEXT, RecallEvent, RecallState, state_of

REASONS_LENGTH = 1000


@transaction.atomic
def recall_copies(*, consent_id: int, at: datetime) -> int:
    """Ask each recipient of copies that left by this consent; how many. Safe to repeat.

    After it was narrowed, of those that the newest version does not cover; of a refusal, of all
    copies that whom it names took of what it refuses. What was recalled is not asked for again.
    """
    consent = Consent.objects.select_related("custodian", "patient").get(pk=consent_id)
    groups: dict[tuple[str, str], list[Copy]] = {}
    for copy in _taken_back(consent, at):
        groups.setdefault(_recipient(copy.who, consent.custodian.code), []).append(copy)
    return sum(_ask(consent, *whom, copies, at) for whom, copies in groups.items())


def _taken_back(consent: Consent, at: datetime) -> Iterator[Copy]:
    if consent.decision == Decision.DENY:
        here, patient = consent.custodian.code, consent.patient.public_id
        left = copies_of_patient(custodian=here, patient=patient)
        refused = (copy for copy in left if is_refused(copy, consent, at=at))
        return _not_asked_for(refused, consent)
    newest = newest_of(consent)
    left = copies_that_left(custodian=consent.custodian.code, consent=consent.reference)
    taken = (copy for copy in left if newest is None or not is_covered(copy, newest, at=at))
    return _not_asked_for(taken, consent)


def _not_asked_for(copies: Iterable[Copy], consent: Consent) -> Iterator[Copy]:
    """Without what the end of another consent or version recalled."""
    found = list(copies)
    events = [copy.event for copy in found]
    asked = RecalledCopy.objects.filter(recall__custodian=consent.custodian, event__in=events)
    known = set(asked.exclude(recall__consent=consent).values_list("event", flat=True))
    return (copy for copy in found if copy.event not in known)


def copies_to_recall(consent: Consent) -> int:
    """How many copies left by it so far: what its end would recall."""
    left = copies_that_left(custodian=consent.custodian.code, consent=consent.reference)
    return sum(copy.count for copy in _not_asked_for(left, consent))


def _recipient(who: Who, custodian: str) -> tuple[str, str]:
    """The organization's code, or in whose hands a link was."""
    if who.kind == "link" or who.organization in ("", custodian):
        return "", who.name or "Somebody with a link"
    return who.organization, ""


def _ask(consent: Consent, code: str, bearer: str, copies: Sequence[Copy], at: datetime) -> bool:
    there = Organization.objects.filter(code=code).first() if code else None
    made, new = Recall.objects.get_or_create(
        consent=consent,
        organization=there,
        bearer="" if there else (bearer or code),
        defaults={
            "custodian": consent.custodian,
            "asked_at": at,
            "due_at": at + ANSWERED_WITHIN,
        },
    )
    if not new:
        return False
    RecalledCopy.objects.bulk_create(
        RecalledCopy(
            recall=made,
            event=copy.event,
            study=copy.study,
            study_uid=copy.study_uid,
            who=copy.who.name,
            actor_kind=copy.who.kind,
            actor_id=copy.who.id,
            action=copy.action,
            left_at=copy.at,
            alias=copy.alias,
            count=copy.count,
        )
        for copy in copies
    )
    _log(SYSTEM, "recall.ask", made, at)
    promise("notify.tell_recall", at=at, recall_id=made.pk)
    return True


def recalls_made(actor: Actor) -> QuerySet[Recall]:
    """What the actor's organization recalls, what waits first. Raises NotAllowed."""
    if not (actor.may(Duty.READ_LOG) or actor.may(Duty.RECORD_CONSENT)):
        raise NotAllowed()
    return _recalls().filter(custodian_id=actor.organization_id)


def recalls_received(actor: Actor) -> QuerySet[Recall]:
    """What is recalled from the actor: from their organization, or what they took themselves."""
    found = _recalls().filter(organization_id=actor.organization_id)
    if actor.may(Duty.READ_LOG):
        return found
    mine = RecalledCopy.objects.filter(actor_kind=actor.kind, actor_id=actor.id)
    return found.filter(pk__in=mine.values("recall"))


def recalls_of_consent(actor: Actor, consent: Consent) -> QuerySet[Recall]:
    """What was recalled when this consent ended. Raises NotAllowed."""
    return recalls_made(actor).filter(consent=consent)


def recall_seen(actor: Actor, *, public_id: str) -> Recall:
    """One that the actor made or received. Raises RecallNotFound."""
    made = Q(pk__in=[])
    if actor.may(Duty.READ_LOG) or actor.may(Duty.RECORD_CONSENT):
        made = Q(custodian_id=actor.organization_id)
    received = Q(pk__in=recalls_received(actor).values("pk"))
    found = _recalls().filter(made | received, public_id=public_id).first()
    if found is None:
        raise RecallNotFound()
    return found


def copies_seen(actor: Actor, recall: Recall) -> list[RecalledCopy]:
    """All of them for who reads the log or makes the recall; else those that the actor took: of
    what their colleagues took they may never have known.
    """
    found = sorted(recall.copies.all(), key=lambda copy: (copy.left_at, copy.pk))
    makes = recall.custodian_id == actor.organization_id and actor.may(Duty.RECORD_CONSENT)
    if makes or actor.may(Duty.READ_LOG):
        return found
    mine = (actor.kind, actor.id)
    return [copy for copy in found if (copy.actor_kind, copy.actor_id) == mine]


def may_answer(actor: Actor, recall: Recall) -> frozenset[RecallEvent]:
    """What the actor may say now of the copies that are theirs to answer for."""
    waits = any(copy.state == RecallState.WAITING for copy in _answers_for(actor, recall))
    if not waits:
        return frozenset()
    if recall.organization_id == actor.organization_id:
        return frozenset({RecallEvent.DESTROY, RecallEvent.KEEP})
    return frozenset({RecallEvent.CLOSE})


def _answers_for(actor: Actor, recall: Recall) -> list[RecalledCopy]:
    """Of a link's bearer the custodian's officer, for all; else an officer of the recipient for
    all, and who took copies for those: an auditor reads of all, and answers for none.
    """
    if (recall.organization_id or recall.custodian_id) != actor.organization_id:
        return []
    copies = list(recall.copies.all())
    if actor.may(Duty.GUARD):
        return copies
    mine = (actor.kind, actor.id) if recall.organization_id else None
    return [copy for copy in copies if (copy.actor_kind, copy.actor_id) == mine]


@transaction.atomic
def answer_recall(
    *, public_id: str, event: RecallEvent, why: str, by: Actor, at: datetime
) -> Recall:
    """What became of the copies that the actor answers for, once; or, of a link's bearer, what
    the custodian did about it. The recall waits until all of its copies are answered for.

    Raises RecallNotFound, RecallInvalid for a copy that is kept, or closed, without a reason,
    NotNow when it was answered.
    """
    seen = recall_seen(by, public_id=public_id)
    recall = _recalls().select_for_update(of=("self",)).get(pk=seen.pk)
    theirs = _answers_for(by, recall)
    waiting = [copy for copy in theirs if copy.state == RecallState.WAITING]
    if theirs and not waiting:
        raise NotNow()
    if event not in may_answer(by, recall):
        raise RecallNotFound()
    if event != RecallEvent.DESTROY and not why.strip():
        raise RecallInvalid()
    _answer(waiting, event, why.strip(), by, at)
    _close(recall, by, at)
    _log(by.who, "recall.answer", recall, at, state=waiting[0].state, copies=str(len(waiting)))
    return recall


def _answer(
    waiting: Sequence[RecalledCopy], event: RecallEvent, why: str, by: Actor, at: datetime
) -> None:
    for copy in waiting:
        copy.state = step(RECALL_NEXT, RecallState(copy.state), event).value
        copy.why, copy.answered_at, copy.answered_by = why, at, by.name
    fields = ["state", "why", "answered_at", "answered_by"]
    RecalledCopy.objects.bulk_update(waiting, fields)


def _close(recall: Recall, by: Actor, at: datetime) -> None:
    """With the last of its copies: what became of them all, and who answered last."""
    copies = list(recall.copies.all())
    state = state_of(copy.state for copy in copies)
    if state == RecallState.WAITING:
        return
    whys = dict.fromkeys(copy.why for copy in copies if copy.why)
    recall.state, recall.why = state.value, "; ".join(whys)[:REASONS_LENGTH]
    recall.answered_at, recall.answered_by = at, by.name
    recall.save(update_fields=["state", "why", "answered_at", "answered_by"])


def _recalls() -> QuerySet[Recall]:
    related = Recall.objects.select_related("consent__patient", "custodian", "organization")
    return related.prefetch_related("copies").order_by("answered_at", "due_at", "pk")


def _log(who: Who, action: str, recall: Recall, at: datetime, **said: str) -> None:
    what = What(
        custodian=recall.custodian.code,
        patient=recall.consent.patient.public_id,
        detail={"recall": recall.public_id, "consent": recall.consent.key, **said},
    )
    record(who=who, action=action, at=at, what=what)
