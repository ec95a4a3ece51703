"""Doorbells of the consent desk."""

from celery import shared_task
from django.utils import timezone

from . import services


@shared_task(name="consent.expire")
def expire() -> None:
    """Mark consents that have run out; the beat calls this."""
    services.expire_consents(at=timezone.now())


@shared_task(name="consent.lapse")
def lapse() -> None:
    """Mark consents whose speaker may no longer speak; the beat calls this."""
    services.lapse_consents(at=timezone.now())
