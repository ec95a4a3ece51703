"""Several deliveries of one study at once: all are acknowledged, and everything is there once."""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from sharing.archive.models import Delivery, Instance, Series, Study
from sharing.archive.services import intake
from sharing.archive.services.intake import Intake
from sharing.archive.services.reconciling import reconcile
from sharing.audit.models import Event
from sharing.kernel import scope
from tests.archive.sending import dicom_files, outcomes, send
from tests.cast import NOW, Region

pytestmark = pytest.mark.usefixtures("committing")


def all_at_once(*works: Callable[[], object]) -> list[BaseException]:
    """Run in threads that start together; the errors that came out."""
    errors: list[BaseException] = []
    barrier = threading.Barrier(len(works))

    def run(work: Callable[[], object]) -> None:
        try:
            barrier.wait()
            with scope.as_house():
                work()
        except BaseException as error:  # noqa: BLE001 - a test must see whatever came
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


def test_parts_of_one_study_at_once_are_one_study(region: Region, real_data: Path) -> None:
    files = list(dicom_files(real_data / "studies/mr_wrist_j1"))
    shares = [files[n::4] for n in range(4)]
    errors = all_at_once(*(lambda share=share: send(region, *share) for share in shares))
    assert errors == []
    study = Study.objects.get()
    assert study.instance_count == Instance.objects.count() == len(files)
    assert sum(Series.objects.values_list("instance_count", flat=True)) == len(files)
    assert study.series_count == Series.objects.count() == 1


def test_the_same_files_at_once_are_stored_once(region: Region, real_data: Path) -> None:
    files = list(dicom_files(real_data / "studies/mr_epi_multiseries"))
    errors = all_at_once(*(lambda: send(region, *files) for _ in range(4)))
    assert errors == []
    assert Instance.objects.count() == len(files)
    told = Counter(outcome for d in Delivery.objects.all() for outcome, _ in outcomes(d))
    assert told == {"stored": len(files), "duplicate": 3 * len(files)}
    assert Event.objects.filter(action="study.receive").count() == 1
    assert Study.objects.get().instance_count == len(files)


def test_a_uid_that_appears_between_look_and_commit_is_compared_again(
    region: Region, real_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both have looked and found nothing; one has other bytes: it is told of the conflict."""
    first, second = (real_data / f"broken/m_duplicate_sop_{letter}.dcm" for letter in "ab")
    both_looked = threading.Barrier(2, timeout=20)
    looked = Intake._held

    def wait(self: Intake, sop_uids: Sequence[str]) -> Any:
        found = looked(self, sop_uids)
        both_looked.wait()
        return found

    monkeypatch.setattr(intake.Intake, "_held", wait)
    errors = all_at_once(lambda: send(region, first), lambda: send(region, second))
    assert errors == []
    told = sorted(outcomes(d)[0][0] for d in Delivery.objects.all())
    assert told == ["conflict", "stored"]
    assert Instance.objects.count() == 1
    assert reconcile(at=NOW, collect=False).missing == []
