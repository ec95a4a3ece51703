"""Doorbells of the partners room."""

from celery import shared_task
from django.utils import timezone

from . import replaying, services


@shared_task(name="partners.clear")
def clear() -> None:
    """What is over; the beat calls this."""
    at = timezone.now()
    services.clear(at=at)
    replaying.clear(at=at)
