"""Doorbells of the archive."""

from celery import shared_task
from django.utils import timezone

from .services import (
    compacting,
    holding,
    journaling,
    label_rules,
    placing,
    reconciling,
    rejecting,
    renditions,
    scrubbing,
    settling,
    uploading,
)


@shared_task(name="archive.settle_study")
def settle_study(study_id: int) -> None:
    """Make a study complete once no more images come."""
    settling.settle_study(study_id=study_id, at=timezone.now())


@shared_task(name="archive.settle_studies", together=True)
def settle_studies(study_ids: list[int]) -> None:
    """Make studies complete once no more images come."""
    settling.settle_studies(study_ids=study_ids, at=timezone.now())


@shared_task(name="archive.draw_pictures")
def draw_pictures(series_ids: list[int]) -> None:
    """Draw the small pictures of series that settled without."""
    settling.draw_pictures(series_ids=series_ids, at=timezone.now())


@shared_task(name="archive.make_renditions")
def make_renditions(study_id: int) -> None:
    """Encode a study's images as HTJ2K, ahead of those who may ask for it."""
    renditions.make_renditions(study_id=study_id, at=timezone.now())


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


@shared_task(name="archive.erase")
def erase(erasure_id: int) -> None:
    """Write a pack again without what left it."""
    compacting.erase(erasure_id=erasure_id, at=timezone.now())


@shared_task(name="archive.write_journal")
def write_journal(removal_id: int) -> None:
    """Put a line of the journal of removals into the store."""
    journaling.write_journal(removal_id=removal_id)


@shared_task(name="archive.purge")
def purge() -> None:
    """Let go of what was withheld long enough; the beat calls this."""
    rejecting.purge(at=timezone.now())


@shared_task(name="archive.scrub")
def scrub() -> None:
    """Verify a part of the stored hashes, all of them within a month; the beat calls this."""
    at = timezone.now()
    scrubbing.scrub(at=at, most=scrubbing.share_of(at=at))


@shared_task(name="archive.apply_label_rule")
def apply_label_rule(rule_id: int, after: int) -> None:
    """Hold studies that are there against a rule that is new."""
    label_rules.apply_rule(rule_id=rule_id, after=after, at=timezone.now())


@shared_task(name="archive.fill_regions")
def fill_regions(after: int) -> None:
    """Fill in which parts of the body older studies show."""
    placing.fill_regions(after=after, at=timezone.now())


@shared_task(name="archive.go_on_erasing")
def go_on_erasing(organization_id: int) -> None:
    """An organization's legal hold ended."""
    holding.go_on_erasing(organization_id=organization_id, at=timezone.now())
