"""What an organization may send: requests in a minute, and bytes that it holds (docs/deploy.md)."""

from datetime import datetime

from django.conf import settings
from django.core.cache import cache
from django.db.models import Sum

from sharing.archive.errors import QuotaReached, TooMany
from sharing.archive.models import Instance
from sharing.archive.rules import MAX_ARCHIVE_BYTES
from sharing.tenants.models import Organization
from sharing.tenants.rules import Actor

from .minutes import count_in_minute

MEASURED_SECONDS = 60
"""How old the sum of what is held may be: so long a full organization can still send."""


def allow(actor: Actor, *, announced: int, at: datetime) -> int:
    """How many bytes the actor's organization may send with this request.

    `announced` is what the request says, 0 where it says nothing. Raises TooMany, QuotaReached.
    """
    _count(actor.organization_code, at)
    quota = _quota(actor.organization_id)
    if not quota:
        return MAX_ARCHIVE_BYTES
    free = quota - _held(actor.organization_code)
    if free <= 0 or announced > free:
        raise QuotaReached()
    return min(MAX_ARCHIVE_BYTES, free)


def _quota(organization_id: int) -> int:
    """Its own where the operator set one, else the region's; 0: no end."""
    own = Organization.objects.filter(pk=organization_id).values_list("quota_bytes", flat=True)
    said = own.first()
    return settings.STORE_QUOTA_BYTES if said is None else said


def _count(organization: str, at: datetime) -> None:
    most = settings.STORE_REQUESTS_A_MINUTE
    if most and count_in_minute("stores", organization, at) > most:
        raise TooMany()


def _held(organization: str) -> int:
    key = f"held:{organization}"
    held = cache.get(key)
    if held is None:
        rows = Instance.objects.filter(organization__code=organization)
        held = rows.aggregate(sum=Sum("length"))["sum"] or 0
        cache.set(key, held, timeout=MEASURED_SECONDS)
    return int(held)
