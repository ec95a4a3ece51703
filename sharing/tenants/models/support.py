"""Support sessions: the operator at a hospital's studies, asked for and let in."""

from datetime import datetime

from django.db import models
from django.db.models import F, Q

from sharing.kernel.tokens import public_id
from sharing.tenants.support import Support, SupportState

from .organizations import Organization, User


class SupportQuerySet(models.QuerySet["SupportSession"]):
    """Which lasted when."""

    def lasting(self, at: datetime) -> "SupportQuerySet":
        """Opened, and neither over by the clock nor ended."""
        ended = Q(ended_at=None) | Q(ended_at__gt=at)
        return self.filter(ended, opened_at__lte=at, ends_at__gt=at)


class SupportSession(models.Model):
    """One request, its answer, and the hours that it lasted."""

    public_id = models.CharField(max_length=24, unique=True, default=public_id)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=500)
    hours = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=12, default=SupportState.ASKED.value)
    asked_at = models.DateTimeField()
    answered_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    objects = SupportQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="a_support_session_is_made_by_two_persons",
                condition=Q(answered_by=None) | ~Q(answered_by=F("asked_by")),
            ),
            models.CheckConstraint(
                name="a_support_session_lasts_four_hours_at_most",
                condition=Q(hours__gte=1, hours__lte=4),
            ),
            models.CheckConstraint(
                name="an_open_support_session_has_an_end_and_who_let_in",
                condition=Q(opened_at=None)
                | (Q(ends_at__gt=F("opened_at")) & ~Q(answered_by=None)),
            ),
        ]

    @property
    def support(self) -> Support:
        """As the actor carries it; of one that was opened."""
        if self.answered_by is None or self.ends_at is None:
            raise ValueError("nobody opened it")
        return Support(self.public_id, self.answered_by.name, self.ends_at)
