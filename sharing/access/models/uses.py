"""Uses of permits that are given for so many, or of which the patient wants to be told each."""

from datetime import datetime

from django.db import models
from django.db.models import F, Q

from sharing.access.rules.uses import UseKind, kinds_that_let
from sharing.consent.models import Consent
from sharing.kernel.purposes import Action
from sharing.kernel.tokens import public_id
from sharing.tenants.models import Organization
from sharing.tenants.rules import Actor, Role


class UseQuerySet(models.QuerySet["Use"]):
    """Whose uses go on, and of which nobody told the patient yet."""

    def lasting(self, at: datetime) -> "UseQuerySet":
        """Begun, and not over."""
        return self.filter(starts_at__lte=at, ends_at__gt=at)

    def of(self, actor: Actor) -> "UseQuerySet":
        """The actor's own, for the organization and the purpose that they act for now."""
        mine = self.filter(actor_kind=actor.kind, actor_id=actor.id, purpose=actor.purpose)
        if Role.BEARER in actor.roles:
            return mine.filter(organization=None)
        return mine.filter(organization_id=actor.organization_id)

    def letting(self, actor: Actor, action: Action) -> "UseQuerySet":
        """The actor's own, to which this action belongs: `UseFacts.goes_on` in SQL."""
        return self.of(actor).filter(kind__in=sorted(kinds_that_let(action)))

    def to_tell(self) -> "UseQuerySet":
        """Those of which the patient is to be told, and was not."""
        return self.filter(tells_patient=True, told_at=None)


class Use(models.Model):
    """One use of one permit. `number` is the consent's over all its versions.

    By value but for the consent: who used it may leave, and the count stays.
    """

    public_id = models.CharField(max_length=24, unique=True, default=public_id)
    consent = models.ForeignKey(Consent, on_delete=models.PROTECT, related_name="uses")
    custodian = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    number = models.PositiveIntegerField()
    actor_kind = models.CharField(max_length=12)
    actor_id = models.CharField(max_length=64)
    actor_name = models.CharField(max_length=200)
    organization = models.ForeignKey(
        Organization, null=True, on_delete=models.PROTECT, related_name="+"
    )  # None: whoever came by a link
    purpose = models.CharField(max_length=10)
    study = models.CharField(max_length=40)
    study_uid = models.CharField(max_length=64)
    kind = models.CharField(max_length=4)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    tells_patient = models.BooleanField(default=False)
    told_at = models.DateTimeField(null=True)
    told_by = models.CharField(max_length=200, blank=True)
    told_how = models.CharField(max_length=10, blank=True)

    objects = UseQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="a_use_ends_after_it_starts", condition=Q(ends_at__gt=F("starts_at"))
            ),
            models.CheckConstraint(
                name="a_use_is_a_look_or_a_copy",
                condition=Q(kind__in=[kind.value for kind in UseKind]),
            ),
            models.CheckConstraint(
                name="who_told_the_patient_says_how",
                condition=Q(told_at=None, told_by="", told_how="")
                | (Q(told_at__isnull=False) & ~Q(told_by="") & ~Q(told_how="")),
            ),
        ]
        indexes = [
            models.Index(fields=["custodian", "number", "ends_at"], name="uses_of_a_consent"),
            models.Index(
                fields=["custodian", "starts_at"],
                name="uses_to_tell",
                condition=Q(tells_patient=True, told_at=None),
            ),
        ]
