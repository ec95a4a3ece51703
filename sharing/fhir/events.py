"""The access log of the own organization as AuditEvents, in the shape of IHE BALP."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django.db.models import Q

from sharing.audit.fhir import audit_event
from sharing.audit.services import event_by_value, events_of, log_export
from sharing.kernel.errors import Absent
from sharing.tenants.rules import Duty
from sharing.tenants.services import require

from .kinds import Kind, Rows, Sort, register
from .matching import NOTHING, Asking, Given, Param, moment, text, token
from .words import Json

_FROM_THE_START = datetime(1970, 1, 1, tzinfo=UTC)


def _rows(asking: Asking) -> Rows:
    require(asking.actor, Duty.READ_LOG)
    return events_of(custodian=asking.actor.organization_code)


def _told(asking: Asking, rows: Sequence[Any]) -> list[Json]:
    return [audit_event(event_by_value(row), origin=asking.origin) for row in rows]


def _logged(asking: Asking) -> None:
    """Taking the log out is in the log."""
    log_export(
        custodian=asking.actor.organization_code,
        since=_FROM_THE_START,
        by=asking.actor.who,
        at=asking.at,
    )


def _opened(asking: Asking, name: str) -> Any:
    rows, number = _rows(asking), name.removeprefix("event-")
    known = number.isascii() and number.isdecimal() and len(number) < 18
    row = rows.filter(pk=int(number), name=name).first() if known else None
    if row is None:
        raise Absent()
    _logged(asking)
    return row


def _patient(asking: Asking, given: Given) -> Q:
    name = given.target("Patient")
    return Q(patient=name) if name else NOTHING


def _entity(asking: Asking, given: Given) -> Q:
    name = given.target("ImagingStudy")
    return Q(study=name) if name else NOTHING


def _agent(asking: Asking, given: Given) -> Q:
    name = given.target("Practitioner")
    return Q(actor_kind="user", actor_id=name) if name else NOTHING


def _outcome(asking: Asking, given: Given) -> Q:
    known = {"0": Q(permitted=True), "4": Q(permitted=False)}
    return known.get(given.token()[1], NOTHING)


def _subtype(asking: Asking, given: Given) -> Q:
    system, code = given.token()
    ours = system in (None, f"{asking.origin}/log-actions")
    return Q(action__in=[code, f"{code}.refused"]) if ours else NOTHING


AUDIT_EVENT = register(
    Kind(
        name="AuditEvent",
        rows=_rows,
        told=_told,
        key="name",
        opened=_opened,
        params={
            "agent": Param("reference", _agent),
            "agent-name": text("actor_name"),
            "date": moment("at"),
            "entity": Param("reference", _entity),
            "outcome": token(_outcome),
            "patient": Param("reference", _patient),
            "subtype": token(_subtype),
        },
        summary=("type", "subtype", "action", "recorded", "outcome", "purposeOfEvent"),
        required=("type", "recorded", "agent", "source"),
        default_sort=Sort("at", falling=True),
        documentation="What was done with the own organization's studies and consents, for its "
        "privacy officer. Reading it is logged.",
        search_logged=_logged,
    )
)
TYPES = ("AuditEvent",)
