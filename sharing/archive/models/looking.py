"""Who has a study open at this moment: told by the viewer's pulse and by long downloads."""

from django.db import models
from django.db.models import Q

from sharing.tenants.models import Organization

from .stored import Study


class Look(models.Model):
    """One actor's open viewer of a study, or a download under way; over when it is not renewed."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="looks")
    organization = models.ForeignKey(
        Organization, null=True, on_delete=models.CASCADE, related_name="+", db_index=False
    )  # None: whoever came by a link
    actor_kind = models.CharField(max_length=12)
    actor_id = models.CharField(max_length=64)
    purpose = models.CharField(max_length=10)
    kind = models.CharField(max_length=6)  # viewer, stream
    seen_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["study", "actor_kind", "actor_id", "organization", "purpose", "kind"],
                name="an_open_viewer_stands_once",
            ),
            models.CheckConstraint(
                name="what_is_open_is_a_viewer_or_a_stream",
                condition=Q(kind__in=["viewer", "stream"]),
            ),
        ]
