"""Doorbells of the archive."""

from celery import shared_task
from django.utils import timezone

from .services import reconciling, settling, uploading


@shared_task(name="archive.settle_study")
def settle_study(study_id: int) -> None:
    """Make a study complete once no more images come."""
    settling.settle_study(study_id=study_id, at=timezone.now())


@shared_task(name="archive.receive_batch")
def receive_batch(batch_id: int) -> None:
    """Receive the files of a closed batch."""
    uploading.receive_batch(batch_id=batch_id, at=timezone.now())


@shared_task(name="archive.close_idle_batches")
def close_idle_batches() -> None:
    """Close batches that their senders left open; the beat calls this."""
    uploading.close_idle_batches(at=timezone.now())


@shared_task(name="archive.reconcile")
def reconcile() -> None:
    """Hold rows, blobs and jobs against each other; the beat calls this."""
    reconciling.reconcile(at=timezone.now(), collect=True)
