"""Patients as their custodians know them. Nobody is merged here; links come as rows."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Upper

from sharing.kernel.tokens import public_id
from sharing.tenants.models import Organization


class Patient(models.Model):
    """One patient of one organization, named by an identifier with its issuer."""

    public_id = models.CharField(max_length=24, unique=True, default=public_id)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT)
    issuer = models.CharField(max_length=64)
    identifier = models.CharField(max_length=64)
    identifier_key = models.GeneratedField(  # as it is looked up; by code points (migration 0003)
        expression=Upper("identifier"),
        output_field=models.CharField(max_length=200),
        db_persist=True,
    )
    name = models.CharField(max_length=324)
    latin = models.CharField(max_length=200)
    native = models.CharField(max_length=120, blank=True)
    search_key = models.CharField(max_length=400, blank=True)
    birth_date = models.DateField(null=True)
    sex = models.CharField(max_length=1, blank=True)
    certain = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "issuer", "identifier"],
                name="an_identifier_names_one_patient_of_its_issuer",
            ),
            models.CheckConstraint(
                name="an_identifier_without_issuer_is_no_identity", condition=~Q(issuer="")
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "search_key"], name="patients_by_name"),
            models.Index(fields=["identifier", "organization"], name="patients_by_identifier"),
            models.Index(fields=["identifier_key"], name="patients_by_key"),
        ]

    def __str__(self) -> str:
        return self.public_id
