"""The journal of removals outlives the database: after a restore nothing that left comes back."""

from collections.abc import Callable
from pathlib import Path

from django.core.management import call_command
from django.utils import timezone

from sharing.archive.models import Erasure, Instance, Removal, Study, Withheld
from sharing.archive.rules import Why
from sharing.archive.services.journaling import entries, replay
from sharing.archive.services.reconciling import reconcile
from sharing.archive.services.rejecting import reject_images, take_back
from sharing.outbox.models import Job
from tests.archive.keeping import DAY, TABLES, delete, files_of
from tests.archive.sending import outcomes, send
from tests.cast import NOW, Region


class Backup:
    """The archive's rows at a moment, to be put back after later removals are forgotten."""

    def __init__(self) -> None:
        self.rows = [list(table._default_manager.order_by("pk")) for table in TABLES]

    def restore(self) -> None:
        """As if the database were copied back."""
        for table in (Withheld, Erasure, Removal, *reversed(TABLES)):
            table._default_manager.all().delete()
        Job.objects.all().delete()
        for table, rows in zip(TABLES, self.rows, strict=True):
            table._default_manager.bulk_create(rows)


def test_what_was_deleted_after_the_backup_is_deleted_again(
    region: Region, wrist: Study, run_jobs: Callable[..., int]
) -> None:
    backup = Backup()
    delete(region, wrist, NOW + DAY)
    run_jobs(at=timezone.now() + DAY)
    line = Removal.objects.get()
    backup.restore()
    assert Instance.objects.count() == 16
    call_command("reconcile", replay=True)
    assert not Study.objects.exists()
    again = Removal.objects.get()
    assert (again.public_id, again.words, again.by_name, again.blob) == (
        line.public_id, line.words, line.by_name, line.blob,
    )  # fmt: skip
    assert Erasure.objects.exists()
    assert replay().done == 0


def test_a_study_that_came_after_its_deletion_stays(
    region: Region, wrist: Study, real_data: Path, run_jobs: Callable[..., int]
) -> None:
    delete(region, wrist, NOW + DAY)
    run_jobs(at=timezone.now() + DAY)
    send(region, *files_of(real_data), at=NOW + 2 * DAY)
    backup = Backup()
    backup.restore()
    assert replay().done == 1
    assert Instance.objects.count() == 16


def test_rejections_are_replayed_unless_they_were_taken_back(
    region: Region, wrist: Study, real_data: Path, run_jobs: Callable[..., int]
) -> None:
    backup = Backup()
    uids = list(Instance.objects.order_by("pk").values_list("sop_uid", flat=True)[:4])
    series = [wrist.series.get().series_uid]
    lines = [
        reject_images(
            region.ada.actor, public_id=wrist.public_id, series_uids=series, sop_uids=pair,
            why=Why.SAFETY, at=NOW,
        )
        for pair in (uids[:2], uids[2:])
    ]  # fmt: skip
    take_back(region.ada.actor, public_id=lines[1].public_id, at=NOW)
    run_jobs(at=timezone.now() + DAY)
    backup.restore()
    assert replay().done == 3
    left = set(Instance.objects.values_list("sop_uid", flat=True))
    assert len(left) == 14
    assert left.isdisjoint(uids[:2])
    told = outcomes(send(region, *files_of(real_data)))
    assert told.count(("rejected", "rejected_before")) == 2


def test_the_journal_is_never_collected_and_a_line_not_written_is_promised_again(
    region: Region, wrist: Study, run_jobs: Callable[..., int]
) -> None:
    delete(region, wrist, NOW + DAY)
    Job.objects.all().delete()
    later = timezone.now() + 5 * DAY
    line = Removal.objects.get()
    assert reconcile(at=later, collect=False).unwritten_journal == [line.public_id]
    run_jobs(at=later)
    assert reconcile(at=later, collect=False).unwritten_journal == []
    ((key, entry),) = entries()
    assert (entry["public_id"], entry["study_uid"]) == (line.public_id, wrist.study_uid)
    Removal.objects.all().delete()
    reconcile(at=later, collect=True)
    assert [found for found, _ in entries()] == [key]
