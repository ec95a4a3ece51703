"""Rows, blobs and jobs held against each other. What can heal, heals; the rest is named.

A blob is deleted here and nowhere else: when no row of any table names it, it is older than a day,
no reader can still hold its name, and a second look says the same.
"""

import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

from django.conf import settings
from django.db import models, transaction
from django.db.models import Count, F, Max, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from sharing.archive import documents
from sharing.archive.models import (
    Batch,
    Damage,
    Erasure,
    Instance,
    Removal,
    Series,
    Study,
    Verified,
)
from sharing.archive.rules import GRACE, LINGER, SCRATCH_AGE, STUCK_AFTER, StudyState
from sharing.archive.sql import chunks
from sharing.blobs import BlobMissing, store
from sharing.kernel import clock
from sharing.outbox.services import promise, stuck

from .journaling import is_journal
from .naming import is_named, naming
from .scrubbing import heal

log = logging.getLogger(__name__)


@dataclass
class Report:
    """Keys and ids by kind of mismatch; after one more look all are empty, but for what only a
    person or a sender can bring back: `missing`, `cut_short`, `damaged`, `parked_jobs`."""

    orphans: list[str] = field(default_factory=list)
    collected: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    cut_short: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    healed: int = 0
    stuck_studies: list[str] = field(default_factory=list)
    stuck_batches: list[str] = field(default_factory=list)
    miscounted: list[str] = field(default_factory=list)
    stuck_erasures: list[str] = field(default_factory=list)
    erasures_that_wait: list[str] = field(default_factory=list)
    unwritten_journal: list[str] = field(default_factory=list)
    late_jobs: int = 0
    parked_jobs: int = 0
    old_scratch: int = 0
    left_documents: int = 0

    @property
    def agrees(self) -> bool:
        """Whether nothing is left to a person."""
        return not (self.missing or self.cut_short or self.damaged)

    @property
    def counts(self) -> dict[str, int]:
        """How many of each kind, in a fixed order."""
        return {
            name: value if isinstance(value, int) else len(value)
            for name, value in vars(self).items()
        }


def reconcile(*, at: datetime, collect: bool) -> Report:
    """Look at everything once. `collect` deletes the orphans that are older than GRACE.

    Nothing is deleted for its age where the clock was set meanwhile: what was just received might
    look a day old.
    """
    report, steady = Report(), not clock.jumped()
    if not steady:
        log.warning("the clock was set while this process ran; it deletes nothing")
    report.healed = heal(at=at)
    _look_at_rows(report)
    _ring_again(report, at)
    _count_again(report)
    _look_at_removals(report, at)
    report.late_jobs, report.parked_jobs = stuck(at=at, since=STUCK_AFTER)
    _look_at_blobs(report, at, collect=collect and steady)
    report.old_scratch = _clear_scratch(at) if steady else 0
    report.left_documents = _drop_documents()
    log.info("reconciled: %s", ", ".join(f"{name} {n}" for name, n in report.counts.items()))
    return report


def _look_at_blobs(report: Report, at: datetime, *, collect: bool) -> None:
    for key in store().keys():  # noqa: SIM118 - a store is no mapping
        if is_journal(key) or not _is_free(key, at):
            continue
        report.orphans.append(key)
        if collect and _is_free(key, at):
            log.warning("collecting %s: no row names it", key)
            store().delete(key)
            Verified.objects.filter(pack=key).delete()
            report.collected.append(key)


def _is_free(key: str, at: datetime) -> bool:
    return not is_named(key) and _is_old(key, at) and not _may_be_read(key, at)


def _is_old(key: str, at: datetime) -> bool:
    """Young blobs may belong to a transaction that is still open."""
    try:
        return store().written_at(key) < at - GRACE
    except BlobMissing:
        return False


def _may_be_read(key: str, at: datetime) -> bool:
    """A pack that was written again lingers for those who read its name before."""
    erasures = Erasure.objects.filter(pack=key)
    return erasures.filter(models.Q(done_at=None) | models.Q(moved_at__gt=at - LINGER)).exists()


def _look_at_rows(report: Report) -> None:
    marks = dict(Damage.objects.filter(healed_at=None).values_list("marked", "sop_uid"))
    report.damaged += sorted(marks.values())
    ends = (
        Instance.objects.order_by("blob")
        .values_list("blob")
        .annotate(end=Max(F("offset") + F("length")))
    )
    for key, end in ends.iterator(chunk_size=1000):
        if key in marks:
            continue
        try:
            if store().size(key) < end:
                report.cut_short.append(key)
        except BlobMissing:
            report.missing.append(key)
    report.missing += _missing_elsewhere(set(report.missing))
    for key in (*report.missing, *report.cut_short):
        log.error("alert: blob %s does not hold what its rows promise", key)


def _missing_elsewhere(known: set[str]) -> list[str]:
    """Blobs that rows of other tables name: signed forms, images that wait for a decision."""
    tables = (rows.exclude(blob="") for rows in naming() if rows.model is not Instance)
    keys = (rows.order_by("blob").values_list("blob", flat=True).distinct() for rows in tables)
    wanted = dict.fromkeys(chain.from_iterable(keys))
    return [key for key in wanted if key not in known and not _is_there(key)]


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


def _count_again(report: Report) -> None:
    """Counts that are kept beside the rows, held against the rows; wrong ones are put right."""
    for study in _miscounted():
        with transaction.atomic():
            locked = Study.objects.select_for_update().filter(pk=study.pk).first()
            if locked is None or not _miscounted().filter(pk=study.pk).exists():
                continue  # it was on its way
            report.miscounted.append(study.public_id)
            log.error("alert: study %s had wrong counts", study.public_id)
            locked.instance_count = Instance.objects.filter(series__study=locked).count()
            locked.series_count = Series.objects.filter(study=locked).count()
            locked.save(update_fields=["instance_count", "series_count"])


def _miscounted() -> QuerySet[Study]:
    here = Instance.objects.filter(series__study=OuterRef("pk")).order_by()
    count = here.values("series__study").annotate(n=Count("pk")).values("n")
    return Study.objects.filter(state=StudyState.COMPLETE).exclude(
        instance_count=Coalesce(Subquery(count), 0)
    )


def _look_at_removals(report: Report, at: datetime) -> None:
    """Erasures and lines of the journal whose job was lost are promised anew."""
    old = at - STUCK_AFTER
    for erasure in Erasure.objects.filter(done_at=None, asked_at__lt=old):
        kind = report.erasures_that_wait if erasure.waits == "hold" else report.stuck_erasures
        kind.append(erasure.pack)
        with transaction.atomic():
            promise("archive.erase", at=at, erasure_id=erasure.pk)
    for removal in Removal.objects.filter(blob="", at__lt=old):
        report.unwritten_journal.append(removal.public_id)
        with transaction.atomic():
            promise("archive.write_journal", at=at, removal_id=removal.pk)


def _clear_scratch(at: datetime) -> int:
    """Temporary files of processes that died; uploads have a folder of their own and stay."""
    cleared = 0
    for path in Path(settings.SCRATCH_DIR).glob("tmp*"):
        try:
            written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        except FileNotFoundError:  # its process ended in this moment
            continue
        if path.is_file() and written < at - SCRATCH_AGE:
            path.unlink(missing_ok=True)
            cleared += 1
    return cleared


def _drop_documents() -> int:
    """Ready-made metadata of series that are gone: a crash between the commit and the unlinking."""
    held = sorted(documents.held())
    left = set(held)
    for some in chunks(held):
        there = Series.objects.filter(pk__in=some)
        left.difference_update(there.values_list("pk", flat=True))
    documents.drop(left)
    return len(left)
