"""Promise work inside a transaction; do it after, once in effect, however often rung."""

import logging
from datetime import datetime, timedelta
from typing import Any

from celery import current_app
from django.db import transaction
from django.db.models import F

from sharing.kernel.later import later

from .models import Job
from .rules import LEASE, MAX_ATTEMPTS, RINGS_WITHIN, wait_after

log = logging.getLogger(__name__)


def promise(task: str, *, at: datetime, delay: timedelta = timedelta(0), **ids: Any) -> Job:
    """Owe a call of `task` with `ids`; call this inside the transaction that causes it."""
    job = Job.objects.create(task=task, ids=ids, promised_at=at, due_at=at + delay)
    if delay <= RINGS_WITHIN:
        later("outbox.run_job", after=delay.total_seconds(), job_id=job.pk)
    return job


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
    if job is None:
        return False
    try:
        current_app.tasks[job.task](**job.ids)
    except Exception as error:  # a poison job must not stop the others; it is kept and shown
        log.exception("job %s of %s failed", job.pk, job.task)
        _put_back(job, type(error).__name__, at)
        return False
    Job.objects.filter(pk=job.pk, fence=job.fence).update(done_at=at, leased_until=None)
    return True


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
    due = list(Job.objects.due(at).order_by("due_at").values_list("pk", flat=True)[:most])
    for job_id in due:
        later("outbox.run_job", job_id=job_id)
    return len(due)


def owed(*, task: str | None = None) -> int:
    """How many jobs are neither done nor parked."""
    jobs = Job.objects.filter(done_at=None, parked_at=None)
    return (jobs.filter(task=task) if task else jobs).count()


def stuck(*, at: datetime, since: timedelta) -> tuple[int, int]:
    """How many jobs are overdue by more than `since`, and how many were given up (parked)."""
    open_jobs = Job.objects.filter(done_at=None)
    late = open_jobs.filter(parked_at=None, due_at__lt=at - since)
    return late.count(), open_jobs.exclude(parked_at=None).count()
