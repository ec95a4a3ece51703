"""Copies that name nobody, in the world of marks: no mark of anybody is in any byte of them."""

import io
from random import Random
from typing import Any
from zipfile import ZipFile

import pydicom
import pytest

from sharing.consent.services import record_consent
from tests.oracle import drawing
from tests.oracle.answers import Answer, knockers, opened, patterns
from tests.oracle.asking import Question
from tests.oracle.canaries import Canaries, build
from tests.oracle.drawing import Drawn
from tests.oracle.model import may
from tests.oracle.saying import clerk, noted
from tests.oracle.test_canaries import Clock, _judge

ADDRESS = "/api/v1/copies/zip/"


@pytest.mark.django_db
@pytest.mark.usefixtures("own_store")
def test_a_researchers_copies_hold_no_mark_and_only_pixels_that_the_model_gives(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    both, rng = build(), Random(1)
    monkeypatch.setattr("django.utils.timezone.now", Clock(both))
    for patient in ("pat", "hil", "kid"):
        _permits_copies(both, rng, patient)
    given, asked = 0, Question("api:copies-zip", "GET", ADDRESS, {}, {})
    for who in knockers(both):
        answer = who.ask(asked)
        _judge(both, who.actor(), asked, answer)
        if answer.status == 200:
            given += _copies_in(both, answer)
            assert _shown(both, answer) == _given_by_the_model(both, who.actor())
    assert given >= 3


def _permits_copies(both: Canaries, rng: Random, patient: str) -> None:
    """The patient permits somebody copies without names for research."""
    drawn = drawing.consent(both, rng, patient)
    while not _fits(both, drawn):
        drawn = drawing.consent(both, rng, patient)
    row = record_consent(
        patient=both.patients[patient], said=drawn.said, by=clerk(both, patient), at=both.at
    )
    drawn.known.since = max(drawn.known.starts, both.at)
    noted(both, row, drawn.known)


def _fits(both: Canaries, drawn: Drawn) -> bool:
    known = drawn.known
    whom = {each.kind for each in known.whom} & {"everyone", "project", "organization"}
    wide = not (known.studies or known.series or known.modalities or known.labels or known.regions)
    return bool(
        known.permits and whom and wide and known.starts <= both.at and "HRESCH" in known.purposes
        and "download" in known.actions and "deidentify" in known.obligations
    )  # fmt: skip


def _copies_in(both: Canaries, answer: Answer) -> int:
    """How many images; each is one that pydicom reads, and no mark is in what it says."""
    with ZipFile(io.BytesIO(answer.body)) as parts:
        files = [parts.read(name) for name in parts.namelist() if name.endswith(".dcm")]
    for raw in files:
        assert pydicom.dcmread(io.BytesIO(raw)).PatientIdentityRemoved == "YES"
    assert not [text for said in opened(answer) for text in both.marks.found(said)]
    return len(files)


def _shown(both: Canaries, answer: Answer) -> set[str]:
    return patterns(answer, both.seeds)


def _given_by_the_model(both: Canaries, asker: Any) -> set[str]:
    return {
        key for key in both.seeds if may(both.world, asker, "download", key, both.at, unnamed=True)
    }
