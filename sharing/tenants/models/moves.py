"""The history of an organization: one row for each step of its life."""

from django.db import models
from django.db.models import Q

from sharing.tenants.rules import BEGINS, NEXT, OrganizationState

from .organizations import Organization

_IN_TABLE = Q(before="", event=BEGINS, after=OrganizationState.APPLIED.value)
for (_before, _event), _after in NEXT.items():
    _IN_TABLE |= Q(before=_before.value, event=_event.value, after=_after.value)


class Move(models.Model):
    """One step of an organization's life: written once, edited by nobody (triggers refuse)."""

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="moves")
    event = models.CharField(max_length=12)
    before = models.CharField(max_length=12, blank=True)
    after = models.CharField(max_length=12)
    by_kind = models.CharField(max_length=12)
    by_id = models.CharField(max_length=40, blank=True)
    by_name = models.CharField(max_length=120)
    by_organization = models.CharField(max_length=40, blank=True)
    reason = models.CharField(max_length=500)
    detail = models.JSONField(default=dict)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(name="a_move_says_why", condition=~Q(reason="")),
            models.CheckConstraint(name="a_move_says_who", condition=~Q(by_name="")),
            models.CheckConstraint(name="a_move_is_of_the_table", condition=_IN_TABLE),
        ]

    @property
    def word(self) -> str:
        """Where the organization stood after it, for its history."""
        return OrganizationState(self.after).words
