"""Erasing out of a pack that is shared: the old world or the new one, whatever step is the last."""

import errno
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from sharing.archive.models import Damage, Erasure, Instance, Series, Study
from sharing.archive.rules import Why
from sharing.archive.services import compacting
from sharing.archive.services.compacting import erase
from sharing.archive.services.holding import lift_hold, place_hold
from sharing.archive.services.reconciling import reconcile
from sharing.archive.services.rejecting import purge, reject_images
from sharing.blobs import FolderStore, store
from tests.archive.keeping import files_of, held, packs
from tests.archive.sending import send
from tests.cast import NOW, Region

DAY = timedelta(days=1)
LATER = NOW + 40 * DAY


@pytest.fixture(params=["folder", "moto"])
def any_store(request: pytest.FixtureRequest, settings: Any, tmp_path: Path) -> None:
    """A folder, or S3."""
    where = str(tmp_path / "blobs")
    settings.BLOB_STORAGE = where if request.param == "folder" else request.getfixturevalue("moto")
    settings.SCRATCH_DIR = tmp_path / "scratch"
    for key in list(store().keys()):
        store().delete(key)


@pytest.fixture
def owed(region: Region, real_data: Path, any_store: None) -> Erasure:
    """Two images of sixteen were rejected and purged: their bytes are owed to nobody."""
    send(region, *files_of(real_data))
    purge_two(region)
    return Erasure.objects.get()


def purge_two(region: Region) -> None:
    study = Study.objects.get()
    uids = Instance.objects.order_by("pk").values_list("sop_uid", flat=True)[3:5]
    reject_images(
        region.ada.actor, public_id=study.public_id, sop_uids=list(uids), why=Why.SAFETY,
        series_uids=[study.series.get().series_uid], at=NOW,
    )  # fmt: skip
    assert purge(at=LATER) == 2


def is_whole(real_data: Path) -> bool:
    """Whether the fourteen that stay are readable as they came, from one pack or the other."""
    whole = {path.read_bytes() for path in files_of(real_data)}
    return len(held()) == Instance.objects.count() == 14 and held() <= whole


def test_the_pack_is_written_again_without_what_left(owed: Erasure, real_data: Path) -> None:
    before, version = store().size(owed.pack), Series.objects.get().version
    assert erase(erasure_id=owed.pk, at=LATER)
    (key,) = set(Instance.objects.values_list("blob", flat=True))
    owed.refresh_from_db()
    assert key != owed.pack
    assert is_whole(real_data)
    assert (owed.done_at, owed.freed) == (LATER, before - store().size(key))
    assert store().size(key) == sum(len(raw) for raw in held())
    assert Series.objects.get().version > version
    assert erase(erasure_id=owed.pk, at=LATER)  # rung twice
    assert {key} == set(Instance.objects.values_list("blob", flat=True))


def test_the_old_pack_lingers_for_its_readers_and_is_collected(
    owed: Erasure, real_data: Path
) -> None:
    now = timezone.now() + 40 * DAY
    assert reconcile(at=now, collect=True).collected == []  # owed, not done
    erase(erasure_id=owed.pk, at=now)
    assert reconcile(at=now + timedelta(minutes=59), collect=True).collected == []
    assert reconcile(at=now + timedelta(minutes=61), collect=True).collected == [owed.pack]
    assert is_whole(real_data)
    assert len(packs()) == 1


@pytest.mark.parametrize("step", ["_needed", "_copy", "_lock", "_check_holds", "_move"])
def test_a_crash_after_any_step_leaves_the_old_world_or_the_new_one(
    region: Region, own_store: None, real_data: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(region, *files_of(real_data))
    purge_two(region)
    owed = Erasure.objects.get()
    with monkeypatch.context() as patched:
        real = getattr(compacting, step)

        def crash(*args: object) -> None:
            real(*args)
            raise RuntimeError("the process ends here")

        patched.setattr(compacting, step, crash)
        with pytest.raises(RuntimeError):
            erase(erasure_id=owed.pk, at=LATER)
    assert is_whole(real_data)
    assert not Erasure.objects.exclude(done_at=None).exists()
    assert erase(erasure_id=owed.pk, at=LATER)
    assert is_whole(real_data)
    now = timezone.now() + 80 * DAY
    reconcile(at=now, collect=True)
    assert len(packs()) == 1
    assert is_whole(real_data)


def test_a_full_disk_or_a_lost_pack_moves_nothing(
    region: Region, own_store: None, real_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(region, *files_of(real_data))
    purge_two(region)
    owed = Erasure.objects.get()
    with monkeypatch.context() as patched:

        def full(*_: object) -> None:
            raise OSError(errno.ENOSPC, "full")

        patched.setattr(FolderStore, "adopt", full)
        with pytest.raises(OSError, match="full"):
            erase(erasure_id=owed.pk, at=LATER)
    assert is_whole(real_data)
    assert len(packs()) == 1
    assert list(Path(store().root).parent.glob("scratch/*")) == []
    store().delete(owed.pack)
    assert erase(erasure_id=owed.pk, at=LATER)  # nothing is left to erase, and it says so
    assert reconcile(at=LATER, collect=False).missing == [owed.pack]


def test_a_pack_with_bytes_of_a_held_study_waits_for_the_hold(
    region: Region, owed: Erasure, real_data: Path, run_jobs: Callable[..., int]
) -> None:
    study, olga = Study.objects.get(), region.olga.actor
    hold = place_hold(olga, public_id=study.public_id, reason="A case", at=LATER)
    assert not erase(erasure_id=owed.pk, at=LATER)
    soon = LATER + timedelta(hours=2)
    assert reconcile(at=soon, collect=False).erasures_that_wait == [owed.pack]
    lift_hold(olga, public_id=study.public_id, hold_id=hold.public_id, why="Closed", at=LATER)
    run_jobs(at=LATER + DAY)
    owed.refresh_from_db()
    assert owed.done_at is not None
    assert is_whole(real_data)


def test_a_hold_that_comes_while_the_pack_is_copied_wins(
    region: Region, owed: Erasure, real_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy, study = compacting._copy, Study.objects.get()

    def slow(*args: Any) -> compacting.Copy:
        made = copy(*args)
        place_hold(region.olga.actor, public_id=study.public_id, reason="A case", at=LATER)
        return made

    monkeypatch.setattr(compacting, "_copy", slow)
    assert not erase(erasure_id=owed.pk, at=LATER)
    assert set(Instance.objects.values_list("blob", flat=True)) == {owed.pack}


def test_damaged_neighbours_are_set_apart_first_and_carried_along(
    owed: Erasure, real_data: Path
) -> None:
    """What is left of them may be all that there is."""
    if not isinstance(store(), FolderStore):
        pytest.skip("bytes of an object in S3 can't be flipped in place")
    row = Instance.objects.order_by("pk")[0]
    path = Path(store().root) / owed.pack
    raw = bytearray(path.read_bytes())
    raw[row.offset + 500] ^= 1
    path.write_bytes(raw)
    assert not erase(erasure_id=owed.pk, at=LATER)
    damage = Damage.objects.get()
    assert damage.sop_uid == row.sop_uid
    assert erase(erasure_id=owed.pk, at=LATER)
    damage.refresh_from_db()
    left = store().read(damage.blob, damage.offset, damage.length)
    assert left == bytes(raw[row.offset : row.offset + row.length])
