"""Doorbells of shares, requests and emergency accesses."""

from celery import shared_task
from django.utils import timezone

from . import services


@shared_task(name="access.mind_requests")
def mind_requests() -> None:
    """Expire the requests that nobody answered, remind of those that wait; the beat calls this."""
    services.expire_requests(at=timezone.now())
    services.remind_requests(at=timezone.now())


@shared_task(name="access.expire_glasses")
def expire_glasses() -> None:
    """Mark the emergency accesses that have run out; the beat calls this."""
    services.expire_glasses(at=timezone.now())
