"""Grantees who ask that a share goes on."""

from django.db import models

from sharing.tenants.models import Organization, User

from .grants import Share


class RenewalAsk(models.Model):
    """Somebody to whom a share came still needs it. Answered by a renewal, or by its end."""

    share = models.ForeignKey(Share, on_delete=models.PROTECT, related_name="renewal_asks")
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    asked_for = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["share", "asked_by"], name="a_person_asks_for_a_renewal_once"
            ),
        ]
