"""Promise work inside a transaction; do it after, once in effect, however often rung."""

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Event, Thread
from typing import Any

from celery import current_app
from django.db import DatabaseError, connection, transaction
from django.db.models import Count, F, Max, Min, Q, QuerySet
from django.db.models.functions import TruncHour
from django.utils import timezone

from sharing.kernel.later import later, ring

from .models import Job
from .rules import (
    CLEARED_AT_ONCE,
    KEPT_DONE,
    LEASE,
    MAX_ATTEMPTS,
    RENEWED_EVERY,
    RINGS_WITHIN,
    TOGETHER,
    next_bell,
    wait_after,
)

log = logging.getLogger(__name__)


def promise(task: str, *, at: datetime, delay: timedelta = timedelta(0), **ids: Any) -> Job:
    """Owe a call of `task` with `ids`; call this inside the transaction that causes it.

    Tasks that are declared `together=True` take lists, and one call may keep many promises.
    """
    job = Job.objects.create(task=task, ids=ids, promised_at=at, due_at=at + delay)
    if delay <= RINGS_WITHIN:
        if _is_together(task):
            transaction.on_commit(partial(_ring_together, task, delay.total_seconds()))
        else:
            later("outbox.run_job", after=delay.total_seconds(), job_id=job.pk)
    return job


def _is_together(task: str) -> bool:
    return bool(getattr(current_app.tasks.get(task), "together", False))


_bells: dict[str, float] = {}


def _ring_together(task: str, delay: float) -> None:
    """One bell for the jobs of about a second: thousands of senders' requests are a few calls."""
    now = time.monotonic()
    bell = next_bell(now + delay, _bells.get(task, 0))
    if bell is not None:
        _bells[task] = bell
        ring("outbox.run_together", after=bell - now, name=task)


def claim(*, job_id: int, at: datetime) -> Job | None:
    """Lease the job to the caller, or None when it is done, parked, or another's."""
    with transaction.atomic():
        taken = (
            Job.objects.due(at)
            .filter(pk=job_id)
            .update(leased_until=at + LEASE, fence=F("fence") + 1, attempts=F("attempts") + 1)
        )
        return Job.objects.get(pk=job_id) if taken else None


def run(*, job_id: int, at: datetime) -> bool:
    """Run a due job in this process. True when it ran to its end."""
    job = claim(job_id=job_id, at=at)
    return job is not None and _do(job, at)


def _do(job: Job, at: datetime) -> bool:
    try:
        with _renewed([job]):
            current_app.tasks[job.task](**job.ids)
    except Exception as error:  # a poison job must not stop the others; it is kept and shown
        log.exception("job %s of %s failed", job.pk, job.task)
        _put_back(job, type(error).__name__, at)
        return False
    Job.objects.filter(pk=job.pk, fence=job.fence).update(done_at=at, leased_until=None)
    return True


def run_together(*, task: str, at: datetime) -> int:
    """Keep all due promises of a task by one call with their lists joined; how many were kept.

    Where that fails, each is kept by a call of its own.
    """
    jobs = _claim_together(task, at)
    if not jobs:
        return 0
    joined = {name: [each for job in jobs for each in job.ids[name]] for name in jobs[0].ids}
    try:
        with _renewed(jobs):
            current_app.tasks[task](**joined)
    except Exception:
        log.exception("%d jobs of %s failed together; each is tried alone", len(jobs), task)
        return sum(_do(job, at) for job in jobs)
    done = Q(*[Q(pk=job.pk, fence=job.fence) for job in jobs], _connector=Q.OR)
    Job.objects.filter(done).update(done_at=at, leased_until=None)
    if len(jobs) == TOGETHER:
        later("outbox.run_together", name=task)
    return len(jobs)


@transaction.atomic
def _claim_together(task: str, at: datetime) -> list[Job]:
    due = Job.objects.due(at).filter(task=task).order_by("due_at", "pk")
    free = due.select_for_update(skip_locked=connection.features.has_select_for_update_skip_locked)
    keys = list(free.values_list("pk", flat=True)[:TOGETHER])
    Job.objects.filter(pk__in=keys).update(
        leased_until=at + LEASE, fence=F("fence") + 1, attempts=F("attempts") + 1
    )
    return list(Job.objects.filter(pk__in=keys).order_by("pk"))


@contextmanager
def _renewed(jobs: Sequence[Job]) -> Iterator[None]:
    """Keep the leases while the work lasts, from a thread: the work itself has no time for it."""
    ended = Event()
    thread = Thread(target=_renew, args=(jobs, ended), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _renew(jobs: Sequence[Job], ended: Event) -> None:
    while not ended.wait(RENEWED_EVERY.total_seconds()):
        try:
            for job in jobs:
                held = Job.objects.filter(pk=job.pk, fence=job.fence, done_at=None)
                held.update(leased_until=timezone.now() + LEASE)
        except DatabaseError:  # away for a moment: the next turn may come in time
            log.warning("leases could not be renewed", exc_info=True)
        finally:
            connection.close()


def _put_back(job: Job, error: str, at: datetime) -> None:
    parked = at if job.attempts >= MAX_ATTEMPTS else None
    Job.objects.filter(pk=job.pk, fence=job.fence).update(
        leased_until=None,
        parked_at=parked,
        due_at=at + wait_after(job.attempts),
        last_error=error[:200],
    )


def sweep(*, at: datetime, most: int = 200) -> int:
    """Ring the bell of every job that is due; returns how many were rung."""
    due = list(Job.objects.due(at).order_by("due_at").values_list("pk", "task")[:most])
    for job_id, task in due:
        if not _is_together(task):
            later("outbox.run_job", job_id=job_id)
    for task in {task for _, task in due if _is_together(task)}:
        later("outbox.run_together", name=task)
    return len(due)


def clear(*, at: datetime) -> int:
    """Let go of what was done long ago (`KEPT_DONE`), little by little; how many rows went."""
    old = Job.objects.filter(done_at__lt=at - KEPT_DONE).order_by("done_at").values_list("pk")
    gone = 0
    while keys := [pk for (pk,) in old[:CLEARED_AT_ONCE]]:
        gone += Job.objects.filter(pk__in=keys).delete()[0]
    return gone


def owed(*, task: str | None = None) -> int:
    """How many jobs are neither done nor parked."""
    jobs = Job.objects.filter(done_at=None, parked_at=None)
    return (jobs.filter(task=task) if task else jobs).count()


def stuck(*, at: datetime, since: timedelta) -> tuple[int, int]:
    """How many jobs are overdue by more than `since`, and how many were given up (parked)."""
    open_jobs = Job.objects.filter(done_at=None)
    late = open_jobs.filter(parked_at=None, due_at__lt=at - since)
    return late.count(), open_jobs.exclude(parked_at=None).count()


@dataclass(frozen=True)
class Parked:
    """Jobs of one task that were given up after all tries."""

    task: str
    count: int
    since: datetime
    error: str


@transaction.atomic
def again(*, task: str, at: datetime) -> int:
    """Owe once more, with all its tries, what was given up of a task; how many jobs."""
    given_up = Job.objects.filter(task=task, done_at=None).exclude(parked_at=None)
    count = given_up.update(parked_at=None, attempts=0, due_at=at, leased_until=None)
    if count:
        sweep(at=at)
    return count


@dataclass(frozen=True)
class Hour:
    """What became of jobs: `done` in it, `waiting` since it, `given_up` in it."""

    began: datetime
    done: int = 0
    waiting: int = 0
    given_up: int = 0


def by_hour(*, at: datetime, hours: int = 24) -> list[Hour]:
    """The last hours, oldest first; before them one for all that was left open earlier."""
    first = at.replace(minute=0, second=0, microsecond=0) - timedelta(hours=hours - 1)
    waiting = Job.objects.filter(done_at=None, parked_at=None)
    given_up = Job.objects.filter(parked_at__isnull=False)
    done = _counted(Job.objects.filter(done_at__gte=first), "done_at")
    waits = _counted(waiting.filter(promised_at__gte=first), "promised_at")
    lost = _counted(given_up.filter(parked_at__gte=first), "parked_at")
    before = first - timedelta(hours=1)
    left = waiting.filter(promised_at__lt=first), given_up.filter(parked_at__lt=first)
    found = [Hour(before, 0, *(rows.count() for rows in left))]
    for number in range(hours):
        key = first + timedelta(hours=number)
        found.append(Hour(key, done.get(key, 0), waits.get(key, 0), lost.get(key, 0)))
    return found


def _counted(jobs: QuerySet[Job], moment: str) -> dict[datetime, int]:
    hour = TruncHour(moment, tzinfo=UTC)
    rows = jobs.order_by().annotate(hour=hour).values_list("hour").annotate(count=Count("pk"))
    return dict(rows)


def oldest_owed() -> datetime | None:
    """When the oldest job that is owed was due; None where nothing is."""
    found: datetime | None = Job.objects.filter(done_at=None, parked_at=None).aggregate(
        first=Min("due_at")
    )["first"]
    return found


def parked() -> list[Parked]:
    """What was given up, by task; the error is a class of ours and holds no input."""
    rows = Job.objects.exclude(parked_at=None).values_list("task")
    counts = rows.annotate(count=Count("pk"), since=Min("parked_at"), error=Max("last_error"))
    return [Parked(*row) for row in counts.order_by("task")]
