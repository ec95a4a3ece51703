"""Requests for access: what was asked of which organization, and its answer."""

from django.db import models
from django.db.models import F, Q

from sharing.access.asking import RequestState
from sharing.identity.models import Patient
from sharing.kernel.tokens import public_id
from sharing.tenants.models import Organization, User

from .grants import Share


class AccessRequest(models.Model):
    """Somebody asks an organization for what it holds of a patient.

    `patient` is whom the identifier and the birth date name there, or nobody: the row is written
    all the same, and who asked sees no difference.
    """

    public_id = models.CharField(max_length=24, unique=True, default=public_id)
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="requests")
    asked_for = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    custodian = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="requests_received"
    )
    purpose = models.CharField(max_length=10)
    identifier = models.CharField(max_length=64)
    birth_date = models.DateField()
    patient = models.ForeignKey(Patient, null=True, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=1000)
    state = models.CharField(max_length=10, default=RequestState.ASKED.value)
    asked_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    reminded_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    answered_by = models.CharField(max_length=200, blank=True)
    answer = models.CharField(max_length=300, blank=True)
    share = models.ForeignKey(Share, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="a_request_is_in_a_known_state",
                condition=Q(state__in=[state.value for state in RequestState]),
            ),
            models.CheckConstraint(
                name="a_request_is_open_or_ended",
                condition=Q(state="asked", answered_at=None)
                | Q(~Q(state="asked"), answered_at__isnull=False),
            ),
            models.CheckConstraint(
                name="a_refused_request_says_why", condition=~Q(state="refused", answer="")
            ),
            models.CheckConstraint(
                name="an_approved_request_made_a_share",
                condition=Q(state="approved", share__isnull=False)
                | Q(~Q(state="approved"), share=None),
            ),
            models.CheckConstraint(
                name="a_request_expires_after_it_is_asked",
                condition=Q(expires_at__gt=F("asked_at")),
            ),
        ]
        indexes = [
            models.Index(fields=["asked_by", "asked_at"], name="requests_of_a_person"),
            models.Index(fields=["custodian", "state"], name="requests_to_answer"),
        ]
