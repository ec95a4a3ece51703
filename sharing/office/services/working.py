"""The region's jobs: what was done, what waits, what was given up; and trying that once more."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from sharing.archive.models import Conflict, Damage, DeliveryItem
from sharing.archive.rules import Outcome
from sharing.audit.rules import What
from sharing.audit.services import record
from sharing.kernel import scope
from sharing.outbox.services import Hour, Parked, again, by_hour, oldest_owed, owed, parked
from sharing.tenants.models import Organization
from sharing.tenants.rules import Actor, Duty
from sharing.tenants.services import require

FINE = (Outcome.STORED, Outcome.DUPLICATE, Outcome.IGNORED)
ERRORS_OVER = timedelta(days=30)


@dataclass(frozen=True)
class Work:
    """What waits in the region: jobs, and what was set aside at each organization."""

    owed: int
    oldest: datetime | None
    parked: list[Parked]
    hours: list[Hour]
    aside: list[tuple[Organization, int, int, int]]


@scope.as_house()  # numbers of all, for who may see none of the rows
def region_work(actor: Actor, *, at: datetime) -> Work:
    """Jobs that are owed and given up, and what was set aside. Raises NotAllowed."""
    require(actor, Duty.SET_REGION)
    found = Organization.objects.exclude(kind=Organization.Kind.OPERATOR).order_by("name")
    aside = [(each, *_aside(each, at)) for each in found]
    return Work(owed(), oldest_owed(), parked(), by_hour(at=at), aside)


def _aside(each: Organization, at: datetime) -> tuple[int, int, int]:
    refused = DeliveryItem.objects.filter(
        delivery__organization=each, delivery__received_at__gt=at - ERRORS_OVER
    ).exclude(outcome__in=FINE)
    conflicts = Conflict.objects.filter(organization=each, decided_at=None, held=None)
    damaged = Damage.objects.filter(organization=each)
    return conflicts.count(), damaged.count(), refused.count()


@transaction.atomic
def try_again(*, task: str, by: Actor, at: datetime) -> int:
    """Owe anew what was given up of a task; how many jobs. Raises NotAllowed."""
    require(by, Duty.SET_REGION)
    count = again(task=task, at=at)
    if count:
        what = What(detail={"task": task, "jobs": count})
        record(who=by.who, action="region.try_again", at=at, what=what)
    return count
