"""Reads that repeat are counted beside the log: the event first, the count within a second."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from sharing.archive.errors import StudyNotFound
from sharing.archive.models import Study
from sharing.archive.services.locating import Asker, Where, locate
from sharing.audit import windows as module
from sharing.audit.models import Event
from sharing.audit.services import flush_reads, log_of_study
from sharing.audit.windows import windows
from sharing.consent.rules import Decision, Verification
from sharing.consent.services import Said, record_consent
from sharing.identity.models import Patient
from sharing.kernel.purposes import Action, Purpose
from sharing.tenants.rules import Role
from tests.cast import NOW, Person, Region, make_patient, make_person, make_study

pytestmark = pytest.mark.usefixtures("committing")


@pytest.fixture(autouse=True)
def no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests say when the second is over."""
    monkeypatch.setattr(module.Windows, "_run", lambda self: None)


def read(person: Person, study: Study, at: Any = NOW) -> None:
    """As a request for a frame does."""
    locate(Asker(person.actor, Action.IMAGES, at), Where(study.study_uid), columns="1")


def counts(study: Study) -> list[tuple[str, bool, int]]:
    """(who, whether permitted, how often), newest first."""
    flush_reads()
    log = log_of_study(custodian="riverside", study_uid=study.study_uid)
    return [(entry.who, entry.permitted, entry.count) for entry in log]


def test_the_first_read_is_in_the_log_before_its_answer_and_repeats_cost_no_write(
    region: Region,
) -> None:
    study = region.study()
    read(region.ada, study)
    assert Event.objects.get(action="study.images").study_uid == study.study_uid
    with CaptureQueriesContext(connection) as asked:
        for _ in range(3):
            read(region.ada, study)
    assert [q["sql"][:6] for q in asked if not q["sql"].startswith("SELECT")] == []
    read(region.ada, study, at=NOW + timedelta(minutes=15))
    assert counts(study) == [("Ada Brandt", True, 1), ("Ada Brandt", True, 4)]


def test_what_is_remembered_is_the_log_and_never_the_permission(region: Region) -> None:
    consent, study = region.permit(), region.study()
    read(region.ben, study)
    read(region.ben, study)
    region.revoke(consent)
    for person in (region.ben, region.cleo, region.ben):
        with pytest.raises(StudyNotFound):
            read(person, study)
    assert counts(study) == [
        ("Cleo Stern", False, 1),
        ("Ben Hartley", False, 2),
        ("Ben Hartley", True, 2),
    ]


def test_a_minute_later_the_log_itself_is_asked_again(
    region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = region.study()
    read(region.ada, study)
    monkeypatch.setattr(module, "REMEMBERED_SECONDS", -1.0)
    windows.forget()
    with CaptureQueriesContext(connection) as asked:
        read(region.ada, study)
        read(region.ada, study)
    assert sum('FROM "audit_event"' in q["sql"] for q in asked) == 2
    assert counts(study) == [("Ada Brandt", True, 3)]


def test_counts_that_cannot_be_written_wait(
    region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = region.study()
    read(region.ada, study)
    read(region.ada, study)

    def away(repeats: Any) -> None:
        raise DatabaseError("away")

    with monkeypatch.context() as broken:
        broken.setattr(module, "_add", away)
        with pytest.raises(DatabaseError):
            flush_reads()
    read(region.ada, study)
    windows.finish()
    assert counts(study) == [("Ada Brandt", True, 3)]


def test_a_line_that_was_rolled_back_is_written_again(region: Region) -> None:
    """What is remembered is what was committed."""
    study = region.study()

    with transaction.atomic():
        read(region.ada, study)
        transaction.set_rollback(True)
    assert counts(study) == []
    read(region.ada, study)
    assert counts(study) == [("Ada Brandt", True, 1)]


def permitted_by_lakeside(region: Region, patient: Patient) -> None:
    """Another hospital's patient permits Hilltop to look."""
    clerk = make_person("Lea Fox", region.lakeside, Role.CLERK)
    said = Said(
        decision=Decision.PERMIT, organizations=(region.hilltop,), starts_at=NOW, ends_at=None,
        purposes=frozenset({Purpose.TREATMENT}), actions=frozenset(Action.IMAGES.ladder),
        verification=Verification.VERBAL, witness="Cleo Stern",
    )  # fmt: skip
    record_consent(patient=patient, said=said, by=clerk.actor, at=NOW)


def test_the_same_uid_at_two_custodians_is_two_lines(region: Region) -> None:
    """Each custodian answers for its own."""
    study = region.study()
    twin = make_study(make_patient(region.lakeside, "LK-1"), study_uid=study.study_uid)
    region.permit()
    permitted_by_lakeside(region, twin.patient)
    for custodian in ("riverside", "lakeside", "riverside"):
        where = Where(study.study_uid, custodian=custodian)
        locate(Asker(region.ben.actor, Action.IMAGES, NOW), where, columns="1")
    flush_reads()
    reads = Event.objects.filter(action="study.images").order_by("pk")
    assert list(reads.values_list("custodian", "tally__count")) == [
        ("riverside", 2),
        ("lakeside", 1),
    ]
