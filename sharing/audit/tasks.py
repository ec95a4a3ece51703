"""Doorbells of the access log."""

from celery import shared_task
from django.utils import timezone

from . import services


@shared_task(name="audit.seal")
def seal() -> None:
    """Drain, give places to new events, sign the head, keep it outside; the beat calls this."""
    at = timezone.now()
    services.drain()
    services.seal(at=at)
    services.anchor(at=at)


@shared_task(name="audit.feed")
def feed() -> None:
    """Hand the log on to the syslog server, if there is one; the beat calls this."""
    services.feed()
