"""What the portal remembers for a person: the studies they opened, the searches they keep."""

from django.db import models
from django.db.models import Q

from sharing.kernel.tokens import public_id
from sharing.tenants.models import Organization

from .stored import Study


class Opening(models.Model):
    """When a person, acting for an organization, last opened a study. The proof of it is the access
    log; this only tells their lists what is new to them.
    """

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="openings")
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    reader = models.CharField(max_length=24)
    opened_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["study", "organization", "reader"], name="a_reader_opens_a_study_once"
            ),
        ]
        indexes = [
            models.Index(
                fields=["organization", "reader", "-opened_at"], name="opened_lately_by_reader"
            ),
        ]

    def __str__(self) -> str:
        return f"opening {self.pk}"


class SavedSearch(models.Model):
    """A search of the list of studies that a person keeps under a name; nobody else sees it."""

    public_id = models.CharField(max_length=24, unique=True, default=public_id)
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    reader = models.CharField(max_length=24)
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=1000)  # as in the address of the list
    saved_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "reader", "name"], name="a_saved_search_has_its_own_name"
            ),
            models.CheckConstraint(name="a_saved_search_has_a_name", condition=~Q(name="")),
        ]

    def __str__(self) -> str:
        return f"saved search {self.pk}"
