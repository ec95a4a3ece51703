"""Tests of connections and the leaving of organizations: what the offices keep of their work."""

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from sharing.kernel.tokens import public_id
from sharing.tenants.models import Organization

from .rules import Check, Result, Verdict


class LinkTest(models.Model):
    """One test of an organization's connection, with its results by value."""

    public_id = models.CharField(max_length=24, unique=True, default=public_id)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    asked_by = models.CharField(max_length=120)
    asked_by_id = models.CharField(max_length=40, blank=True)
    nightly = models.BooleanField(default=False)
    asked_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True)
    passed = models.BooleanField(null=True)
    results = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="a_test_has_a_verdict_when_it_ended",
                condition=Q(ended_at=None, passed=None)
                | Q(ended_at__isnull=False, passed__isnull=False),
            ),
        ]
        indexes = [models.Index(fields=["organization", "-asked_at"], name="tests_of_a_link")]

    @property
    def told(self) -> list[Result]:
        """The results as values."""
        return [
            Result(
                Check(row["check"]), Verdict(row["verdict"]), row["said"], row["todo"], row["ms"]
            )
            for row in self.results
        ]


class Leaving(models.Model):
    """How an organization leaves: its export, and the two persons who let it be deleted."""

    public_id = models.CharField(max_length=24, unique=True, default=public_id)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    begun_at = models.DateTimeField()
    folder = models.CharField(max_length=300, blank=True)
    files = models.PositiveIntegerField(default=0)
    size = models.BigIntegerField(default=0)
    manifest_sha256 = models.CharField(max_length=64, blank=True)
    exported_at = models.DateTimeField(null=True)
    asked_by = models.CharField(max_length=120, blank=True)
    asked_by_id = models.CharField(max_length=40, blank=True)
    asked_at = models.DateTimeField(null=True)
    confirmed_by = models.CharField(max_length=120, blank=True)
    confirmed_by_id = models.CharField(max_length=40, blank=True)
    confirmed_at = models.DateTimeField(null=True)
    stopped = models.CharField(max_length=300, blank=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization"],
                name="an_organization_leaves_once_at_a_time",
                condition=Q(ended_at=None),
            ),
            models.CheckConstraint(
                name="two_persons_close_an_organization",
                condition=Q(confirmed_at=None) | ~Q(confirmed_by_id=F("asked_by_id")),
            ),
            models.CheckConstraint(
                name="what_is_closed_was_exported",
                condition=Q(confirmed_at=None) | Q(exported_at__isnull=False),
            ),
        ]
