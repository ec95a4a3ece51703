"""What was promised in a transaction is done after it, once in effect, and never forgotten."""

import time
from datetime import timedelta

import pytest
from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

from sharing.outbox import services
from sharing.outbox.models import Job
from sharing.outbox.rules import (
    KEPT_DONE,
    LEASE,
    MAX_ATTEMPTS,
    TOGETHER,
    next_bell,
    wait_after,
)
from tests.cast import NOW

rung: list[int] = []


def note(number: int) -> None:
    """A task that notes its calls."""
    rung.append(number)


def fail() -> None:
    """A task that never succeeds."""
    raise ZeroDivisionError


def note_all(numbers: list[int]) -> None:
    """A task that notes many at once, and hates the number 13."""
    if 13 in numbers:
        raise ValueError
    rung.append(len(numbers))


@pytest.fixture(autouse=True)
def tasks():
    """The tasks, under names of their own."""
    rung.clear()
    for function in (note, fail, note_all):
        how = {"together": function is note_all}
        current_app.task(name=f"test.{function.__name__}", shared=False, **how)(function)
    yield
    for function in (note, fail, note_all):
        current_app.tasks.pop(f"test.{function.__name__}")


def test_a_promise_of_a_transaction_that_fails_is_none(committing: None) -> None:
    def regretted() -> None:
        services.promise("test.note", at=NOW, number=1)
        fail()

    with pytest.raises(ZeroDivisionError):
        transaction.atomic(regretted)()
    assert not Job.objects.exists()


def test_a_job_runs_once_however_often_it_is_rung(db: None) -> None:
    job = services.promise("test.note", at=NOW, number=7)
    assert services.run(job_id=job.pk, at=NOW)
    assert not services.run(job_id=job.pk, at=NOW)
    assert rung == [7]
    assert services.owed() == 0


def test_a_job_that_another_worker_holds_is_left_alone_until_its_lease_ends(db: None) -> None:
    job = services.promise("test.note", at=NOW, number=7)
    services.claim(job_id=job.pk, at=NOW)
    assert not services.run(job_id=job.pk, at=NOW + LEASE / 2)
    assert services.run(job_id=job.pk, at=NOW + LEASE + timedelta(seconds=1))
    assert rung == [7]


def test_a_job_that_fails_is_tried_again_later_and_parked_at_the_end(db: None) -> None:
    job = services.promise("test.fail", at=NOW)
    at = NOW
    for attempt in range(1, MAX_ATTEMPTS + 1):
        assert not services.run(job_id=job.pk, at=at)
        assert not services.run(job_id=job.pk, at=at)
        at += wait_after(attempt)
    job.refresh_from_db()
    assert (job.attempts, job.last_error) == (MAX_ATTEMPTS, "ZeroDivisionError")
    assert job.parked_at is not None
    assert not services.run(job_id=job.pk, at=at + timedelta(days=1))


def test_the_sweep_rings_what_is_due_and_nothing_else(
    db: None, django_capture_on_commit_callbacks, monkeypatch
) -> None:
    sent = []
    monkeypatch.setattr(current_app, "send_task", lambda name, kwargs, **_: sent.append(kwargs))
    due = services.promise("test.note", at=NOW, number=1)
    services.promise("test.note", at=NOW, delay=timedelta(hours=1), number=2)
    done = services.promise("test.note", at=NOW, number=3)
    services.run(job_id=done.pk, at=NOW)
    with django_capture_on_commit_callbacks(execute=True):
        assert services.sweep(at=NOW) == 1
    assert {"job_id": due.pk} in sent
    assert {"job_id": done.pk} not in sent


def test_a_broker_that_is_away_loses_nothing(committing: None, monkeypatch) -> None:
    def away(*args: object, **kwargs: object) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(current_app, "send_task", away)
    with transaction.atomic():
        services.promise("test.note", at=NOW, number=1)
    assert services.owed() == 1


def test_jobs_that_are_done_together_are_one_call(db: None) -> None:
    for number in range(TOGETHER + 1):
        services.promise("test.note_all", at=NOW, numbers=[number, number] if number else [99])
    services.promise("test.note_all", at=NOW, delay=timedelta(seconds=5), numbers=[1])
    Job.objects.filter(ids__numbers=[13, 13]).update(ids={"numbers": [14]})
    assert services.run_together(task="test.note_all", at=NOW) == TOGETHER
    assert services.run_together(task="test.note_all", at=NOW) == 1
    assert services.run_together(task="test.note_all", at=NOW) == 0
    assert sum(rung) == 2 * (TOGETHER + 1) - 2
    assert services.owed() == 1


def test_one_that_fails_among_others_fails_alone(db: None) -> None:
    for number in (12, 13, 14):
        services.promise("test.note_all", at=NOW, numbers=[number])
    assert services.run_together(task="test.note_all", at=NOW) == 2
    left = Job.objects.get(done_at=None)
    assert (left.ids, left.last_error, left.leased_until) == ({"numbers": [13]}, "ValueError", None)


def test_many_promises_are_rung_for_once_a_second() -> None:
    assert next_bell(due=102, until=0) == 102  # quiet: at once when it is due
    assert next_bell(due=102, until=102) is None
    assert next_bell(due=102.2, until=102) == 103.2  # busy: one bell for all of that second
    assert next_bell(due=103.1, until=103.2) is None
    assert next_bell(due=103.3, until=103.2) == 104.3


def test_the_sweep_rings_once_for_those_done_together(
    db: None, django_capture_on_commit_callbacks, monkeypatch
) -> None:
    sent = []
    monkeypatch.setattr(current_app, "send_task", lambda name, kwargs, **_: sent.append(kwargs))
    for number in (1, 2):
        services.promise("test.note_all", at=NOW, numbers=[number])
    with django_capture_on_commit_callbacks(execute=True):
        assert services.sweep(at=NOW) == 2
    assert sent == [{"name": "test.note_all"}]


def test_a_lease_is_renewed_while_the_work_lasts(committing: None, monkeypatch) -> None:
    monkeypatch.setattr(services, "RENEWED_EVERY", timedelta(milliseconds=5))
    job = services.promise("test.wait", at=NOW)
    seen = []

    def wait() -> None:
        until = time.monotonic() + 10
        while time.monotonic() < until and not seen:
            lease = Job.objects.get(pk=job.pk).leased_until
            if lease != NOW + LEASE:
                seen.append(lease)

    current_app.task(name="test.wait", shared=False)(wait)
    assert services.run(job_id=job.pk, at=NOW)
    current_app.tasks.pop("test.wait")
    assert seen


def test_what_was_given_up_is_owed_again_with_all_its_tries(db: None) -> None:
    """Only what was given up, and only of that task; nothing that is done comes back."""
    given_up = services.promise("test.note", at=NOW, number=1)
    done = services.promise("test.note", at=NOW, number=2)
    other = services.promise("test.fail", at=NOW)
    services.run(job_id=done.pk, at=NOW)
    for job in (given_up, other):
        Job.objects.filter(pk=job.pk).update(parked_at=NOW, attempts=MAX_ATTEMPTS)
    later = NOW + timedelta(days=1)
    assert not services.run(job_id=given_up.pk, at=later)
    assert services.again(task="test.note", at=later) == 1
    assert services.again(task="test.note", at=later) == 0
    assert services.run(job_id=given_up.pk, at=later)
    assert rung == [2, 1]
    other.refresh_from_db()
    assert (other.parked_at, other.attempts) == (NOW, MAX_ATTEMPTS)


def test_jobs_are_counted_by_the_hour_in_which_it_happened(db: None) -> None:
    """What was left open before the hours that are shown stands before them."""
    at = NOW.replace(minute=30)
    for hours in (0, 0, 2, 40):
        moment = at - timedelta(hours=hours)
        Job.objects.create(task="test.note", promised_at=moment, done_at=moment)
        Job.objects.create(task="test.note", promised_at=moment)
    Job.objects.create(task="test.fail", promised_at=at, parked_at=at - timedelta(hours=2))
    told = services.by_hour(at=at, hours=3)
    assert [(each.done, each.waiting, each.given_up) for each in told] == [
        (0, 1, 0), (1, 1, 1), (0, 0, 0), (2, 2, 0),
    ]  # fmt: skip
    assert told[-1].began == at.replace(minute=0, second=0, microsecond=0)


def test_what_was_done_long_ago_goes_and_what_is_owed_or_given_up_stays(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "CLEARED_AT_ONCE", 2)
    long_ago = NOW - KEPT_DONE - timedelta(seconds=1)
    for _ in range(5):
        Job.objects.create(task="test.note", promised_at=long_ago, done_at=long_ago)
    lately = Job.objects.create(task="test.note", promised_at=long_ago, done_at=NOW - KEPT_DONE)
    owed = Job.objects.create(task="test.note", promised_at=long_ago, due_at=long_ago)
    given_up = Job.objects.create(task="test.fail", promised_at=long_ago, parked_at=long_ago)
    assert services.clear(at=NOW) == 5
    assert set(Job.objects.all()) == {lately, owed, given_up}


def test_after_the_clock_was_set_back_no_job_waits_for_it_to_catch_up(db: None) -> None:
    """What was promised, put back or begun by a clock of tomorrow is done today."""
    tomorrow = NOW + timedelta(days=1)
    promised = services.promise("test.note", at=tomorrow, delay=timedelta(seconds=2), number=1)
    begun = services.promise("test.note", at=NOW, number=2)
    services.claim(job_id=begun.pk, at=tomorrow)
    failed = services.promise("test.fail", at=NOW)
    assert not services.run(job_id=failed.pk, at=tomorrow)
    assert set(Job.objects.due(NOW)) == {promised, begun, failed}
    assert services.run(job_id=promised.pk, at=NOW)
    assert services.run(job_id=begun.pk, at=NOW)
    assert rung == [1, 2]


def test_a_clock_that_is_minutes_ahead_elsewhere_makes_nothing_early_or_twice(db: None) -> None:
    ahead = NOW + timedelta(minutes=5)
    services.promise("test.note", at=ahead, delay=timedelta(seconds=2), number=1)
    begun = services.promise("test.note", at=NOW, number=2)
    services.claim(job_id=begun.pk, at=ahead)
    assert not Job.objects.due(NOW)


def test_what_is_meant_for_another_day_waits_for_it(db: None) -> None:
    """Such as what a consent that begins next week brings about: its day stays its day."""
    week = timedelta(days=7)
    services.promise("test.note", at=NOW + timedelta(days=1), delay=week, number=1)
    services.promise("test.note", at=NOW, delay=week, number=2)
    assert not Job.objects.due(NOW)
