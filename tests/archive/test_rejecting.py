"""Rejecting: images leave, come not again, can be taken back, and are purged at last."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from sharing.archive.errors import BlobUnavailable, RemovalInvalid, StudyNotFound
from sharing.archive.models import Instance, Removal, Series, Study, Withheld
from sharing.archive.rules import FAILURE_REASONS, Why
from sharing.archive.services.finding import find_studies
from sharing.archive.services.reconciling import reconcile
from sharing.archive.services.rejecting import purge, reject_images, rejections, take_back
from sharing.audit.models import Event
from sharing.blobs import store
from tests.archive.keeping import files_of, held, packs, somewhere
from tests.archive.sending import dicom_files, outcomes, send
from tests.cast import NOW, Region

DAY = timedelta(days=1)


def reject(region: Region, study: Study, *sop_uids: str, at=NOW) -> Removal:
    """Ada rejects these images of the study, or all of its first series."""
    return reject_images(
        region.ada.actor,
        public_id=study.public_id,
        series_uids=[study.series.order_by("pk")[0].series_uid],
        sop_uids=sop_uids,
        why=Why.QUALITY,
        words="Patient moved",
        at=at,
    )


def first_two(study: Study) -> list[str]:
    rows = Instance.objects.filter(series__study=study).order_by("pk")
    return list(rows.values_list("sop_uid", flat=True)[:2])


def test_rejected_images_are_in_no_count_and_on_no_list(
    region: Region, wrist: Study, run_jobs: Callable[..., int]
) -> None:
    before = Series.objects.get().version
    reject(region, wrist, *first_two(wrist))
    study, series = Study.objects.get(), Series.objects.get()
    assert study.instance_count == series.instance_count == Instance.objects.count() == 14
    assert (series.frame_count, series.version > before) == (14, True)
    run_jobs(at=NOW + DAY)
    study.refresh_from_db()
    assert (study.state, study.instance_count) == ("complete", 14)
    event = Event.objects.get(action="study.reject")
    assert (event.study, event.detail["instances"]) == (study.public_id, 2)


def test_a_series_that_is_rejected_whole_takes_its_modality_along(
    own_store: None, region: Region, real_data: Path
) -> None:
    send(region, *dicom_files(real_data / "studies/ct_liver_seg"))
    study = Study.objects.get()
    uids = list(study.series.filter(modality="SEG").values_list("series_uid", flat=True))
    reject_images(
        region.ada.actor, public_id=study.public_id, series_uids=uids,
        why=Why.WORKLIST, at=NOW,
    )  # fmt: skip
    study.refresh_from_db()
    assert study.modality_list == ["CT"]
    assert set(study.listed.values_list("modality", flat=True)) == {"", "CT"}


def test_what_was_rejected_is_refused_when_it_comes_again_also_after_the_purge(
    region: Region, wrist: Study, real_data: Path
) -> None:
    assert FAILURE_REASONS["rejected_before"] == 0xA770
    reject(region, wrist, *first_two(wrist))
    for _ in range(2):
        told = outcomes(send(region, *files_of(real_data)))
        assert told.count(("rejected", "rejected_before")) == 2
        assert told.count(("duplicate", "")) == 14
        assert Instance.objects.count() == 14
        purge(at=NOW + 31 * DAY)
    assert set(Withheld.objects.values_list("blob", flat=True)) == {""}


def test_taken_back_the_images_are_as_they_were(
    region: Region, wrist: Study, real_data: Path
) -> None:
    whole = held()
    removal = reject(region, wrist, *first_two(wrist))
    assert list(rejections(region.ada.actor)) == [removal]
    assert take_back(region.ada.actor, public_id=removal.public_id, at=NOW) == 2
    assert held() == whole == {path.read_bytes() for path in files_of(real_data)}
    assert Study.objects.get().instance_count == 16
    assert not rejections(region.ada.actor)
    assert {o for o, _ in outcomes(send(region, *files_of(real_data)))} == {"duplicate"}
    with pytest.raises(StudyNotFound):
        take_back(region.ada.actor, public_id=removal.public_id, at=NOW)


def test_what_can_not_be_read_is_not_taken_back_and_stays_rejected(
    region: Region, wrist: Study
) -> None:
    removal = reject(region, wrist, *first_two(wrist))
    store().delete(Withheld.objects.first().blob)
    with pytest.raises(BlobUnavailable):
        take_back(region.ada.actor, public_id=removal.public_id, at=NOW)
    assert list(rejections(region.ada.actor)) == [removal]
    assert Withheld.objects.exclude(blob="").filter(returned_at=None).count() == 2


def test_the_last_image_takes_the_study_along_and_brings_it_back_unshared(
    region: Region, wrist: Study
) -> None:
    region.permit(patient=wrist.patient)
    removal = reject(region, wrist)
    assert not Study.objects.exists()
    assert find_studies(region.ben.actor, at=NOW).count() == 0
    take_back(region.ada.actor, public_id=removal.public_id, at=NOW)
    assert Study.objects.get().instance_count == 16


def test_purged_bytes_are_gone_from_the_store_and_the_others_are_not(
    region: Region, wrist: Study, real_data: Path, run_jobs: Callable[..., int]
) -> None:
    gone = first_two(wrist)
    rows = Instance.objects.filter(sop_uid__in=gone).values_list("blob", "offset", "length")
    raw = [store().read(*row) for row in rows]
    reject(region, wrist, *gone)
    assert purge(at=NOW + 29 * DAY) == 0
    assert purge(at=NOW + 31 * DAY) == 2
    later = timezone.now() + 40 * DAY
    run_jobs(at=later)
    reconcile(at=later + timedelta(hours=2), collect=True)
    assert len(held()) == 14
    assert held() <= {path.read_bytes() for path in files_of(real_data)}
    assert not any(somewhere(each) for each in raw)
    assert len(packs()) == 1


def test_only_images_of_that_study_can_be_rejected(region: Region, wrist: Study) -> None:
    with pytest.raises(RemovalInvalid):
        reject(region, wrist, *first_two(wrist), "1.2.3")
    with pytest.raises(RemovalInvalid):
        reject_images(
            region.ada.actor, public_id=wrist.public_id, series_uids=["9.9"], why=Why.SAFETY, at=NOW
        )
    assert Instance.objects.count() == 16
