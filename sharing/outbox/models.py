"""Jobs promised in a transaction: the record that survives a broker that forgets."""

from datetime import datetime

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from .rules import LEASE, LONGEST_REST, RINGS_WITHIN, SKEW


class JobQuerySet(models.QuerySet["Job"]):
    """Questions about promised work."""

    def due(self, at: datetime) -> "JobQuerySet":
        """Jobs that may run now: open, due, and leased by nobody.

        A lease and a rest that are longer than they can be were given by a clock that has been set
        back since, and so was a promise that was made in the future; who promised something for a
        moment far away meant that moment.
        """
        free = Q(leased_until=None) | Q(leased_until__lt=at) | Q(leased_until__gt=at + LEASE + SKEW)
        soon = Q(due_at__lte=F("promised_at") + RINGS_WITHIN)
        due = (
            Q(due_at__lte=at)
            | Q(promised_at__gt=at + SKEW) & soon
            | Q(attempts__gt=0, due_at__gt=at + LONGEST_REST + SKEW)
        )
        return self.filter(free, due, done_at=None, parked_at=None)


class Job(models.Model):
    """One call of a named task with ids, owed until `done_at` is set."""

    task = models.CharField(max_length=80)
    ids = models.JSONField(default=dict)
    promised_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField(default=timezone.now)
    leased_until = models.DateTimeField(null=True)
    fence = models.PositiveIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    done_at = models.DateTimeField(null=True)
    parked_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=200, blank=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index("due_at", name="jobs_owed", condition=Q(done_at=None) & Q(parked_at=None)),
            models.Index("done_at", name="jobs_done", condition=Q(done_at__isnull=False)),
            models.Index("parked_at", name="jobs_given_up", condition=Q(parked_at__isnull=False)),
        ]
        constraints = [
            models.CheckConstraint(
                name="a_job_is_done_or_parked_not_both",
                condition=Q(done_at=None) | Q(parked_at=None),
            ),
        ]
