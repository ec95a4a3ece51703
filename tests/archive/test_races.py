"""Re-sending, removing and collecting at once: every serial order is right, no other is (F10).

Thirty rounds; `make soak` sets ROUNDS to a thousand.
"""

import os
import threading
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection

from sharing.archive.errors import RemovalInvalid, StudyNotFound
from sharing.archive.models import Conflict, Erasure, Instance, Series, Study, Withheld
from sharing.archive.rules import Why
from sharing.archive.services.compacting import erase
from sharing.archive.services.reconciling import reconcile
from sharing.archive.services.rejecting import reject_images, take_back
from sharing.archive.services.removing import delete_study
from sharing.blobs import store
from sharing.kernel import scope
from tests.archive.keeping import packs
from tests.archive.sending import outcomes, send
from tests.cast import NOW, Region

ROUNDS = int(os.environ.get("ROUNDS", "30"))
STEP = timedelta(hours=2)
STORED, DUPLICATE, REFUSED = ("stored", ""), ("duplicate", ""), ("rejected", "rejected_before")


@dataclass
class Race:
    """Three who know nothing of each other; a round starts them at the same moment."""

    region: Region
    file: Path
    at: datetime = NOW - timedelta(days=365)  # so that what comes now is never old
    number: int = 0

    def resend(self) -> tuple[str, str]:
        """The sender, who does not know that it was deleted; what the receipt says."""
        return outcomes(send(self.region, self.file, at=self.at))[0]

    def remove(self) -> str:
        """Olga deletes it; each third time Ada rejects it instead, and takes that back."""
        study = Study.objects.first()
        if study is None:
            return "nothing"
        try:
            if self.number % 3:
                olga = self.region.olga.actor
                delete_study(olga, public_id=study.public_id, why=Why.MISTAKE, at=self.at)
                return "deleted"
            return self.reject(study)
        except (StudyNotFound, RemovalInvalid):
            return "nothing"

    def reject(self, study: Study) -> str:
        """There and back."""
        ada = self.region.ada.actor
        series = list(study.series.values_list("series_uid", flat=True))
        removal = reject_images(
            ada, public_id=study.public_id, series_uids=series, why=Why.QUALITY, at=self.at
        )
        take_back(ada, public_id=removal.public_id, at=self.at)
        return "returned"

    def collect(self) -> None:
        """The worker erases, the beat collects."""
        for erasure in Erasure.objects.filter(done_at=None):
            erase(erasure_id=erasure.pk, at=self.at)
        reconcile(at=self.at, collect=True)

    def round(self) -> dict[str, object]:
        """What each of them gave back, or the error that it ended with."""
        self.at, self.number = self.at + STEP, self.number + 1
        results: dict[str, object] = {}
        barrier = threading.Barrier(3)

        def run(verb: str) -> None:
            try:
                barrier.wait()
                with scope.as_house():
                    results[verb] = getattr(self, verb)()
            except BaseException as error:  # noqa: BLE001 - the test must see whatever came
                results[verb] = error
            finally:
                connection.close()

        threads = [threading.Thread(target=run, args=(v,)) for v in ("resend", "remove", "collect")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return results


@pytest.mark.usefixtures("committing", "own_store")
def test_resending_removing_and_collecting_at_once_lose_nothing_and_keep_nothing(
    region: Region, real_data: Path
) -> None:
    race = Race(region, real_data / "single/pydicom_CT_small.dcm")
    raw, seen = race.file.read_bytes(), Counter[object]()
    for _ in range(ROUNDS):
        _age()
        done = race.round()
        assert not [each for each in done.values() if isinstance(each, BaseException)], done
        there = [store().read(*row) for row in _places()]
        kept = done["remove"] != "deleted" and done["resend"] in (STORED, DUPLICATE)
        assert there in ([[raw]] if kept else [[raw], []]), done
        _agree()
        seen.update(done.values())
    assert set(seen) - {None, "nothing", DUPLICATE, REFUSED} == {STORED, "deleted", "returned"}
    for _ in range(2):
        race.at += 12 * STEP
        _age()
        race.collect()
    waiting = Withheld.objects.exclude(blob="").values_list("blob", flat=True)
    assert packs() == {row[0] for row in _places()} | set(waiting)


def _places() -> list[tuple[str, int, int]]:
    return list(Instance.objects.values_list("blob", "offset", "length"))


def _age() -> None:
    """What is in the store is old enough to be collected; what comes in this round is not."""
    for key in packs():
        os.utime(Path(store().root) / key, (0, 0))  # type: ignore[attr-defined]


def _agree() -> None:
    """Counts that are kept beside the rows are what the rows are."""
    for study in Study.objects.all():
        assert study.instance_count == Instance.objects.filter(series__study=study).count() == 1
        assert study.series_count == Series.objects.filter(study=study).count() == 1
    assert not Conflict.objects.exists()
