"""Hand the log on: as a FHIR bundle, and to a syslog server in the order of its places."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from sharing.audit import fhir, syslog
from sharing.audit.models import Event, Feed, Leaf
from sharing.audit.rules import Who

from .reading import MOST_LINES, log_export, whole
from .sealing import FIELDS, by_value, moment

log = logging.getLogger(__name__)
MOST = 500
SYSLOG = "syslog"


def as_bundle(events: Iterable[Mapping[str, Any]], *, at: datetime) -> dict[str, Any]:
    """Rows of events (`Event.objects.values(*FIELDS)`) as a FHIR Bundle."""
    values = (by_value(event) for event in events)
    return fhir.bundle(values, origin=settings.PUBLIC_URL, at=moment(at))


def bundle_of(
    *, custodian: str, since: datetime, by: Who, at: datetime, most: int = MOST_LINES
) -> dict[str, Any]:
    """What concerns one custodian since then, oldest first, as a FHIR Bundle, to be handed out:
    that is logged. Raises LogTooLong.
    """
    events = Event.objects.filter(custodian=custodian, at__gte=since, at__lt=at)
    found = whole(events.order_by("at", "pk").values(*FIELDS), most)
    log_export(custodian=custodian, since=since, by=by, at=at)
    return as_bundle(found, at=at)


def feed() -> int:
    """Send what was sealed since the last time to the syslog server; how many events.

    While that is away the place stays where it is, and the next call begins there: every event
    comes at least once, in order.
    """
    if not settings.AUDIT_SYSLOG:
        return 0
    state, _ = Feed.objects.get_or_create(name=SYSLOG)
    sent = 0
    while leaves := list(_after(state.place)):
        try:
            syslog.send(settings.AUDIT_SYSLOG, _frames(leaves))
        except OSError:
            log.exception("alert: the syslog server does not take the access log")
            return sent
        sent += len(leaves)
        state.place = leaves[-1][0]
        Feed.objects.filter(name=SYSLOG, place__lt=state.place).update(place=state.place)
    return sent


def _after(place: int) -> Iterable[tuple[int, int]]:
    leaves = Leaf.objects.filter(place__gt=place).order_by("place")
    return leaves.values_list("place", "event")[:MOST]


def _frames(leaves: Sequence[tuple[int, int]]) -> list[bytes]:
    wanted = Event.objects.filter(pk__in=[event for _, event in leaves]).values(*FIELDS)
    events = {event["id"]: by_value(event) for event in wanted}
    origin = settings.PUBLIC_URL
    host = urlsplit(origin).hostname or ""
    return [
        syslog.framed(
            syslog.message(fhir.audit_event(events[key], origin=origin), host=host, place=place)
        )
        for place, key in leaves
        if key in events  # what is gone, has expired
    ]


def place_of(name: str) -> int:
    """Up to which place the log was handed on to that reader; -1: from its beginning."""
    return Feed.objects.get_or_create(name=name)[0].place


def stand_at(name: str, place: int | None = None) -> None:
    """That reader has all up to a place; without one, up to the newest. It never goes back."""
    Feed.objects.get_or_create(name=name)
    newest = Leaf.objects.order_by("-place").values_list("place", flat=True).first()
    to = place if place is not None else newest
    if to is not None:
        Feed.objects.filter(name=name, place__lt=to).update(place=to)


def sealed_after(place: int) -> list[tuple[int, Event]]:
    """The next sealed events behind a place, in order; those that expired are left out."""
    leaves = list(_after(place))
    events = Event.objects.in_bulk([event for _, event in leaves])
    found = [(at, events[key]) for at, key in leaves if key in events]
    return found or ([] if not leaves else sealed_after(leaves[-1][0]))
