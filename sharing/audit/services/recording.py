"""Write what happened."""

import logging
from collections.abc import Hashable, Iterable, Mapping
from contextlib import nullcontext
from datetime import datetime
from functools import partial
from typing import Any

from django.db import DatabaseError, Error, connection, transaction
from django.db.models import F

from sharing.audit.errors import LogAway
from sharing.audit.models import Event, Tally
from sharing.audit.rules import Ground, What, Who, window_of
from sharing.audit.spool import spool
from sharing.audit.windows import windows
from sharing.kernel.bulk import insert, read
from sharing.kernel.sql import moment

log = logging.getLogger(__name__)


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


def record_all(
    *,
    who: Who,
    action: str,
    at: datetime,
    whats: Iterable[What],
    ground: Ground = Ground(),  # noqa: B008  frozen
) -> None:
    """Append an event for each thing that the same action was done to, in one statement."""
    rows = [_row(who, action, at, what, ground) for what in whats]
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
    While the log can't be written, own reads and refusals are kept on the disk until it can, and
    what another organization answers for is not given: raises LogAway.
    """
    key = _key(who, action, what.custodian, what.study_uid, at)
    if windows.repeated(key, ground.consent):
        return
    row = _row(who, action, at, what, ground)
    row |= {"window": window_of(at), "request_id": request_id}
    try:
        with transaction.atomic() if connection.in_atomic_block else nullcontext():
            event = _read(row)
    except Error as error:
        # Never its text: a database quotes the row that it refuses.
        log.error("alert: the access log can't be written: %s", type(error).__name__)
        if ground.permitted and who.organization != what.custodian:
            raise LogAway() from error
        spool.keep((key, ground.consent), row)
        return
    transaction.on_commit(partial(windows.remember, key, event, ground.consent))
    if spool.owes and not connection.in_atomic_block:
        _try_to_drain()


def _read(row: Mapping[str, Any]) -> int:
    """The key of the event, written or counted once more."""
    known = _known(row)
    event, written = (known, False) if known is not None else _first(row)
    if not written:
        _once_more(event)
    return event


def _try_to_drain() -> None:
    """This read is in the log; that others can't be taken in yet is no reason to refuse it."""
    try:
        drain()
    except (Error, OSError, ValueError) as error:
        log.error("alert: reads that were kept aside still wait: %s", type(error).__name__)


def drain() -> int:
    """Write the reads that were kept on this machine's disk into the log; how many.

    Raises django.db.Error; then they stay where they are.
    """
    return spool.drain(_take)


@transaction.atomic
def _take(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        row.setdefault("client", "")  # a line of a version that knew no clients
        detail = row["detail"] | {"spooled": True}  # why its place comes after its moment
        _first(row | {"detail": detail})


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
    reader = (who.kind, who.id, who.organization, who.purpose, who.client)
    return (*reader, action, custodian, study_uid, quarter)


@transaction.atomic
def _first(row: Mapping[str, Any]) -> tuple[int, bool]:
    """The event's key, and whether it is new: two first reads may come at once."""
    written = insert(Event, tuple(row), [tuple(row.values())], ignore=True) > 0
    event = _known(row)
    if event is None:
        raise DatabaseError("an event that was just written is not there")
    if written:
        insert(Tally, ("event_id",), [(event,)])
    return event, written


def _known(row: Mapping[str, Any]) -> int | None:
    """The key of the event of the row's window."""
    window = {name: row[name] for name in _WINDOW_KEY} | {"window": moment(row["window"])}
    found = read(Event, ("id",), _SAME_WINDOW, tuple(window.values()))
    return found[0][0] if found else None


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
    "client",
    "window",
)
_SAME_WINDOW = " AND ".join(f'"{name}" = %s' for name in _WINDOW_KEY)


def _row(who: Who, action: str, at: datetime, what: What, ground: Ground) -> dict[str, Any]:
    return {
        "at": at,
        "actor_kind": who.kind,
        "actor_id": who.id,
        "actor_name": who.name,
        "organization": who.organization,
        "organization_name": who.organization_name,
        "purpose": who.purpose,
        "client": who.client,
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
