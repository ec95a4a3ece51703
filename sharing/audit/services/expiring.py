"""After the years of retention events go, by whole heads, and the log says which (ADR-007)."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction

from sharing.audit.models import Checkpoint, Event, Leaf
from sharing.audit.rules import SYSTEM, What

from .recording import record


@transaction.atomic
def expire(*, at: datetime) -> int:
    """Delete the events under all heads that are older than the retention; how many.

    Their leaves and the heads stay, so the rest of the log can be checked as before. The database
    itself refuses to delete an event that is younger than six years.
    """
    until = at - timedelta(days=366 * settings.AUDIT_KEEP_YEARS)
    head = Checkpoint.objects.filter(at__lt=until).order_by("-number").first()
    if head is None:
        return 0
    covered = Leaf.objects.filter(place__lt=head.size)
    kept = Event.objects.filter(pk__in=covered.values("event"))
    if kept.filter(at__gte=until).exists():  # a clock was wrong: wait until all are old
        return 0
    count = kept.count()
    if count:
        _delete(head.size)
        detail = {"size": head.size, "head": head.number, "root": head.root}
        record(who=SYSTEM, action="audit.expire", at=at, what=What(detail=detail))
    return count


def _delete(size: int) -> None:
    with connection.cursor() as cursor:
        for table, key in (("audit_tally", "event_id"), ("audit_event", "id")):
            cursor.execute(
                f"DELETE FROM {table} WHERE {key} IN "  # noqa: S608 - names of ours
                "(SELECT event FROM audit_leaf WHERE place < %s)",
                [size],
            )
