"""Notices in the portal, and the log of what was sent by which channel."""

from django.db import models
from django.utils import timezone

from sharing.tenants.models import Organization, User


class Notice(models.Model):
    """One line for one person. It names studies only by a link that the fence guards."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="notices")
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE)
    kind = models.CharField(max_length=20)
    text = models.CharField(max_length=300)
    link = models.CharField(max_length=200, blank=True)
    key = models.CharField(max_length=80)
    made_at = models.DateTimeField(default=timezone.now)
    read_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "key"], name="a_person_is_told_once"),
        ]
        indexes = [models.Index(fields=["user", "read_at"], name="notices_unread")]


class Mail(models.Model):
    """One e-mail that was owed, so that a second ring sends nothing twice."""

    key = models.CharField(max_length=120, unique=True)
    to = models.EmailField()
    template = models.CharField(max_length=40)
    sent_at = models.DateTimeField(null=True)
