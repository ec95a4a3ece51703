"""The reconciler: mismatches of each kind are planted, found, and healed where that is safe."""

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.utils import timezone

from sharing.archive.models import Batch, Instance, Study
from sharing.archive.services import receiving
from sharing.archive.services.reconciling import reconcile
from sharing.blobs import scratch, store
from sharing.consent.models import Evidence
from sharing.outbox.models import Job
from tests.archive.sending import send
from tests.cast import NOW, Region

SMALL = "single/pydicom_CT_small.dcm"
TOMORROW = timezone.now() + timedelta(hours=25)


@pytest.fixture(autouse=True)
def own_store(settings: Any, tmp_path: Path) -> None:
    """A store in which other tests left nothing."""
    settings.BLOB_STORAGE = str(tmp_path / "blobs")
    settings.SCRATCH_DIR = tmp_path / "scratch"


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


def test_scratch_of_a_process_that_died_is_cleared(db: None) -> None:
    with scratch() as handle:
        name = Path(handle.name)
        os.utime(name, (0, 0))
        assert reconcile(at=timezone.now(), collect=False).old_scratch == 1
        assert not name.exists()
