"""The access log is appended to, never edited, and counts what repeats."""

from datetime import timedelta
from functools import partial

import pytest
from django.db import DatabaseError, transaction

from sharing.archive.errors import StudyNotFound
from sharing.archive.services.alike import name_of_nothing
from sharing.archive.services.finding import find_studies, grounds, open_study, still_allowed
from sharing.audit.errors import LogTooLong
from sharing.audit.models import Event
from sharing.audit.rules import What
from sharing.audit.services import accounting_of, bundle_of, log_lines, log_of_study, record
from sharing.kernel.purposes import Action
from tests.cast import NOW, Person, Region
from tests.committing import owning


@pytest.mark.parametrize("verb", ["update", "delete"])
def test_nobody_edits_the_log(region: Region, verb: str) -> None:
    region.permit()
    events = Event.objects.all()
    refused = pytest.raises(DatabaseError, match="append-only")
    with owning(), refused, transaction.atomic():
        events.update(reason="nothing happened") if verb == "update" else events.delete()
    assert Event.objects.exclude(reason="nothing happened").exists()


def look(person: Person, public_id: str, at=NOW):
    """Open the images of a study."""
    return open_study(person.actor, public_id=public_id, action=Action.IMAGES, at=at)


def test_olga_reads_who_saw_what_on_which_ground_and_every_refusal(region: Region) -> None:
    consent, study = region.permit(), region.study()
    look(region.ben, study.public_id)
    region.revoke(consent)
    for person in (region.ben, region.cleo):
        with pytest.raises(StudyNotFound):
            look(person, study.public_id)
    log = log_of_study(custodian="riverside", study_uid=study.study_uid)
    told = [(entry.who, entry.permitted, entry.consent) for entry in log]
    assert told == [
        ("Cleo Stern", False, ""),
        ("Ben Hartley", False, ""),
        ("Ben Hartley", True, "C-1001 v1"),
    ]
    assert log[-1].reason.startswith("Patient permitted Hilltop Family Clinic for treatment")
    assert {entry.purpose for entry in log} == {"TREAT"}


def test_looking_again_within_a_quarter_of_an_hour_is_counted_not_repeated(region: Region) -> None:
    region.permit()
    study = region.study()
    for minutes in (0, 1, 14):
        look(region.ben, study.public_id, at=NOW + timedelta(minutes=minutes))
    look(region.ben, study.public_id, at=NOW + timedelta(minutes=15))
    counts = [e.count for e in log_of_study(custodian="riverside", study_uid=study.study_uid)]
    assert counts == [1, 3]


def test_absent_and_hidden_leave_one_trace_each_and_answer_alike(region: Region) -> None:
    study = region.study()
    errors = []
    for public_id in (study.public_id, "nothing-of-that-name"):
        with pytest.raises(StudyNotFound) as caught:
            look(region.cleo, public_id)
        errors.append(str(caught.value))
    assert len(set(errors)) == 1
    refused = Event.objects.filter(permitted=False).order_by("pk")
    hidden, absent = [(event.custodian, event.study_uid) for event in refused]
    assert hidden == ("riverside", study.study_uid)
    assert absent == ("", name_of_nothing("nothing-of-that-name"))


def test_the_list_gives_each_study_with_its_ground(region: Region) -> None:
    region.permit()
    study = region.study()
    found = grounds(region.ben.actor, find_studies(region.ben.actor, at=NOW), at=NOW)
    assert [(f.study, f.decision.basis.consent) for f in found] == [(study, "C-1001 v1")]
    assert not find_studies(region.cleo.actor, at=NOW).exists()
    assert find_studies(region.ben.actor, at=NOW, query="moreau").count() == 1
    assert find_studies(region.ben.actor, at=NOW, query="okafor").count() == 0


def test_the_pulse_stops_when_pat_revokes(region: Region) -> None:
    consent, study = region.permit(), region.study()
    assert still_allowed(region.ben.actor, public_id=study.public_id, at=NOW)
    region.revoke(consent)
    assert not still_allowed(region.ben.actor, public_id=study.public_id, at=NOW)


def test_what_is_handed_out_is_whole_or_refused(region: Region) -> None:
    """A part of the log would look like all of it."""
    who, patient = region.olga.actor.who, region.pat.public_id
    what = What(custodian="riverside", patient=patient)
    for _ in range(2):
        record(who=who, action="study.report", at=NOW + timedelta(seconds=9), what=what)
    since = NOW + timedelta(seconds=5)
    asked = {"custodian": "riverside", "by": who, "at": NOW + timedelta(minutes=1)}
    for hand_out in (
        partial(log_lines, since=since, **asked),
        partial(bundle_of, since=since, **asked),
    ):
        with pytest.raises(LogTooLong):
            hand_out(most=1)
        assert not Event.objects.filter(action="log.export").exists()
    with pytest.raises(LogTooLong):
        accounting_of(patient=patient, most=1, **asked)
    assert len(log_lines(since=since, most=2, **asked)) == 2
    assert len(accounting_of(patient=patient, most=2, **asked)) == 2
