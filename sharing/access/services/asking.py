"""Asking an organization for what it holds of a patient, and answering.

Who asks never learns from the portal whether there is such a patient: the same rows are written,
the same queries made and the same bells rung, and the custodian answers each request by hand.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from sharing.access.asking import (
    ANSWERED_WITHIN,
    ASKS_A_DAY,
    NEXT,
    REMINDED_AFTER,
    RequestEvent,
    RequestState,
)
from sharing.access.errors import AskedTooMuch, AskInvalid, RequestNotFound
from sharing.access.models import AccessRequest
from sharing.access.rules import Subject
from sharing.audit.rules import SYSTEM, What, Who
from sharing.audit.services import record
from sharing.identity.services import named_patient
from sharing.kernel import scope
from sharing.kernel.lifecycle import NotNow, step
from sharing.kernel.purposes import Action, Purpose
from sharing.outbox.services import promise
from sharing.tenants.models import Organization, User
from sharing.tenants.rules import Actor, Duty, OrganizationState
from sharing.tenants.services import physicians_mail, require

from .foreseeing import SHARED_ACTIONS
from .sharing import share


@transaction.atomic
def ask_access(
    *,
    custodian: Organization,
    identifier: str,
    birth_date: date,
    reason: str,
    by: Actor,
    at: datetime,
) -> AccessRequest:
    """Ask for a patient's studies. Raises NotAllowed, AskInvalid, AskedTooMuch."""
    require(by, Duty.SHARE)
    if custodian.pk == by.organization_id or custodian.state != OrganizationState.ACTIVE:
        raise AskInvalid("Choose another organization of the region.")
    if not reason.strip() or not identifier.strip():
        raise AskInvalid()
    asker = User.objects.select_for_update().get(public_id=by.id)  # two at once are counted
    lately = AccessRequest.objects.filter(asked_by=asker, asked_at__gt=at - timedelta(days=1))
    if lately.count() >= ASKS_A_DAY:
        raise AskedTooMuch()
    with scope.as_house():  # kept in the request for the custodian; who asks is not told
        patient = named_patient(
            organization_id=custodian.pk, identifier=identifier.strip(), birth_date=birth_date
        )
    made = AccessRequest.objects.create(
        asked_by=asker,
        asked_for_id=by.organization_id,
        custodian=custodian,
        purpose=by.purpose,
        identifier=identifier.strip(),
        birth_date=birth_date,
        patient=patient,
        reason=reason.strip(),
        asked_at=at,
        expires_at=at + ANSWERED_WITHIN,
    )
    _note(by.who, "request.ask", made, at)
    promise("notify.tell_asked", at=at, request_id=made.pk)
    return made


def my_requests(actor: Actor) -> QuerySet[AccessRequest]:
    """What the actor asked, for the organization they act for, newest first."""
    found = AccessRequest.objects.filter(
        asked_by_id=actor.user_id, asked_for_id=actor.organization_id
    )
    return found.select_related("custodian").order_by("-asked_at", "-pk")


def requests_to_answer(actor: Actor, *, at: datetime) -> QuerySet[AccessRequest]:
    """What waits for an answer of the actor's organization, the oldest first; none for others."""
    if not actor.may(Duty.SHARE):
        return AccessRequest.objects.none()
    found = AccessRequest.objects.filter(
        custodian_id=actor.organization_id, state=RequestState.ASKED, expires_at__gt=at
    )
    return found.select_related("asked_by", "asked_for", "patient").order_by("asked_at", "pk")


def request_to_answer(actor: Actor, *, public_id: str, at: datetime) -> AccessRequest:
    """One of them. Raises RequestNotFound."""
    found = requests_to_answer(actor, at=at).filter(public_id=public_id).first()
    if found is None:
        raise RequestNotFound()
    return found


@transaction.atomic
def approve_request(
    *, public_id: str, subjects: Sequence[Subject], until: datetime, by: Actor, at: datetime
) -> AccessRequest:
    """Answer with a share of these studies of the patient's, with the one who asked.

    Raises RequestNotFound, AskInvalid when the request names no patient or the studies are of
    another, and whatever `share` raises: then nothing is answered.
    """
    asked = _locked(by, public_id, at)
    if asked.patient_id is None or any(s.patient_id != asked.patient_id for s in subjects):
        raise AskInvalid("The request names no patient of yours. Refuse it, or wait.")
    if not physicians_mail(asked.asked_for_id).filter(pk=asked.asked_by_id).exists():
        raise AskInvalid("Who asked no longer treats patients there.")
    asked.share = share(
        subjects=subjects,
        to=asked.asked_for,
        person=asked.asked_by,
        purpose=Purpose(asked.purpose),
        actions=tuple(Action(action) for action in SHARED_ACTIONS),
        until=until,
        note="",
        by=by,
        at=at,
    )
    return _answered(asked, RequestEvent.APPROVE, by, at)


@transaction.atomic
def refuse_request(*, public_id: str, why: str, by: Actor, at: datetime) -> AccessRequest:
    """Answer no, in words that who asked reads. Raises RequestNotFound, AskInvalid."""
    if not why.strip():
        raise AskInvalid("Say why, in words that do not tell whether there is such a patient.")
    asked = _locked(by, public_id, at)
    asked.answer = why.strip()
    return _answered(asked, RequestEvent.REFUSE, by, at)


@transaction.atomic
def withdraw_request(*, public_id: str, by: Actor, at: datetime) -> AccessRequest:
    """Who asked no longer needs it. Raises RequestNotFound, NotNow."""
    asked = my_requests(by).select_for_update(of=("self",)).filter(public_id=public_id).first()
    if asked is None:
        raise RequestNotFound()
    return _answered(asked, RequestEvent.WITHDRAW, by, at)


def expire_requests(*, at: datetime) -> int:
    """Mark the requests that nobody answered in time; how many."""
    due = AccessRequest.objects.filter(state=RequestState.ASKED, expires_at__lte=at)
    return sum(_expire(key, at) for key in list(due.values_list("pk", flat=True)))


@transaction.atomic
def _expire(key: int, at: datetime) -> int:
    asked = AccessRequest.objects.select_for_update(of=("self",)).get(pk=key)
    if asked.state != RequestState.ASKED:
        return 0  # answered since
    _end(asked, RequestEvent.EXPIRE, SYSTEM, at)
    return 1


def remind_requests(*, at: datetime) -> int:
    """Ring once more for those that wait for half their time; how many."""
    waiting = Q(state=RequestState.ASKED, reminded_at=None, expires_at__gt=at)
    due = AccessRequest.objects.filter(waiting, asked_at__lte=at - REMINDED_AFTER)
    return sum(_remind(key, at) for key in list(due.values_list("pk", flat=True)))


@transaction.atomic
def _remind(key: int, at: datetime) -> int:
    marked = AccessRequest.objects.filter(pk=key, reminded_at=None).update(reminded_at=at)
    if marked:
        promise("notify.tell_asked", at=at, request_id=key)
    return marked


def _locked(by: Actor, public_id: str, at: datetime) -> AccessRequest:
    require(by, Duty.SHARE)
    open_now = requests_to_answer(by, at=at).select_for_update(of=("self",))
    found = open_now.filter(public_id=public_id).first()
    if found is None:
        raise RequestNotFound()
    return found


def _answered(asked: AccessRequest, event: RequestEvent, by: Actor, at: datetime) -> AccessRequest:
    if at >= asked.expires_at:
        raise NotNow()
    asked.answered_by = by.name
    _end(asked, event, by.who, at)
    if event != RequestEvent.WITHDRAW:
        promise("notify.tell_answered", at=at, request_id=asked.pk)
    return asked


def _end(asked: AccessRequest, event: RequestEvent, who: Who, at: datetime) -> None:
    asked.state = step(NEXT, RequestState(asked.state), event)
    asked.answered_at = at
    asked.save(update_fields=["state", "answered_at", "answered_by", "answer", "share"])
    _note(who, f"request.{event}", asked, at)


def _note(who: Who, action: str, asked: AccessRequest, at: datetime) -> None:
    """By value; the reason and what was typed stay in the request."""
    with scope.as_house():  # who asked may end it, and never learns whom it names
        patient = asked.patient.public_id if asked.patient else ""
    detail = {"request": asked.public_id}
    what = What(custodian=asked.custodian.code, patient=patient, detail=detail)
    record(who=who, action=action, at=at, what=what)
