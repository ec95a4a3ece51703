"""Rows, blobs and jobs held against each other. What can heal, heals; the rest is named.

A blob is deleted here and nowhere else: when no row of any table names it, it is older than a day,
and a second look says the same.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Max, QuerySet

from sharing.archive.models import Batch, Instance, Study
from sharing.archive.rules import GRACE, STUCK_AFTER, StudyState
from sharing.blobs import BlobMissing, store
from sharing.outbox.services import promise

log = logging.getLogger(__name__)


@dataclass
class Report:
    """Keys and ids by kind of mismatch; all empty when everything agrees."""

    orphans: list[str] = field(default_factory=list)
    collected: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    cut_short: list[str] = field(default_factory=list)
    stuck_studies: list[str] = field(default_factory=list)
    stuck_batches: list[str] = field(default_factory=list)
    old_scratch: int = 0

    @property
    def agrees(self) -> bool:
        """Whether nothing is left to a person."""
        return not (self.missing or self.cut_short)


def reconcile(*, at: datetime, collect: bool) -> Report:
    """Look at everything once. `collect` deletes the orphans that are older than GRACE."""
    report = Report()
    _look_at_blobs(report, at, collect=collect)
    _look_at_rows(report)
    _ring_again(report, at)
    report.old_scratch = _clear_scratch(at)
    log.info(
        "reconciled: %d orphans, %d collected, %d missing, %d cut short, %d studies, %d batches",
        len(report.orphans),
        len(report.collected),
        len(report.missing),
        len(report.cut_short),
        len(report.stuck_studies),
        len(report.stuck_batches),
    )
    return report


def _naming() -> Iterator[QuerySet[models.Model]]:
    """Every table with a `blob` column, so that a room that comes later is not forgotten."""
    for model in apps.get_models():
        if any(column.name == "blob" for column in model._meta.concrete_fields):
            yield model._default_manager.all()


def _is_named(key: str) -> bool:
    return any(rows.filter(blob=key).exists() for rows in _naming())


def _look_at_blobs(report: Report, at: datetime, *, collect: bool) -> None:
    for key in store().keys():  # noqa: SIM118 - a store is no mapping
        if _is_named(key) or not _is_old(key, at):
            continue
        report.orphans.append(key)
        if collect and not _is_named(key):
            log.warning("collecting %s: no row names it", key)
            store().delete(key)
            report.collected.append(key)


def _is_old(key: str, at: datetime) -> bool:
    """Young blobs may belong to a transaction that is still open."""
    try:
        return store().written_at(key) < at - GRACE
    except BlobMissing:
        return False


def _look_at_rows(report: Report) -> None:
    ends = (
        Instance.objects.order_by("blob")
        .values_list("blob")
        .annotate(end=Max(F("offset") + F("length")))
    )
    for key, end in ends.iterator(chunk_size=1000):
        try:
            if store().size(key) < end:
                report.cut_short.append(key)
        except BlobMissing:
            report.missing.append(key)
    report.missing += _missing_elsewhere(set(report.missing))
    for key in (*report.missing, *report.cut_short):
        log.error("blob %s does not hold what its rows promise", key)


def _missing_elsewhere(known: set[str]) -> list[str]:
    """Blobs that rows of other tables name: signed forms, images that wait for a decision."""
    tables = (rows for rows in _naming() if rows.model is not Instance)
    keys = (rows.order_by("blob").values_list("blob", flat=True).distinct() for rows in tables)
    return [key for key in chain.from_iterable(keys) if key not in known and not _is_there(key)]


def _is_there(key: str) -> bool:
    try:
        store().size(key)
    except BlobMissing:
        return False
    return True


def _ring_again(report: Report, at: datetime) -> None:
    """Studies and batches whose job was parked or lost are promised anew."""
    old = at - STUCK_AFTER
    studies = Study.objects.exclude(state=StudyState.COMPLETE).filter(changed_at__lt=old)
    for study in studies.only("pk", "public_id"):
        report.stuck_studies.append(study.public_id)
        with transaction.atomic():
            promise("archive.settle_study", at=at, study_id=study.pk)
    batches = Batch.objects.filter(closed_at__lt=old, received_at=None)
    for batch in batches.only("pk", "public_id"):
        report.stuck_batches.append(batch.public_id)
        with transaction.atomic():
            promise("archive.receive_batch", at=at, batch_id=batch.pk)


def _clear_scratch(at: datetime) -> int:
    """Temporary files of processes that died; uploads have a folder of their own and stay."""
    cleared = 0
    for path in Path(settings.SCRATCH_DIR).glob("tmp*"):
        written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        if path.is_file() and written < at - GRACE:
            path.unlink(missing_ok=True)
            cleared += 1
    return cleared
