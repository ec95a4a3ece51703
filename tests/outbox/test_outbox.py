"""What was promised in a transaction is done after it, once in effect, and never forgotten."""

from datetime import timedelta

import pytest
from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

from sharing.outbox import services
from sharing.outbox.models import Job
from sharing.outbox.rules import LEASE, MAX_ATTEMPTS, wait_after
from tests.cast import NOW

rung: list[int] = []


def note(number: int) -> None:
    """A task that notes its calls."""
    rung.append(number)


def fail() -> None:
    """A task that never succeeds."""
    raise ZeroDivisionError


@pytest.fixture(autouse=True)
def tasks():
    """Both tasks, under names of their own."""
    rung.clear()
    for function in (note, fail):
        current_app.task(name=f"test.{function.__name__}", shared=False)(function)
    yield
    for function in (note, fail):
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
