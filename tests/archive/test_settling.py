"""A study settles when no more images come, and starts again when more do."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path

import pytest

from sharing.archive.models import Series, Study
from sharing.archive.rules import DRAW_AFTER, NEXT, SETTLE_AFTER, StudyEvent, StudyState
from sharing.archive.services import settling
from sharing.archive.services.settling import settle_study
from sharing.dicom.render import size_of_jpeg
from sharing.kernel.lifecycle import NotNow, step
from tests.archive.sending import dicom_files, send
from tests.cast import NOW, Region

LATER = NOW + SETTLE_AFTER
SINGLES = ("CT_small", "rtplan", "rtdose", "examples_overlay", "waveform_ecg", "reportsi")
STUDIES = ("mr_wrist_j1", "ct_liver_seg", "mr_epi_multiseries")


@pytest.fixture
def study(region: Region, real_data: Path) -> Study:
    send(region, *dicom_files(real_data / "studies/mr_epi_multiseries"))
    return Study.objects.get()


@pytest.mark.parametrize("state", StudyState)
@pytest.mark.parametrize("event", StudyEvent)
def test_every_state_meets_every_event(state: StudyState, event: StudyEvent) -> None:
    if (state, event) in NEXT:
        assert step(NEXT, state, event) in StudyState
    else:
        with pytest.raises(NotNow):
            step(NEXT, state, event)


def test_images_come_in_any_state_and_open_the_study_again() -> None:
    assert {step(NEXT, state, StudyEvent.RECEIVE) for state in StudyState} == {StudyState.RECEIVING}


def test_a_settled_study_is_complete_with_a_picture_of_each_series(study: Study) -> None:
    assert settle_study(study_id=study.pk, at=LATER)
    study.refresh_from_db()
    assert (study.state, study.settled_at) == ("complete", LATER)
    for series in study.series.all():
        assert size_of_jpeg(bytes(series.thumbnail or b"")) == (128, 128)
        instances = list(series.instances.order_by("number"))
        assert series.middle == instances[len(instances) // 2].sop_uid


def test_it_waits_while_images_still_come(study: Study) -> None:
    assert not settle_study(study_id=study.pk, at=LATER - timedelta(milliseconds=1))
    study.refresh_from_db()
    assert study.state == "receiving"


def test_images_that_come_while_it_settles_are_not_lost(
    region: Region, study: Study, real_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = real_data / "single/pydicom_CT_small.dcm"
    late = NOW + timedelta(seconds=5)

    def arrives(series: int, middle: str) -> None:
        Study.objects.filter(pk=study.pk).update(changed_at=late, state="receiving")

    monkeypatch.setattr(settling, "_picture", arrives)
    assert not settle_study(study_id=study.pk, at=LATER)
    monkeypatch.undo()
    study.refresh_from_db()
    assert study.state == "receiving"
    send(region, path)
    assert settle_study(study_id=study.pk, at=late + SETTLE_AFTER)


def test_settling_twice_is_no_harm(study: Study) -> None:
    assert settle_study(study_id=study.pk, at=LATER)
    assert not settle_study(study_id=study.pk, at=LATER)
    study.refresh_from_db()
    assert study.state == "complete"


def test_a_crash_half_way_is_healed_by_the_next_call(study: Study) -> None:
    Study.objects.filter(pk=study.pk).update(state="settling")
    assert settle_study(study_id=study.pk, at=LATER)


def test_a_series_without_images_or_with_broken_ones_settles_without_a_picture(
    region: Region, real_data: Path
) -> None:
    names = ("single/pydicom_reportsi.dcm", "broken/m_rle_bad_header.dcm")
    send(region, *(real_data / name for name in names))
    for study in Study.objects.all():
        assert settle_study(study_id=study.pk, at=LATER)
    assert list(Series.objects.values_list("thumbnail", flat=True)) == [None, None]


def test_the_promise_of_a_delivery_completes_the_study(
    study: Study, run_jobs: Callable[..., int]
) -> None:
    run_jobs(at=LATER)
    study.refresh_from_db()
    assert study.state == "complete"


def test_many_studies_settle_with_the_same_statements_and_get_their_pictures_afterwards(
    region: Region,
    real_data: Path,
    run_jobs: Callable[..., int],
    django_assert_max_num_queries: Callable[[int], AbstractContextManager[None]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(settling, "DRAWN_AT_ONCE", 8)
    files = [real_data / f"single/pydicom_{name}.dcm" for name in SINGLES]
    files += [next(dicom_files(real_data / "studies" / name)) for name in STUDIES]
    send(region, *files)
    keys = list(Study.objects.values_list("pk", flat=True))
    assert len(keys) > settling.DRAWN_AT_ONCE
    with django_assert_max_num_queries(20):
        assert settling.settle_studies(study_ids=keys, at=LATER) == len(keys)
    assert set(Study.objects.values_list("state", flat=True)) == {"complete"}
    assert not Series.objects.exclude(thumbnail=None).exists()
    run_jobs(at=LATER + DRAW_AFTER)
    assert Series.objects.exclude(thumbnail=None).count() >= len(STUDIES)


def test_one_study_that_can_not_settle_holds_up_no_other(
    region: Region,
    real_data: Path,
    run_jobs: Callable[..., int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    send(region, *(real_data / f"single/pydicom_{name}.dcm" for name in ("CT_small", "rtdose")))
    bad, good = Study.objects.order_by("pk")
    real = settling._picture

    def fails(series: int, middle: str) -> bytes | None:
        if Series.objects.get(pk=series).study_id == bad.pk:
            raise ZeroDivisionError
        return real(series, middle)

    monkeypatch.setattr(settling, "_picture", fails)
    run_jobs(at=LATER)
    run_jobs()
    states = dict(Study.objects.values_list("pk", "state"))
    assert states == {bad.pk: "settling", good.pk: "complete"}
