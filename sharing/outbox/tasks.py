"""Doorbells of the outbox."""

from celery import shared_task
from django.utils import timezone

from . import services


@shared_task(name="outbox.run_job")
def run_job(job_id: int) -> None:
    """Run one owed job."""
    services.run(job_id=job_id, at=timezone.now())


@shared_task(name="outbox.run_together")
def run_together(name: str) -> None:
    """Run the owed jobs of the task of that name, in one call."""
    services.run_together(task=name, at=timezone.now())


@shared_task(name="outbox.sweep")
def sweep() -> None:
    """Ring again for all that is due; the beat calls this."""
    services.sweep(at=timezone.now())


@shared_task(name="outbox.clear")
def clear() -> None:
    """Let go of what was done long ago; the beat calls this."""
    services.clear(at=timezone.now())
