"""The access log: what happened, by whom, on what ground. Values only, appended only."""

from django.db import models
from django.utils import timezone


class EventQuerySet(models.QuerySet["Event"]):
    """Questions about what happened."""

    def of_study(self, custodian: str, study_uid: str) -> "EventQuerySet":
        """All that concerns one study of one custodian, newest first."""
        return self.filter(custodian=custodian, study_uid=study_uid).order_by("-at", "-pk")


class Event(models.Model):
    """One row of the log (FHIR AuditEvent, IHE BALP). No foreign key leaves this table."""

    at = models.DateTimeField(default=timezone.now)
    # who
    actor_kind = models.CharField(max_length=12)  # user, client, system, anonymous
    actor_id = models.CharField(max_length=64, blank=True)
    actor_name = models.CharField(max_length=200, blank=True)
    organization = models.CharField(max_length=40, blank=True)
    organization_name = models.CharField(max_length=200, blank=True)
    purpose = models.CharField(max_length=10, blank=True)
    # what
    action = models.CharField(max_length=40)
    permitted = models.BooleanField(default=True)
    window = models.DateTimeField(null=True)
    # on what ground
    rule = models.CharField(max_length=40, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    consent = models.CharField(max_length=40, blank=True)
    # to what
    custodian = models.CharField(max_length=40, blank=True)
    patient = models.CharField(max_length=40, blank=True)
    study = models.CharField(max_length=40, blank=True)
    study_uid = models.CharField(max_length=64, blank=True)
    detail = models.JSONField(default=dict)
    request_id = models.CharField(max_length=40, blank=True)

    objects = EventQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["custodian", "study_uid", "at"], name="log_of_a_study"),
            models.Index(fields=["custodian", "at"], name="log_of_a_custodian"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "actor_kind",
                    "actor_id",
                    "organization",
                    "purpose",
                    "action",
                    "custodian",
                    "study_uid",
                    "consent",
                    "window",
                ],
                name="one_event_per_reader_study_and_window",
                condition=models.Q(window__isnull=False),
            ),
        ]


class Tally(models.Model):
    """How often a windowed read was repeated: beside the log, because the log is never edited."""

    event = models.OneToOneField(Event, on_delete=models.CASCADE, primary_key=True)
    count = models.PositiveIntegerField(default=1)
