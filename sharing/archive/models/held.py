"""Studies that came in and wait: whose are they? Their bytes are conflicts' (`Conflict.held`)."""

from django.db import models
from django.db.models import Q

from sharing.archive.rules import Doubt, HeldState
from sharing.identity.models import Patient
from sharing.kernel.tokens import public_id
from sharing.tenants.models import Organization

from .stored import Delivery


class HeldStudy(models.Model):
    """A new study whose patient is in doubt, as its files say it. Nobody sees it as a study yet."""

    public_id = models.CharField(max_length=24, unique=True, default=public_id)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT)
    delivery = models.ForeignKey(Delivery, on_delete=models.PROTECT)
    study_uid = models.CharField(max_length=64)
    doubt = models.CharField(max_length=16)
    chosen = models.ForeignKey(Patient, null=True, on_delete=models.PROTECT, related_name="+")
    identifier = models.CharField(max_length=64, blank=True)
    issuer = models.CharField(max_length=64, blank=True)
    name = models.CharField(max_length=324, blank=True)
    birth_date = models.DateField(null=True)
    sex = models.CharField(max_length=1, blank=True)
    description = models.CharField(max_length=200, blank=True)
    modality = models.CharField(max_length=16, blank=True)
    study_date = models.DateField(null=True)
    accession_number = models.CharField(max_length=64, blank=True)
    state = models.CharField(max_length=10, default=HeldState.WAITING.value)
    held_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    decided_by = models.CharField(max_length=200, blank=True)
    given_to = models.ForeignKey(Patient, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "study_uid"],
                name="a_study_waits_for_its_patient_once",
                condition=Q(state=HeldState.WAITING.value),
            ),
            models.CheckConstraint(
                name="a_held_study_stands_in_a_known_state",
                condition=Q(state__in=[state.value for state in HeldState]),
            ),
            models.CheckConstraint(
                name="a_held_study_waits_for_a_known_doubt",
                condition=Q(doubt__in=[doubt.value for doubt in Doubt]),
            ),
        ]
