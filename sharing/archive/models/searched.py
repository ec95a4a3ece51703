"""What searches walk along: made from studies, series and patients in the transaction that changes
them (`archive.indexing`), and from nothing else.
"""

from django.db import models

from sharing.identity.models import Patient
from sharing.tenants.models import Organization

from .stored import Series, Study


class Listed(models.Model):
    """A study by its custodian, one modality and its day: the order in which lists are walked.

    The row of modality "" stands for any, and carries the study's part of a search answer.
    """

    study = models.ForeignKey(
        Study, on_delete=models.CASCADE, related_name="listed", db_index=False
    )
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, db_index=False)
    modality = models.CharField(max_length=16, blank=True)
    day = models.PositiveIntegerField()  # 20261124; 0 where the date is unknown
    referrer = models.CharField(max_length=400, blank=True)  # its search key
    summary = models.TextField(blank=True)  # summaries.study_summary

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["study", "modality"], name="a_study_is_listed_once_by_a_modality"
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "modality", "day", "study"], name="listed_by_day"),
        ]


class NameKey(models.Model):
    """Where a patient's name can be entered: at each word of each of its groups (dicom.names)."""

    patient = models.ForeignKey(
        Patient, on_delete=models.CASCADE, related_name="name_keys", db_index=False
    )
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, db_index=False)
    key = models.CharField(max_length=400)  # on PostgreSQL ordered by code points (migration 0003)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "key"], name="a_name_is_entered_once_at_a_word"
            ),
        ]
        indexes = [models.Index(fields=["organization", "key", "patient"], name="names_by_key")]


class Requested(models.Model):
    """What a series was requested as (Request Attributes Sequence, (0040,0275))."""

    series = models.ForeignKey(Series, on_delete=models.CASCADE, related_name="requests")
    step = models.CharField(max_length=64, blank=True)  # Scheduled Procedure Step ID
    procedure = models.CharField(max_length=64, blank=True)  # Requested Procedure ID

    class Meta:
        indexes = [
            models.Index(fields=["step"], name="requests_by_step"),
            models.Index(fields=["procedure"], name="requests_by_procedure"),
        ]
