"""The access log: what happened, by whom, on what ground. Values only, appended only."""

from django.db import models
from django.utils import timezone

from sharing.audit.rules import Who


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
    client = models.CharField(max_length=40, blank=True, default="", db_default="")
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
                    "client",
                    "window",
                ],
                name="one_event_per_reader_study_and_window",
                condition=models.Q(window__isnull=False),
            ),
        ]

    @property
    def who(self) -> Who:
        """Who did it, as they were then."""
        return Who(
            self.actor_kind,
            self.actor_id,
            self.actor_name,
            self.organization,
            self.organization_name,
            self.purpose,
        )


class Tally(models.Model):
    """How often a windowed read was repeated: beside the log, because the log is never edited."""

    event = models.OneToOneField(Event, on_delete=models.CASCADE, primary_key=True)
    count = models.PositiveIntegerField(default=1)


class Leaf(models.Model):
    """An event's place in the sealed log, from 0 on. By value: a deleted event leaves its leaf."""

    place = models.BigIntegerField(primary_key=True)
    event = models.BigIntegerField(unique=True)
    leaf = models.BinaryField()
    chain = models.BinaryField()


class Node(models.Model):
    """A complete part of the Merkle tree, 256 or a power of 256 leaves wide (level 8, 16, ...)."""

    level = models.SmallIntegerField()
    index = models.BigIntegerField()
    hash = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["level", "index"], name="one_hash_per_part_of_the_log"),
        ]


class Checkpoint(models.Model):
    """A signed head of the log, and from where the sequencer goes on."""

    number = models.BigIntegerField(primary_key=True)
    origin = models.CharField(max_length=200)
    size = models.BigIntegerField()
    root = models.CharField(max_length=64)
    chain = models.CharField(max_length=64)
    settled = models.BigIntegerField()
    previous = models.CharField(max_length=64, blank=True)
    at = models.DateTimeField()
    key = models.CharField(max_length=64)
    signature = models.CharField(max_length=128)
    # for the sequencer
    peaks = models.JSONField()
    mark = models.BigIntegerField()
    running = models.JSONField(default=list)


class Anchored(models.Model):
    """A head that was kept outside, and where."""

    checkpoint = models.BigIntegerField()
    where = models.CharField(max_length=20)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["checkpoint", "where"], name="anchored_once_a_place"),
        ]


class Witness(models.Model):
    """A partner that saw a head, found it to continue what it saw before, and signed it."""

    checkpoint = models.BigIntegerField()
    organization = models.CharField(max_length=40)
    key = models.CharField(max_length=64)
    signature = models.CharField(max_length=128)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["checkpoint", "organization"], name="one_signature_per_head_and_witness"
            ),
        ]


class Feed(models.Model):
    """Up to which place the log was handed on to somebody."""

    name = models.CharField(max_length=20, primary_key=True)
    place = models.BigIntegerField(default=-1)


class Past(models.Model):
    """What something that decisions rest on was until it changed, by value; the present stands in
    its own table. So the portal can say later what held at any moment.
    """

    kind = models.CharField(max_length=20)  # region, organization, consent, grant, study
    key = models.CharField(max_length=64, blank=True)
    until = models.DateTimeField()
    value = models.JSONField()

    class Meta:
        indexes = [models.Index(fields=["kind", "key", "until"], name="past_of_a_thing")]
