"""Permits for so many uses, and those of which the patient is told: each counted once, in time."""

import threading
from contextvars import copy_context
from datetime import datetime, timedelta

import pytest
from django.db import connection

from sharing.access.errors import UseNotFound
from sharing.access.models import Use
from sharing.access.rules import LASTS
from sharing.access.services import decide_one, tell_patient, uses_to_tell
from sharing.archive.errors import StudyNotFound
from sharing.archive.models import Study
from sharing.archive.services.finding import open_study, open_study_by_uid, still_allowed
from sharing.archive.sql import fence_sql, rows
from sharing.audit.models import Event
from sharing.consent.models import Consent
from sharing.consent.services import amend_consent, said_by
from sharing.kernel.lifecycle import NotNow
from sharing.kernel.purposes import Action, Obligation
from sharing.tenants.errors import NotAllowed
from sharing.tenants.rules import Actor, Role
from tests.cast import NOW, Person, Region, make_person

MINUTE = timedelta(minutes=1)


def look(person: Person, study: Study, at: datetime = NOW, action: Action = Action.IMAGES) -> bool:
    """Whether it opened; the fence and the decision say the same before."""
    actor = person.actor
    allowed = decide_one(actor, action, study.subject, at=at).allowed
    assert fenced(actor, study, action, at) == allowed
    try:
        open_study_by_uid(actor, study_uid=study.study_uid, at=at, action=action)
    except StudyNotFound:
        return False
    return True


def fenced(actor: Actor, study: Study, action: Action, at: datetime) -> bool:
    """In both forms of the fence."""
    listed = Study.objects.visible_to(actor, at, action).filter(pk=study.pk).exists()
    found = fence_sql(actor, action, at)
    assert found is not None
    sql, params = found
    query = f"SELECT id FROM archive_study WHERE id = {study.pk} AND {sql}"  # noqa: S608
    assert bool(rows(query, params)) == listed
    return listed


@pytest.fixture
def study(region: Region) -> Study:
    return region.study()


@pytest.fixture
def hugo(region: Region) -> Person:
    """Another physician of Hilltop."""
    return make_person("Hugo Lind", region.hilltop, Role.PHYSICIAN)


def test_a_permit_for_two_uses_opens_twice_and_then_no_more(region: Region, study: Study) -> None:
    consent = region.permit(maximum_uses=2)
    assert look(region.ben, study)
    assert look(region.ben, study, NOW + LASTS)
    assert not look(region.ben, study, NOW + 2 * LASTS)
    consent.refresh_from_db()
    assert consent.used == 2
    assert Event.objects.filter(action="study.images.refused").count() == 1


def test_one_opening_is_one_use_however_many_images_it_shows(region: Region, study: Study) -> None:
    consent = region.permit(maximum_uses=1)
    for minute in range(15):
        assert look(region.ben, study, NOW + minute * MINUTE)
    assert not look(region.ben, study, NOW + LASTS)
    consent.refresh_from_db()
    assert consent.used == 1


def test_the_last_use_goes_on_for_its_own_reader_and_study_only(
    region: Region, study: Study, hugo: Person
) -> None:
    region.permit(maximum_uses=1)
    other = region.study()
    assert look(region.ben, study)
    assert still_allowed(region.ben.actor, public_id=study.public_id, at=NOW + MINUTE)
    assert not look(hugo, study, NOW + MINUTE)
    assert not look(region.ben, other, NOW + MINUTE)
    assert not still_allowed(region.ben.actor, public_id=study.public_id, at=NOW + LASTS)


def test_finding_a_study_and_its_page_are_no_use(region: Region, study: Study) -> None:
    consent = region.permit(maximum_uses=1)
    for _ in range(3):
        open_study(region.ben.actor, public_id=study.public_id, at=NOW)
    consent.refresh_from_db()
    assert consent.used == 0
    assert not Use.objects.exists()


def test_a_copy_is_a_use_of_its_own(region: Region, study: Study) -> None:
    consent = region.permit(maximum_uses=2, actions=frozenset(Action.DOWNLOAD.ladder))
    assert look(region.ben, study)
    assert look(region.ben, study, NOW + MINUTE, Action.DOWNLOAD)
    consent.refresh_from_db()
    assert consent.used == 2
    assert look(region.ben, study, NOW + 2 * MINUTE)
    assert look(region.ben, study, NOW + 2 * MINUTE, Action.DOWNLOAD)


def test_what_was_used_stays_used_in_the_next_version(region: Region, study: Study) -> None:
    consent = region.permit(maximum_uses=2)
    assert look(region.ben, study)
    said = said_by(consent)
    wider = {**vars(said), "maximum_uses": 3, "evidence": None, "witness": "Olga"}
    wider["verification"] = "verbal"
    amended = amend_consent(
        consent=consent, said=type(said)(**wider), by=region.mei.actor, at=NOW + MINUTE
    )
    assert (amended.used, amended.maximum_uses) == (1, 3)
    assert look(region.ben, study, NOW + 2 * MINUTE)  # the same opening
    assert Use.objects.count() == 1


def test_the_use_is_in_the_log_with_its_number(region: Region, study: Study) -> None:
    region.permit(maximum_uses=2)
    look(region.ben, study)
    line = Event.objects.get(action="consent.use")
    assert line.detail == {"consent": "C-1001 v1", "use": 1, "of": 2}
    assert (line.actor_name, line.study_uid) == ("Ben Hartley", study.study_uid)


def test_a_permit_without_a_number_counts_nothing(region: Region, study: Study) -> None:
    consent = region.permit()
    assert look(region.ben, study)
    consent.refresh_from_db()
    assert consent.used == 0
    assert not Use.objects.exists()


def test_of_two_who_come_for_the_last_use_one_is_let_in(
    committing: None, region: Region, hugo: Person
) -> None:
    """Ten times: both decide that one is left, and the lock lets one count it."""
    for _ in range(10):
        study = region.study()
        consent = region.permit(maximum_uses=1, studies=frozenset({study.study_uid}))
        results = together(study, region.ben.actor, hugo.actor)
        consent.refresh_from_db()
        assert sorted(results) == [False, True]
        assert consent.used == 1


def together(study: Study, *actors: Actor) -> list[bool]:
    """Whether each came in, all started at the same moment."""
    barrier, results = threading.Barrier(len(actors)), []

    def run(actor: Actor) -> None:
        try:
            barrier.wait()
            open_study_by_uid(actor, study_uid=study.study_uid, at=NOW)
            results.append(True)
        except StudyNotFound:
            results.append(False)
        finally:
            connection.close()

    threads = [threading.Thread(target=copy_context().run, args=(run, actor)) for actor in actors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_the_desk_tells_the_patient_of_each_use_and_ticks_it_off(
    region: Region, study: Study
) -> None:
    region.permit(obligations=frozenset({Obligation.NOTIFY_PATIENT}))
    look(region.ben, study)
    look(region.ben, study, NOW + MINUTE)
    [owed] = uses_to_tell(region.mei.actor)
    assert (owed.actor_name, owed.consent.patient) == ("Ben Hartley", region.pat)
    told = tell_patient(public_id=owed.public_id, how="phone", by=region.mei.actor, at=NOW)
    assert (told.told_by, told.told_how) == ("Mei Tan", "phone")
    assert not uses_to_tell(region.mei.actor).exists()
    assert Event.objects.filter(action="consent.tell_patient").count() == 1
    with pytest.raises(NotNow):
        tell_patient(public_id=owed.public_id, how="phone", by=region.mei.actor, at=NOW)


def test_two_permits_that_oblige_tell_the_patient_once(region: Region, study: Study) -> None:
    for _ in range(2):
        region.permit(obligations=frozenset({Obligation.NOTIFY_PATIENT}))
    look(region.ben, study)
    assert Use.objects.count() == 2
    assert uses_to_tell(region.mei.actor).count() == 1


def test_nobody_else_tells_the_patient_nor_learns_of_the_use(region: Region, study: Study) -> None:
    region.permit(obligations=frozenset({Obligation.NOTIFY_PATIENT}))
    look(region.ben, study)
    owed = Use.objects.get()
    sam = make_person("Sam Ode", region.hilltop, Role.CLERK)
    assert not uses_to_tell(sam.actor).exists()
    with pytest.raises(UseNotFound):
        tell_patient(public_id=owed.public_id, how="phone", by=sam.actor, at=NOW)
    with pytest.raises(NotAllowed):
        tell_patient(public_id=owed.public_id, how="phone", by=region.ben.actor, at=NOW)


def test_own_staff_use_nothing_up(region: Region, study: Study) -> None:
    region.permit(region.riverside, maximum_uses=1)
    assert look(region.ada, study)
    assert Consent.objects.get().used == 0
