"""Doorbells of people and organizations."""

from celery import shared_task
from django.utils import timezone

from . import services


@shared_task(name="tenants.lapse_posts")
def lapse_posts() -> None:
    """Rest the roles of whom nobody confirmed for a quarter and a month; the beat calls this."""
    services.lapse_posts(at=timezone.now())
