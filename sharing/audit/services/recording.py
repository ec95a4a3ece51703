"""Write what happened."""

from collections.abc import Hashable, Iterable, Mapping
from datetime import datetime
from functools import partial

from django.db import connection, transaction
from django.db.models import F

from sharing.audit.models import Event, Tally
from sharing.audit.rules import Ground, What, Who, window_of
from sharing.audit.windows import windows
from sharing.kernel.bulk import insert


def record(
    *,
    who: Who,
    action: str,
    at: datetime,
    what: What = What(),  # noqa: B008  frozen
    ground: Ground = Ground(),  # noqa: B008  frozen
    request_id: str = "",
) -> Event:
    """Append one event in the caller's transaction."""
    return Event.objects.create(**_row(who, action, at, what, ground), request_id=request_id)


def record_all(*, who: Who, action: str, at: datetime, whats: Iterable[What]) -> None:
    """Append an event for each thing that the same action was done to, in one statement."""
    rows = [_row(who, action, at, what, Ground()) for what in whats]
    if rows:
        insert(Event, list(rows[0]), [list(row.values()) for row in rows])


def record_read(
    *,
    who: Who,
    action: str,
    at: datetime,
    what: What,
    ground: Ground,
    request_id: str = "",
) -> None:
    """One event per actor, study, purpose, ground and quarter of an hour, counted when repeated.

    Committed when this returns and no transaction is open: call it before the first byte leaves.
    """
    key = _key(who, action, what.custodian, what.study_uid, at)
    if windows.repeated(key, ground.consent):
        return
    row = _row(who, action, at, what, ground) | {"window": window_of(at)}
    identity = {name: row[name] for name in _WINDOW_KEY}
    event = Event.objects.filter(**identity).values_list("pk", flat=True).first()
    if event is None:
        event, written = _first(identity, row | {"request_id": request_id})
    else:
        written = False
    if not written:
        _once_more(event)
    transaction.on_commit(partial(windows.remember, key, event, ground.consent))


def repeat_read(*, who: Who, action: str, custodian: str, study_uid: str, at: datetime) -> bool:
    """Count a permitted read whose event this process saw committed; False: ask `record_read`.

    Only for one whom the fence let through just now: it says what is in the log, nothing else.
    """
    return windows.repeated(_key(who, action, custodian, study_uid, at))


def flush_reads() -> None:
    """Write the repeats that this process has counted so far."""
    windows.flush()


def _key(who: Who, action: str, custodian: str, study_uid: str, at: datetime) -> Hashable:
    quarter = int(at.timestamp()) // 900
    reader = (who.kind, who.id, who.organization, who.purpose)
    return (*reader, action, custodian, study_uid, quarter)


@transaction.atomic
def _first(identity: Mapping[str, object], row: Mapping[str, object]) -> tuple[int, bool]:
    """The event's key, and whether it is new: two first reads may come at once."""
    event, created = Event.objects.get_or_create(**identity, defaults=row)
    if created:
        Tally.objects.create(event=event)
    return event.pk, created


def _once_more(event: int) -> None:
    if connection.in_atomic_block:
        Tally.objects.filter(event_id=event).update(count=F("count") + 1)
    else:
        windows.count(event)


_WINDOW_KEY = (
    "actor_kind",
    "actor_id",
    "organization",
    "purpose",
    "action",
    "custodian",
    "study_uid",
    "consent",
    "window",
)


def _row(who: Who, action: str, at: datetime, what: What, ground: Ground) -> dict[str, object]:
    return {
        "at": at,
        "actor_kind": who.kind,
        "actor_id": who.id,
        "actor_name": who.name,
        "organization": who.organization,
        "organization_name": who.organization_name,
        "purpose": who.purpose,
        "action": action,
        "permitted": ground.permitted,
        "rule": ground.rule,
        "reason": ground.reason,
        "consent": ground.consent,
        "custodian": what.custodian,
        "patient": what.patient,
        "study": what.study,
        "study_uid": what.study_uid,
        "detail": what.detail,
    }
