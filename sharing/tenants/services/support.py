"""Support sessions: asked for by the operator, let in by the hospital, over by the clock."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from sharing.audit.rules import Ground, What
from sharing.audit.services import record
from sharing.kernel.errors import Absent, BadValue
from sharing.kernel.lifecycle import step
from sharing.outbox.services import promise
from sharing.tenants.errors import NotAllowed
from sharing.tenants.models import Organization, SupportSession
from sharing.tenants.rules import Actor, Duty, OrganizationState
from sharing.tenants.support import (
    HOURS,
    SUPPORT_NEXT,
    WAITS,
    SupportEvent,
    SupportState,
)

from .acting import require


@transaction.atomic
def ask_support(
    *, organization: Organization, reason: str, hours: int, by: Actor, at: datetime
) -> SupportSession:
    """Somebody of the operator asks to look. Raises NotAllowed, BadValue, Absent."""
    require(by, Duty.APPROVE_ORGANIZATIONS)
    if by.user_id is None or organization.pk == by.organization_id:
        raise NotAllowed()
    if organization.state != OrganizationState.ACTIVE:
        raise Absent()
    if hours not in HOURS or len(reason.strip()) < 10:
        raise BadValue("Say in a few words why, and for how many hours.")
    made = SupportSession.objects.create(
        organization=organization,
        asked_by_id=by.user_id,
        reason=reason.strip(),
        hours=hours,
        asked_at=at,
    )
    _log(made, "support.ask", by, at)
    promise("notify.tell_support", at=at, session_id=made.pk)
    return made


def support_sessions(actor: Actor) -> QuerySet[SupportSession]:
    """Those at the actor's organization, or those that the operator's people asked for.

    Raises NotAllowed.
    """
    found = SupportSession.objects.select_related("organization", "asked_by", "answered_by")
    if actor.support is not None:
        return found.filter(public_id=actor.support.key)
    if actor.may(Duty.APPROVE_ORGANIZATIONS):
        return found.order_by("-asked_at", "-pk")
    if not _answers(actor):
        raise NotAllowed()
    return found.filter(organization_id=actor.organization_id).order_by("-asked_at", "-pk")


def support_open(actor: Actor, *, at: datetime) -> SupportSession | None:
    """The session by which somebody looks at the actor's organization now."""
    found = SupportSession.objects.lasting(at).filter(organization_id=actor.organization_id)
    return found.select_related("asked_by", "answered_by").first()


@transaction.atomic
def answer_support(
    *, public_id: str, event: SupportEvent, by: Actor, at: datetime
) -> SupportSession:
    """Let in or refuse: a privacy officer or administrator of the hospital, never who asked.

    The operator withdraws what was asked; both sides end what is open. Raises NotAllowed, Absent,
    NotNow.
    """
    found = support_sessions(by).select_for_update(of=("self",)).filter(public_id=public_id).first()
    if found is None:
        raise Absent()
    _may(found, event, by)
    late = event == SupportEvent.APPROVE and at >= found.asked_at + WAITS
    found.state = step(
        SUPPORT_NEXT, SupportState.WITHDRAWN if late else SupportState(found.state), event
    )
    if event == SupportEvent.APPROVE:
        found.answered_by_id, found.opened_at = by.user_id, at
        found.ends_at = at + timedelta(hours=found.hours)
    elif event == SupportEvent.END:
        found.ended_at = at
    else:
        found.answered_by_id = by.user_id if event == SupportEvent.REFUSE else None
    found.save()
    _log(found, f"support.{event}", by, at)
    return found


def _may(found: SupportSession, event: SupportEvent, by: Actor) -> None:
    here = _answers(by) and by.organization_id == found.organization_id
    answers = event in {SupportEvent.APPROVE, SupportEvent.REFUSE}
    if answers and (not here or by.user_id in {None, found.asked_by_id}):
        raise NotAllowed()
    if event == SupportEvent.WITHDRAW and by.user_id != found.asked_by_id:
        raise NotAllowed()


def _answers(actor: Actor) -> bool:
    return actor.may(Duty.GUARD) or actor.may(Duty.MANAGE_MEMBERS)


def _log(session: SupportSession, action: str, by: Actor, at: datetime) -> None:
    """In the hospital's log, whoever acted."""
    what = What(
        custodian=session.organization.code,
        detail={"support": session.public_id, "hours": session.hours},
    )
    record(who=by.who, action=action, at=at, what=what, ground=Ground(reason=session.reason))
