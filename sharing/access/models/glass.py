"""Emergency accesses, the patients they open, and their reviews."""

from datetime import datetime

from django.db import models
from django.db.models import F, Q

from sharing.access.rules import GlassReason, GlassState, ReviewState
from sharing.identity.models import Patient
from sharing.kernel.tokens import public_id
from sharing.tenants.models import Organization, User
from sharing.tenants.rules import Actor


class GlassQuerySet(models.QuerySet["Glass"]):
    """Which of them open anything."""

    def lasting(self, at: datetime) -> "GlassQuerySet":
        """Open, and not run out."""
        return self.filter(state=GlassState.OPEN, starts_at__lte=at, ends_at__gt=at)

    def of(self, actor: Actor) -> "GlassQuerySet":
        """The actor's own, broken for the organization that they act for now."""
        return self.filter(user_id=actor.user_id, organization_id=actor.organization_id)


class Glass(models.Model):
    """One person's emergency access to one patient, as the person named the patient.

    Whether the region knows such a patient is told by `patients` alone.
    """

    public_id = models.CharField(max_length=24, unique=True, default=public_id)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="glasses")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    issuer = models.CharField(max_length=64)
    identifier = models.CharField(max_length=64)
    reason = models.CharField(max_length=20)
    words = models.CharField(max_length=1000)
    hours = models.PositiveSmallIntegerField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    state = models.CharField(max_length=10, default=GlassState.OPEN.value)
    ended_at = models.DateTimeField(null=True)
    flags = models.CharField(max_length=60, blank=True)  # |self|family|

    objects = GlassQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="a_glass_ends_after_it_starts", condition=Q(ends_at__gt=F("starts_at"))
            ),
            models.CheckConstraint(
                name="an_emergency_lasts_one_to_four_hours",
                condition=Q(hours__gte=1, hours__lte=4),
            ),
            models.CheckConstraint(
                name="a_glass_is_broken_for_a_known_reason",
                condition=Q(reason__in=[reason.value for reason in GlassReason]),
            ),
            models.CheckConstraint(
                name="a_glass_that_is_over_says_since_when",
                condition=Q(state=GlassState.OPEN.value, ended_at=None)
                | (~Q(state=GlassState.OPEN.value) & Q(ended_at__isnull=False)),
            ),
        ]
        indexes = [models.Index(fields=["user", "ends_at"], name="glasses_of_a_person")]

    @property
    def patient_keys(self) -> frozenset[int]:
        """The keys of the patients that it opens; prefetch `patients`."""
        return frozenset(each.patient_id for each in self.patients.all())


class GlassPatient(models.Model):
    """A custodian's patient that an emergency access opens."""

    glass = models.ForeignKey(Glass, on_delete=models.PROTECT, related_name="patients")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "glass"], name="a_glass_opens_a_patient_once"
            ),
        ]


class Review(models.Model):
    """One organization's judgement of an emergency access, due and then closed."""

    public_id = models.CharField(max_length=24, unique=True, default=public_id)
    glass = models.ForeignKey(Glass, on_delete=models.PROTECT, related_name="reviews")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=14, default=ReviewState.WAITING.value)
    due_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    closed_by = models.CharField(max_length=120, blank=True)
    remark = models.CharField(max_length=1000, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["glass", "organization"], name="an_organization_reviews_a_glass_once"
            ),
            models.CheckConstraint(
                name="a_closed_review_says_by_whom",
                condition=Q(state=ReviewState.WAITING.value, closed_at=None, closed_by="")
                | (
                    ~Q(state=ReviewState.WAITING.value)
                    & Q(closed_at__isnull=False)
                    & ~Q(closed_by="")
                ),
            ),
        ]
        indexes = [models.Index(fields=["organization", "state"], name="reviews_to_do")]
