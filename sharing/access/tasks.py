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


@shared_task(name="access.end_given")
def end_given(user_id: int, organization_id: int) -> None:
    """Who left an organization keeps nothing that was given to them there."""
    services.end_given(user_id=user_id, organization_id=organization_id, at=timezone.now())
