"""Read back what happened, for those who may."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from django.db.models import CharField, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat

from sharing.audit.errors import LogTooLong
from sharing.audit.models import Event, EventQuerySet
from sharing.audit.rules import UNNAMED_COPY, What, Who
from sharing.kernel.purposes import LEAVING, Purpose

from .recording import record
from .sealing import FIELDS, by_value

Row = TypeVar("Row")


@dataclass(frozen=True)
class Entry:
    """One line of the access log as pages show it."""

    at: datetime
    who: str
    organization: str
    action: str
    purpose: str
    permitted: bool
    reason: str
    consent: str
    count: int
    rule: str = ""
    patient: str = ""
    study: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)


MOST_LINES = 50_000
"""Lines that are handed out at once. What is handed out is whole, or refused."""


def log_of_study(*, custodian: str, study_uid: str, most: int = 500) -> list[Entry]:
    """Who did what with one study, newest first. The caller has checked that the reader may."""
    return [_entry(e) for e in _with_counts(Event.objects.of_study(custodian, study_uid))[:most]]


def log_of_organization(*, custodian: str, most: int = 500) -> list[Entry]:
    """All that concerns one custodian, newest first."""
    events = Event.objects.filter(custodian=custodian).order_by("-at", "-pk")
    return [_entry(e) for e in _with_counts(events)[:most]]


RUNNING = (
    "member", "team", "listing", "sign", "password", "client", "token", "webhook", "organization",
    "agreement", "label_rule", "support", "region",
)  # fmt: skip
"""Rooms whose actions run an organization; none of them has to do with a patient."""


def log_of_running(*, custodian: str, most: int = 500) -> list[Entry]:
    """What was done to run one organization, newest first; whatever names a patient or a study
    is left out. The caller has checked that the reader may.
    """
    rooms = Q()
    for room in RUNNING:
        rooms |= Q(action__startswith=f"{room}.")
    events = Event.objects.filter(rooms, custodian=custodian, patient="", study="", consent="")
    return [_entry(e) for e in _with_counts(events.order_by("-at", "-pk"))[:most]]


def log_lines(
    *, custodian: str, since: datetime, by: Who, at: datetime, most: int = MOST_LINES
) -> list[Entry]:
    """What concerns one custodian since then, newest first, to be handed out: that is logged.

    Raises LogTooLong.
    """
    events = Event.objects.filter(custodian=custodian, at__gte=since).order_by("-at", "-pk")
    found = whole(_with_counts(events), most)
    log_export(custodian=custodian, since=since, by=by, at=at)
    return [_entry(event) for event in found]


def events_of(*, custodian: str) -> QuerySet[Any]:
    """All that concerns one custodian, to be narrowed; `name` is how FHIR calls an event. The
    caller has checked that the reader may, and logs what is taken out (`log_export`).
    """
    name = Concat(Value("event-"), Cast("pk", CharField()), output_field=CharField())
    return Event.objects.filter(custodian=custodian).annotate(name=name)


def event_by_value(event: Event) -> dict[str, Any]:
    """The event as its leaf in the sealed log says it."""
    return by_value({field: getattr(event, field) for field in FIELDS})


def log_export(*, custodian: str, since: datetime, by: Who, at: datetime) -> None:
    """That somebody took the log out is in the log."""
    detail = {"since": since.isoformat()}
    record(who=by, action="log.export", at=at, what=What(custodian=custodian, detail=detail))


def whole(rows: QuerySet[Any, Row], most: int) -> list[Row]:
    """All rows. Raises LogTooLong past `most` of them: no paper is silently cut short."""
    found = list(rows[: most + 1])
    if len(found) > most:
        raise LogTooLong()
    return found


def accounting_of(
    *, custodian: str, patient: str, by: Who, at: datetime, most: int = MOST_LINES
) -> list[Entry]:
    """All that was permitted with one patient's studies and consents, newest first, for them.

    That somebody prepares it is an event too. The caller has checked that they may. Raises
    LogTooLong.
    """
    events = Event.objects.filter(custodian=custodian, patient=patient, permitted=True)
    told = events.exclude(action="log.accounting").order_by("-at", "-pk")
    found = whole(_with_counts(told), most)
    what = What(custodian=custodian, patient=patient)
    record(who=by, action="log.accounting", at=at, what=what)
    return [_entry(event) for event in found]


def log_of_copy(
    *, custodian: str, alias: str, by: Who, at: datetime, most: int = 100
) -> list[Entry]:
    """The lines of a copy that names nobody, by the UID under which its study left.

    That somebody finds out whose it is, is an event of that patient's. The caller has checked that
    they may.
    """
    events = Event.objects.filter(custodian=custodian, action=UNNAMED_COPY, detail__as=alias)
    found = list(_with_counts(events.order_by("-at", "-pk"))[:most]) if alias else []
    for event in found[:1]:
        what = What(custodian, event.patient, event.study, event.study_uid, {"as": alias})
        record(who=by, action="log.find_copy", at=at, what=what)
    return [_entry(event) for event in found]


def log_in_emergency(
    *, custodian: str, actor: str, since: datetime, until: datetime, most: int = 500
) -> list[Entry]:
    """What one person opened of a custodian's by emergency access in a time, newest first."""
    events = Event.objects.filter(
        custodian=custodian,
        actor_id=actor,
        purpose=Purpose.EMERGENCY,
        at__gte=since,
        at__lte=until,
    )
    return [_entry(e) for e in _with_counts(events.order_by("-at", "-pk"))[:most]]


@dataclass(frozen=True)
class Copy:
    """One time that a copy left, by value."""

    event: int
    at: datetime
    who: Who
    action: str
    study: str
    study_uid: str
    count: int
    alias: str = ""
    """The study's UID in a copy that names nobody: the only one that its receiver knows."""


def copies_that_left(*, custodian: str, consent: str) -> list[Copy]:
    """What was downloaded or sent on the ground of any version of a consent (`C-2041`), by others
    than its custodian; oldest first.
    """
    return _copies(Q(consent__startswith=f"{consent} v"), custodian)


def copies_of_patient(*, custodian: str, patient: str) -> list[Copy]:
    """The same of one patient's studies, on whatever ground; oldest first."""
    return _copies(Q(patient=patient), custodian)


def _copies(which: Q, custodian: str) -> list[Copy]:
    actions = [UNNAMED_COPY, *(f"study.{action}" for action in sorted(LEAVING))]
    events = Event.objects.filter(which, custodian=custodian, action__in=actions, permitted=True)
    others = events.exclude(actor_kind="user", organization=custodian)
    return [_copy(event) for event in _with_counts(others).order_by("at", "pk")]


def _copy(event: Event) -> Copy:
    tally = getattr(event, "tally", None)
    count = tally.count if tally else 1
    return Copy(
        event=event.pk,
        at=event.at,
        who=event.who,
        action=event.action,
        study=event.study,
        study_uid=event.study_uid,
        count=count,
        alias=event.detail.get("as", ""),
    )


def _with_counts(events: EventQuerySet) -> EventQuerySet:
    return events.select_related("tally")


def _entry(event: Event) -> Entry:
    tally = getattr(event, "tally", None)
    return Entry(
        at=event.at,
        who=event.actor_name,
        organization=event.organization_name,
        action=event.action,
        purpose=event.purpose,
        permitted=event.permitted,
        reason=event.reason,
        consent=event.consent,
        count=tally.count if tally else 1,
        rule=event.rule,
        patient=event.patient,
        study=event.study,
        detail=event.detail,
    )


def lines_of(
    *,
    custodian: str,
    since: datetime | None = None,
    until: datetime | None = None,
    **named: str,
) -> EventQuerySet:
    """The lines of one custodian, of these alone where `action`, `study` or `patient` is named."""
    events = Event.objects.filter(custodian=custodian, **named)
    if since is not None:
        events = events.filter(at__gte=since)
    return events if until is None else events.filter(at__lt=until)
