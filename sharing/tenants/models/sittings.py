"""How long sessions last at an organization."""

from django.db import models
from django.db.models import Q

from sharing.tenants.sittings import Limits

from .organizations import Organization


class Sitting(models.Model):
    """What an organization set for its people's sessions; without a row the portal's own hold."""

    organization = models.OneToOneField(
        Organization, on_delete=models.CASCADE, related_name="sitting"
    )
    idle_minutes = models.PositiveSmallIntegerField(default=30)
    shared_minutes = models.PositiveSmallIntegerField(default=5)
    longest_hours = models.PositiveSmallIntegerField(default=12)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="a_session_ends_within_a_day",
                condition=Q(idle_minutes__range=(2, 240))
                & Q(shared_minutes__range=(1, 60))
                & Q(longest_hours__range=(1, 24)),
            ),
        ]

    @property
    def limits(self) -> Limits:
        """As the rules take them."""
        return Limits(self.idle_minutes, self.shared_minutes, self.longest_hours)
