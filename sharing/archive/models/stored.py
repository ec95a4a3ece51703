"""Studies, series and instances of the custodians; and `visible_to`, the fence.

Bytes lie in packs: one blob per delivery and study, in which an instance is a range (ADR-004).
"""

from datetime import date, datetime

from django.db import models
from django.db.models import Q, Value
from django.db.models.functions import Coalesce, Upper
from django.utils import timezone

from sharing.access.fence import Within, fence
from sharing.access.models import shared_with
from sharing.access.rules import Subject
from sharing.archive.rules import Outcome, StudyState
from sharing.identity.models import Patient
from sharing.kernel.purposes import Action
from sharing.kernel.tokens import public_id
from sharing.tenants.models import Organization, User
from sharing.tenants.rules import Actor, OrganizationState


def words_in(column: str) -> frozenset[str]:
    """The words of a column such as |CT|SR|."""
    return frozenset(word for word in column.split("|") if word)


class StudyQuerySet(models.QuerySet["Study"]):
    """The fence, and what is asked inside it."""

    def visible_to(
        self,
        actor: Actor,
        at: datetime,
        action: Action = Action.DISCOVER,
        *,
        deidentified: bool = False,
    ) -> "StudyQuerySet":
        """The studies with which the actor may do `action` now: `access.rules.decide` in SQL.

        `deidentified`: with a copy of them that names nobody.
        """
        bound = fence(self.model, actor, action, at, deidentified=deidentified)
        return self.none() if bound is None else self.filter(Within(self.model, bound))

    def shared_with(self, actor: Actor, at: datetime) -> "StudyQuerySet":
        """Those that a live share names the actor for; only ever inside the fence."""
        return self.filter(shared_with(actor, at)).exclude(organization_id=actor.organization_id)

    def with_owners(self) -> "StudyQuerySet":
        """With the custodian and the patient, for pages."""
        return self.select_related("organization", "patient")


class Study(models.Model):
    """One study of one custodian. The same UID at another custodian is another study."""

    public_id = models.CharField(max_length=24, unique=True, default=public_id)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="studies")
    study_uid = models.CharField(max_length=64)
    study_date = models.DateField(null=True)
    day = models.GeneratedField(  # as it is ordered: without a date last among the newest
        expression=Coalesce("study_date", Value(date.min)),
        output_field=models.DateField(),
        db_persist=True,
    )
    study_time = models.CharField(max_length=16, blank=True)
    accession_number = models.CharField(max_length=64, blank=True)
    accession_key = models.GeneratedField(  # as it is looked up; by code points (migration 0017)
        expression=Upper("accession_number"),
        output_field=models.CharField(max_length=200),
        db_persist=True,
    )
    study_id = models.CharField(max_length=64, blank=True)
    description = models.CharField(max_length=200, blank=True)
    referring_physician = models.CharField(max_length=324, blank=True)
    modalities = models.CharField(max_length=120, default="|")
    body_regions = models.CharField(max_length=200, default="|", db_default="|")  # |CHEST|
    labels = models.CharField(max_length=120, default="|", db_default="|")  # what is sensitive
    series_count = models.PositiveIntegerField(default=0)
    instance_count = models.PositiveIntegerField(default=0)
    state = models.CharField(max_length=10, default=StudyState.RECEIVING.value)
    received_at = models.DateTimeField(default=timezone.now)
    changed_at = models.DateTimeField(default=timezone.now)
    settled_at = models.DateTimeField(null=True)
    warnings = models.JSONField(default=list)

    objects = StudyQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "study_uid"],
                name="a_study_uid_is_unique_at_its_custodian",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "-study_date"], name="studies_by_date"),
            models.Index(fields=["patient", "-study_date"], name="studies_of_a_patient"),
            models.Index(fields=["-day", "-id"], name="studies_by_day"),
            models.Index(fields=["-received_at", "-id"], name="studies_as_they_came"),
            models.Index(fields=["study_uid"], name="studies_by_uid"),
            models.Index(fields=["accession_number"], name="studies_by_accession"),
            models.Index(fields=["accession_key"], name="studies_by_accession_key"),
        ]

    @property
    def modality_list(self) -> list[str]:
        """The modalities of its series, in order of first arrival."""
        return [word for word in self.modalities.split("|") if word]

    @property
    def subject(self) -> Subject:
        """The study as the access room knows it."""
        return Subject(
            custodian_id=self.organization_id,
            custodian=self.organization.code,
            patient_id=self.patient_id,
            patient=self.patient.public_id,
            study=self.public_id,
            study_uid=self.study_uid,
            study_date=self.study_date,
            modalities=frozenset(self.modality_list),
            certain=self.patient.certain,
            body_regions=words_in(self.body_regions),
            labels=words_in(self.labels),
            series=self._series_uids,
            custodian_active=self.organization.state == OrganizationState.ACTIVE,
            policy=self.organization.own_policy,
        )

    def _series_uids(self) -> frozenset[str]:
        return frozenset(self.series.values_list("series_uid", flat=True))


class Series(models.Model):
    """One series of a study."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="series")
    series_uid = models.CharField(max_length=64)
    modality = models.CharField(max_length=16, blank=True)
    number = models.IntegerField(null=True)
    description = models.CharField(max_length=200, blank=True)
    body_part = models.CharField(max_length=64, blank=True)
    laterality = models.CharField(max_length=16, blank=True)
    instance_count = models.PositiveIntegerField(default=0)
    frame_count = models.PositiveIntegerField(default=0)
    middle = models.CharField(max_length=64, blank=True)  # SOP Instance UID of the middle image
    thumbnail = models.BinaryField(null=True)
    version = models.PositiveIntegerField(default=0)  # raised whenever anything in it changes
    # Filled by `archive.indexing` where the files say it (PS3.18 table 10.6.3-4).
    performed_day = models.PositiveIntegerField(db_default=0)
    performed_time = models.CharField(max_length=16, db_default="")
    attributes = models.TextField(db_default="")  # ready JSON of the rest

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["study", "series_uid"], name="a_series_uid_is_unique_in_its_study"
            ),
        ]
        indexes = [models.Index(fields=["series_uid"], name="series_by_uid")]
        verbose_name_plural = "series"


class Instance(models.Model):
    """One SOP instance: its facts, where its bytes lie, and its ready-made metadata."""

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT)
    series = models.ForeignKey(
        Series, on_delete=models.CASCADE, related_name="instances", db_index=False
    )
    sop_uid = models.CharField(max_length=64)
    sop_class_uid = models.CharField(max_length=64)
    transfer_syntax = models.CharField(max_length=64)
    number = models.IntegerField(null=True)
    rows = models.PositiveIntegerField(null=True)
    columns = models.PositiveIntegerField(null=True)
    frames = models.PositiveIntegerField(default=0)
    blob = models.CharField(max_length=120)
    offset = models.BigIntegerField()
    length = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    layout = models.BinaryField(null=True)  # frame table, packed by archive.frames
    sound = models.BooleanField(default=True)  # its file meta information may leave as it is
    summary = models.TextField(default="")  # its part of a search answer (PS3.18 table 10.6.3-5)
    metadata = models.BinaryField()  # DICOM JSON (PS3.18 F.2), zlib
    received_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "sop_uid"],
                name="a_sop_instance_uid_is_unique_at_its_custodian",
            ),
        ]
        indexes = [
            models.Index(fields=["blob"], name="instances_of_a_blob"),
            models.Index(fields=["series", "number"], name="instances_in_order"),
        ]


class Batch(models.Model):
    """Files sent together through the upload page: closed when the sender says so."""

    public_id = models.CharField(max_length=24, unique=True, default=public_id)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT)
    user = models.ForeignKey(User, null=True, on_delete=models.PROTECT)
    client = models.CharField(max_length=24, blank=True)
    patient = models.ForeignKey(Patient, null=True, on_delete=models.PROTECT)  # chosen beforehand
    opened_at = models.DateTimeField()
    touched_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    received_at = models.DateTimeField(null=True)


class Upload(models.Model):
    """One file on its way (tus 1.0): what stands on the disk is the truth."""

    public_id = models.CharField(max_length=24, unique=True, default=public_id)
    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="uploads")
    name = models.CharField(max_length=255, blank=True)
    length = models.BigIntegerField()
    offset = models.BigIntegerField(default=0)
    opened_at = models.DateTimeField()
    received_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="an_upload_never_exceeds_its_length",
                condition=Q(offset__lte=models.F("length")),
            ),
        ]


class Delivery(models.Model):
    """What one request or batch brought, for its receipt: every file, none vanishes."""

    public_id = models.CharField(max_length=24, unique=True, default=public_id)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT)
    door = models.CharField(max_length=10)
    sender = models.CharField(max_length=200)
    batch = models.OneToOneField(Batch, null=True, on_delete=models.PROTECT)
    received_at = models.DateTimeField()


class DeliveryItem(models.Model):
    """One sent file and what became of it."""

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="items")
    name = models.CharField(max_length=255, blank=True)
    outcome = models.CharField(max_length=10)
    code = models.CharField(max_length=40, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    sop_class_uid = models.CharField(max_length=64, blank=True)
    sop_uid = models.CharField(max_length=64, blank=True)
    study = models.ForeignKey(Study, null=True, on_delete=models.SET_NULL)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="an_outcome_is_a_known_one",
                condition=Q(outcome__in=[outcome.value for outcome in Outcome]),
            ),
        ]


class Conflict(models.Model):
    """The same SOP Instance UID with other bytes: the old stays, the new waits for a person."""

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT)
    sop_uid = models.CharField(max_length=64)
    blob = models.CharField(max_length=120)
    offset = models.BigIntegerField()
    length = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    delivery = models.ForeignKey(Delivery, on_delete=models.PROTECT)
    received_at = models.DateTimeField()
    code = models.CharField(max_length=20, default="conflict")  # or other_patient
    study_uid = models.CharField(max_length=64, default="")  # as the new bytes say
    series_uid = models.CharField(max_length=64, default="")
    decided_at = models.DateTimeField(null=True)
    decision = models.CharField(max_length=10, default="")  # kept, taken
    decided_by = models.CharField(max_length=200, default="")
    held = models.ForeignKey(
        "archive.HeldStudy", null=True, on_delete=models.PROTECT, related_name="objects_held"
    )  # not a conflict of its own: its study waits for a patient

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "sop_uid", "sha256"],
                name="a_conflict_waits_once_for_the_same_bytes",
            ),
        ]
