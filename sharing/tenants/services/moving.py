"""The one way in which an organization's state changes: by the table, with a line of history.

Each move is kept with who, why and when, is in the access log, and owes an e-mail.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from sharing.audit.rules import What, Who
from sharing.audit.services import record
from sharing.kernel.errors import Absent
from sharing.kernel.lifecycle import NotNow, step
from sharing.outbox.services import promise
from sharing.tenants.errors import ReasonMissing
from sharing.tenants.models import Move, Organization
from sharing.tenants.rules import (
    BEGINS,
    NEXT,
    Actor,
    Duty,
    OrganizationEvent,
    OrganizationState,
)

from .acting import require
from .policies import keep_organization

REASON_LENGTH = 500


def move(
    organization_id: int,
    event: OrganizationEvent,
    *,
    by: Who,
    why: str,
    at: datetime,
    detail: Mapping[str, Any] | None = None,
) -> Organization:
    """Take one step; call it inside the transaction that causes it. Raises NotNow, ReasonMissing.

    The region's operator has no life cycle: somebody must be left who can decide.
    """
    organization = Organization.objects.select_for_update().get(pk=organization_id)
    if organization.kind == Organization.Kind.OPERATOR:
        raise NotNow()
    before = OrganizationState(organization.state)
    after = step(NEXT, before, event)
    keep_organization(organization, at=at)
    organization.state = after.value
    organization.save(update_fields=["state"])
    write_move(organization, event, before=before, by=by, why=why, at=at, detail=detail)
    return organization


def write_move(
    organization: Organization,
    event: str,
    *,
    before: str,
    by: Who,
    why: str,
    at: datetime,
    detail: Mapping[str, Any] | None = None,
) -> Move:
    """The line of history, its event in the log, and the promise to tell. Raises ReasonMissing."""
    reason = " ".join(why.split())
    if not reason:
        raise ReasonMissing()
    made = Move.objects.create(
        organization=organization,
        event=event,
        before=before,
        after=organization.state,
        by_kind=by.kind,
        by_id=by.id,
        by_name=by.name,
        by_organization=by.organization,
        reason=reason[:REASON_LENGTH],
        detail=dict(detail or {}),
        at=at,
    )
    said = {"from": before, "to": organization.state}
    what = What(custodian=organization.code, detail=said)
    record(who=by, action=f"organization.{event}", at=at, what=what)
    if event == OrganizationEvent.LEAVE:
        promise("office.export", at=at, organization_id=organization.pk)
    if event != BEGINS:
        promise("notify.tell_moved", at=at, move_id=made.pk)
    return made


def history(organization_id: int) -> QuerySet[Move]:
    """All steps of an organization, oldest first."""
    return Move.objects.filter(organization_id=organization_id).order_by("pk")


@transaction.atomic
def activate(*, organization: Organization, why: str, by: Actor, at: datetime) -> Organization:
    """The organization is one of the region's from now on. Raises NotAllowed, NotNow."""
    return _by_operator(organization, OrganizationEvent.ACTIVATE, why, by, at)


@transaction.atomic
def suspend(*, organization: Organization, why: str, by: Actor, at: datetime) -> Organization:
    """Nobody of it signs in and nothing it holds is open, with the next request.

    What its machines send is kept and seen by nobody. Raises NotAllowed, NotNow, ReasonMissing.
    """
    return _by_operator(organization, OrganizationEvent.SUSPEND, why, by, at)


@transaction.atomic
def resume(*, organization: Organization, why: str, by: Actor, at: datetime) -> Organization:
    """All is as it was, with what came in meanwhile. Raises NotAllowed, NotNow, ReasonMissing."""
    return _by_operator(organization, OrganizationEvent.RESUME, why, by, at)


@transaction.atomic
def offboard(*, organization: Organization, why: str, by: Actor, at: datetime) -> Organization:
    """It begins to leave: closed to all but its administrators, who take everything along.

    Its own administrator may decide it, too. Raises NotAllowed, NotNow, ReasonMissing.
    """
    if organization.pk == by.organization_id:
        require(by, Duty.RUN_ORGANIZATION)
        return move(organization.pk, OrganizationEvent.LEAVE, by=by.who, why=why, at=at)
    return _by_operator(organization, OrganizationEvent.LEAVE, why, by, at)


@transaction.atomic
def stay(*, organization: Organization, why: str, by: Actor, at: datetime) -> Organization:
    """It doesn't leave after all, and is suspended until it resumes. Raises NotAllowed, NotNow."""
    return _by_operator(organization, OrganizationEvent.STAY, why, by, at)


@transaction.atomic
def go_untested(*, organization: Organization, why: str, by: Actor, at: datetime) -> Organization:
    """It has no machine to connect, and the operator says so. Raises NotAllowed, NotNow."""
    return _by_operator(organization, OrganizationEvent.TEST, why, by, at, tested=False)


@transaction.atomic
def connection_tested(*, organization_id: int, test: str, by: Who, at: datetime) -> Organization:
    """A test of its connection passed (`office`): it can begin. Raises NotNow."""
    why = "The test of the connection passed."
    detail = {"test": test}
    return move(organization_id, OrganizationEvent.TEST, by=by, why=why, at=at, detail=detail)


@transaction.atomic
def close(*, organization_id: int, by: Who, why: str, at: datetime, **detail: Any) -> Organization:
    """It has left: what it brought was exported and deleted (`office`). Raises NotNow."""
    return move(organization_id, OrganizationEvent.CLOSE, by=by, why=why, at=at, detail=detail)


def organization_to_run(actor: Actor) -> Organization:
    """The own organization, for its administrator. Raises NotAllowed, Absent."""
    require(actor, Duty.RUN_ORGANIZATION)
    found = Organization.objects.filter(pk=actor.organization_id).first()
    if found is None:
        raise Absent()
    return found


def _by_operator(
    organization: Organization,
    event: OrganizationEvent,
    why: str,
    by: Actor,
    at: datetime,
    **detail: Any,
) -> Organization:
    require(by, Duty.APPROVE_ORGANIZATIONS)
    return move(organization.pk, event, by=by.who, why=why, at=at, detail=detail)
