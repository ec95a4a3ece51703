"""Consents as immutable versions; the queryset is the consent half of the fence."""

from datetime import datetime

from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from sharing.identity.models import Patient
from sharing.kernel.tokens import public_id
from sharing.tenants.models import Organization, User

from .rules import Axis, ConsentState, Decision, GranteeKind, Performer, Verification


class ConsentQuerySet(models.QuerySet["Consent"]):
    """Which consents speak now, to whom, of what."""

    def in_force(self, at: datetime) -> "ConsentQuerySet":
        """Active and within their own period."""
        return self.filter(
            Q(ends_at=None) | Q(ends_at__gt=at), state=ConsentState.ACTIVE, starts_at__lte=at
        )

    def naming(self, *, organization_id: int, user_id: int | None) -> "ConsentQuerySet":
        """Those that name the organization, or the person, as grantee."""
        named = Q(kind=GranteeKind.ORGANIZATION, organization_id=organization_id)
        if user_id is not None:
            named |= Q(kind=GranteeKind.PRACTITIONER, user_id=user_id)
        return self.filter(Exists(Grantee.objects.filter(named, consent=OuterRef("pk"))))

    def by_way_of_custodian(self) -> "ConsentQuerySet":
        """Those that let the custodian name who may see."""
        named = Grantee.objects.filter(consent=OuterRef("pk"), kind=GranteeKind.NAMED_BY_CUSTODIAN)
        return self.filter(Exists(named))

    def serving(self, purpose: str, action: str) -> "ConsentQuerySet":
        """Those given for that purpose and that action."""
        said = Term.objects.filter(consent=OuterRef("pk"))
        return self.filter(
            Exists(said.filter(axis="purpose", value=purpose)),
            Exists(said.filter(axis="action", value=action)),
        )


class Consent(models.Model):
    """One version of what a patient said. A change is a new version that supersedes."""

    public_id = models.CharField(max_length=24, unique=True, default=public_id)
    number = models.PositiveIntegerField()
    version = models.PositiveSmallIntegerField(default=1)
    custodian = models.ForeignKey(Organization, on_delete=models.PROTECT)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="consents")
    state = models.CharField(max_length=18, default=ConsentState.DRAFT.value)
    decision = models.CharField(max_length=6)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)
    data_from = models.DateField(null=True)
    data_until = models.DateField(null=True)
    performer = models.CharField(max_length=16, default=Performer.SELF.value)
    performer_name = models.CharField(max_length=120, blank=True)
    verification = models.CharField(max_length=10)
    witness = models.CharField(max_length=120, blank=True)
    language = models.CharField(max_length=12, default="en")
    recorded_by = models.CharField(max_length=200)
    recorded_at = models.DateTimeField()
    ended_by = models.CharField(max_length=200, blank=True)
    ended_at = models.DateTimeField(null=True)
    ended_why = models.CharField(max_length=300, blank=True)

    objects = ConsentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["custodian", "number", "version"], name="a_version_is_numbered_once"
            ),
            models.UniqueConstraint(
                fields=["custodian", "number"],
                name="one_version_of_a_consent_is_active",
                condition=Q(state=ConsentState.ACTIVE.value),
            ),
            models.CheckConstraint(
                name="consent_ends_after_it_starts",
                condition=Q(ends_at=None) | Q(ends_at__gt=F("starts_at")),
            ),
            models.CheckConstraint(
                name="a_consent_permits_or_denies",
                condition=Q(decision__in=[Decision.PERMIT.value, Decision.DENY.value]),
            ),
            models.CheckConstraint(
                name="a_consent_says_how_it_was_verified",
                condition=Q(verification__in=[v.value for v in Verification]),
            ),
        ]
        indexes = [models.Index(fields=["patient", "state"], name="consents_of_a_patient")]

    @property
    def reference(self) -> str:
        """How people name it: `C-2041`."""
        return f"C-{self.number}"

    @property
    def key(self) -> str:
        """How the access log names it: number and version."""
        return f"C-{self.number} v{self.version}"


class Grantee(models.Model):
    """One whom a consent names."""

    consent = models.ForeignKey(Consent, on_delete=models.CASCADE, related_name="grantees")
    kind = models.CharField(max_length=20)
    organization = models.ForeignKey(Organization, null=True, on_delete=models.PROTECT)
    user = models.ForeignKey(User, null=True, on_delete=models.PROTECT)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="a_grantee_is_whom_its_kind_says",
                condition=Q(
                    kind=GranteeKind.ORGANIZATION.value, organization__isnull=False, user=None
                )
                | Q(kind=GranteeKind.PRACTITIONER.value, organization=None, user__isnull=False)
                | Q(kind=GranteeKind.NAMED_BY_CUSTODIAN.value, organization=None, user=None),
            ),
        ]
        # The fence asks whom one consent names; by the organization alone it would read all that
        # name it.
        indexes = [
            models.Index(fields=["consent", "organization"], name="grantees_of_a_consent"),
        ]


class Term(models.Model):
    """One value of one axis: purpose, action, or a limit of the scope."""

    consent = models.ForeignKey(Consent, on_delete=models.CASCADE, related_name="terms")
    axis = models.CharField(max_length=24)
    value = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["consent", "axis", "value"], name="a_consent_says_a_thing_once"
            ),
            models.CheckConstraint(
                name="a_term_lies_on_a_known_axis",
                condition=Q(axis__in=["purpose", "action", *(a.value for a in Axis)]),
            ),
        ]


class Evidence(models.Model):
    """The signed form as it was scanned: bytes by their hash, immutable."""

    public_id = models.CharField(max_length=24, unique=True, default=public_id)
    consent = models.OneToOneField(Consent, on_delete=models.PROTECT, related_name="evidence")
    blob = models.CharField(max_length=120)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveIntegerField()
    media_type = models.CharField(max_length=40)
