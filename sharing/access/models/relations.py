"""Who is tied to a patient's study without having been named by the patient: rung 5."""

from datetime import datetime

from django.db import models
from django.db.models import F, Q

from sharing.consent.rules import GranteeKind
from sharing.identity.models import Patient
from sharing.kernel.tokens import public_id
from sharing.tenants.models import Organization, User
from sharing.tenants.rules import Actor


class RelationshipQuerySet(models.QuerySet["Relationship"]):
    """Which relationships hold."""

    def holding(self, at: datetime) -> "RelationshipQuerySet":
        """Begun and not ended."""
        return self.filter(starts_at__lte=at, ends_at__gt=at)

    def meaning(self, actor: Actor) -> "RelationshipQuerySet":
        """Those of the actor's organization as a whole, or of the actor there."""
        person = Q(user=None)
        if actor.user_id is not None:
            person |= Q(user_id=actor.user_id)
        return self.filter(person, organization_id=actor.organization_id)


class Relationship(models.Model):
    """A referral, an open consult or a transfer; a blank `study_uid`: all of the patient's.

    It opens the study only where the region lets it (`tenants.Region.implied_relationships`).
    """

    class Kind(models.TextChoices):
        """What ties them."""

        REFERRER = "referrer", "Referred the patient for this study"
        CONSULT = "consult", "Was asked for a consult"
        TRANSFER = "transfer", "Takes the patient over"

    public_id = models.CharField(max_length=24, unique=True, default=public_id)
    custodian = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    study_uid = models.CharField(max_length=64, blank=True)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    recorded_by = models.CharField(max_length=200)
    recorded_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=300, blank=True)
    ended_at = models.DateTimeField(null=True)  # by a person, before its time: `ends_at` is then
    ended_by = models.CharField(max_length=200, blank=True)
    ended_why = models.CharField(max_length=300, blank=True)

    objects = RelationshipQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="a_relationship_ends_after_it_starts",
                condition=Q(ends_at__gte=F("starts_at")),
            ),
            models.CheckConstraint(
                name="a_relationship_is_of_a_known_kind",
                condition=Q(kind__in=["referrer", "consult", "transfer"]),
            ),
        ]
        indexes = [
            models.Index(fields=["patient", "organization"], name="relationships_of_a_patient")
        ]

    @property
    def grantee_kind(self) -> GranteeKind:
        """Whether a person or the organization as a whole is tied."""
        return GranteeKind.PRACTITIONER if self.user_id else GranteeKind.ORGANIZATION
