"""The reconciler: mismatches of each kind are planted, found, and healed where that is safe."""

import os
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.utils import timezone

from sharing.archive.models import Batch, Erasure, Instance, Study
from sharing.archive.services import receiving
from sharing.archive.services.reconciling import reconcile
from sharing.blobs import scratch, store
from sharing.consent.models import Evidence
from sharing.outbox.models import Job
from tests.archive.sending import send
from tests.cast import NOW, Region

SMALL = "single/pydicom_CT_small.dcm"
pytestmark = pytest.mark.usefixtures("own_store")
TOMORROW = timezone.now() + timedelta(hours=25)


def orphan(region: Region, real_data: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A pack whose transaction never came: the crash after the rename."""

    def crash(*_: object) -> None:
        raise RuntimeError("the process ends here")

    with monkeypatch.context() as patched:
        patched.setattr(receiving, "_commit", crash)
        with pytest.raises(RuntimeError):
            send(region, real_data / SMALL)
    (key,) = set(store().keys()) - set(Instance.objects.values_list("blob", flat=True))
    return key


def test_when_all_agrees_nothing_is_found(region: Region, real_data: Path) -> None:
    send(region, real_data / SMALL)
    region.permit()
    report = reconcile(at=TOMORROW, collect=True)
    assert (report.orphans, report.missing, report.cut_short) == ([], [], [])
    assert report.agrees
    assert store().size(Evidence.objects.get().blob)


def test_a_pack_without_rows_is_collected_after_a_day_and_not_before(
    region: Region, real_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = orphan(region, real_data, monkeypatch)
    assert reconcile(at=timezone.now() + timedelta(hours=23), collect=True).orphans == []
    assert reconcile(at=TOMORROW, collect=False).orphans == [key]
    assert key in set(store().keys())
    assert reconcile(at=TOMORROW, collect=True).collected == [key]
    assert key not in set(store().keys())
    send(region, real_data / SMALL)
    assert Instance.objects.count() == 1


def test_lost_and_shortened_blobs_are_named_and_the_command_fails(
    region: Region, real_data: Path
) -> None:
    send(region, real_data / SMALL)
    send(region, real_data / "single/pydicom_MR_small_implicit.dcm")
    lost, short = Instance.objects.order_by("pk").values_list("blob", flat=True)
    store().delete(lost)
    os.truncate(Path(django_settings.BLOB_STORAGE) / short, 100)
    report = reconcile(at=NOW, collect=False)
    assert (report.missing, report.cut_short) == ([lost], [short])
    with pytest.raises(CommandError, match=lost):
        call_command("reconcile")


def test_what_stands_still_is_promised_again(
    region: Region, real_data: Path, run_jobs: Callable[..., int]
) -> None:
    send(region, real_data / SMALL)
    batch = Batch.objects.create(
        organization=region.riverside, user=region.mei.user, opened_at=NOW, touched_at=NOW,
        closed_at=NOW,
    )  # fmt: skip
    Job.objects.all().delete()
    report = reconcile(at=TOMORROW, collect=False)
    assert report.stuck_studies == [Study.objects.get().public_id]
    assert report.stuck_batches == [batch.public_id]
    run_jobs(at=TOMORROW)
    assert Study.objects.get().state == "complete"
    assert not reconcile(at=TOMORROW, collect=False).stuck_batches


@pytest.mark.parametrize("days", [1, -1])
def test_nothing_is_deleted_for_its_age_after_the_clock_was_set(
    region: Region, real_data: Path, monkeypatch: pytest.MonkeyPatch, days: int
) -> None:
    """What is being received at this moment would look a day old, and go before its rows come."""
    key = orphan(region, real_data, monkeypatch)
    with scratch() as handle:
        os.utime(handle.name, (0, 0))
        right = time.time
        monkeypatch.setattr("time.time", lambda: right() + days * 86400)
        report = reconcile(at=TOMORROW, collect=True)
        assert (report.orphans, report.collected, report.old_scratch) == ([key], [], 0)
        assert Path(handle.name).exists()
    assert key in set(store().keys())


def test_scratch_of_a_process_that_died_is_cleared(db: None) -> None:
    with scratch() as handle:
        name = Path(handle.name)
        os.utime(name, (0, 0))
        assert reconcile(at=timezone.now(), collect=False).old_scratch == 1
        assert not name.exists()


def test_wrong_counts_are_put_right_and_every_class_is_at_zero_after_one_cycle(
    region: Region, real_data: Path, monkeypatch: pytest.MonkeyPatch, run_jobs: Callable[..., int]
) -> None:
    """What a lost job, a crash or a wrong hand left, planted at once."""
    orphan(region, real_data, monkeypatch)
    send(region, real_data / SMALL)
    run_jobs(at=timezone.now() + timedelta(minutes=1))  # and what a settled study promised then
    study = Study.objects.get()
    Study.objects.update(instance_count=7)
    left = Path(django_settings.DOCUMENTS_DIR) / "ff/999999999-0.json"
    left.parent.mkdir(parents=True, exist_ok=True)
    left.write_text("[]")
    erasure = Erasure.objects.create(
        organization=region.riverside, pack="riverside/studies/aa/aa.pack", asked_at=NOW
    )
    Job.objects.create(task="archive.settle_study", ids={"study_id": 0}, due_at=NOW)
    with scratch() as handle:
        os.utime(handle.name, (0, 0))
        found = reconcile(at=TOMORROW, collect=True)
    assert found.miscounted == [study.public_id]
    assert found.stuck_erasures == [erasure.pack]
    assert (found.late_jobs, len(found.collected), found.old_scratch) == (1, 1, 1)
    assert (found.left_documents > 0, left.exists()) == (True, False)
    run_jobs(at=TOMORROW)
    study.refresh_from_db()
    assert study.instance_count == 1
    assert set(reconcile(at=TOMORROW, collect=True).counts.values()) == {0}


def test_a_job_that_was_given_up_is_counted(region: Region) -> None:
    Job.objects.create(task="archive.settle_study", ids={"study_id": 0}, parked_at=NOW)
    assert reconcile(at=TOMORROW, collect=False).parked_jobs == 1
