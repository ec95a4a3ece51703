"""Organizations of the region, the people in them, and the machines that call for them."""

from datetime import datetime

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.core.signing import BadSignature, Signer
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.crypto import salted_hmac

from sharing.kernel import tokens
from sharing.kernel.tokens import public_id
from sharing.tenants.rules import (
    READ,
    Hosting,
    ImplicitPolicy,
    OrganizationState,
    Role,
    TeamKind,
    Tier,
)

_letters = Signer(salt="sharing.tenants.letter")


class UserManager(BaseUserManager["User"]):
    """Accounts come into being by approval or invitation only."""

    def create_user(self, email: str, name: str, password: str | None = None) -> "User":
        """A user with that address; without a password nobody can sign in as them."""
        user = self.model(email=self.normalize_email(email).lower(), name=name)
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(AbstractBaseUser):
    """A person, known by an e-mail address."""

    public_id = models.CharField(max_length=24, unique=True, default=public_id)
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120)
    is_active = models.BooleanField(default=True)
    must_change_password = models.BooleanField(default=False)
    joined_at = models.DateTimeField(default=timezone.now)
    sessions_from = models.CharField(max_length=24, default=tokens.public_id)
    language = models.CharField(max_length=10, blank=True, default="")  # blank: never signed in

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["name"]
    objects = UserManager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="a_person_reads_a_language_of_the_portal",
                condition=Q(language__in=["", *READ]),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def initials(self) -> str:
        """Two letters for the round mark in the header."""
        return "".join(word[0] for word in self.name.split()[:2]).upper()

    def get_full_name(self) -> str:
        """The person's name as written."""
        return self.name

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """What a session must carry to be theirs: a new `sessions_from` ends all at once."""
        said = self.password + self.sessions_from
        made = salted_hmac("sharing.tenants.sessions", said, secret=secret, algorithm="sha256")
        return str(made.hexdigest())


class Region(models.Model):
    """The region's own settings: one row."""

    name = models.CharField(max_length=120, default="Imaging Exchange")
    implicit_policy = models.CharField(max_length=20, default=ImplicitPolicy.DENY.value)
    implied_relationships = models.BooleanField(default=False)
    demands_agreements = models.BooleanField(default=False, db_default=False)
    age_of_majority = models.PositiveSmallIntegerField(default=18)
    emergency_hours = models.PositiveSmallIntegerField(default=4)
    review_days = models.PositiveSmallIntegerField(default=3)
    emergencies_a_day = models.PositiveSmallIntegerField(default=3)

    class Meta:
        constraints = [
            models.CheckConstraint(name="there_is_one_region", condition=Q(pk=1)),
            models.CheckConstraint(
                name="emergencies_last_one_to_four_hours",
                condition=Q(emergency_hours__gte=1, emergency_hours__lte=4),
            ),
            models.CheckConstraint(
                name="implicit_policy_is_a_known_one",
                condition=Q(implicit_policy__in=[policy.value for policy in ImplicitPolicy]),
            ),
        ]


class Organization(models.Model):
    """A hospital, clinic or imaging centre; the region's operator is one too."""

    class Kind(models.TextChoices):
        """What the organization is in the region."""

        HOSPITAL = "hospital", "Hospital"
        CLINIC = "clinic", "Clinic"
        IMAGING_CENTRE = "imaging_centre", "Imaging centre"
        OPERATOR = "operator", "Operator of the region"

    code = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=160)
    native_name = models.CharField(max_length=160, blank=True)
    mark = models.CharField(max_length=2)
    kind = models.CharField(max_length=20, choices=Kind.choices, default=Kind.HOSPITAL)
    state = models.CharField(
        max_length=12,
        choices=[(state.value, state.value) for state in OrganizationState],
        default=OrganizationState.APPLIED.value,
    )
    facility_identifier = models.CharField(max_length=64)
    country = models.CharField(max_length=2)
    contact_name = models.CharField(max_length=120)
    contact_email = models.EmailField()
    contact_phone = models.CharField(max_length=40, blank=True)
    patient_id_issuer = models.CharField(max_length=64)
    uid_root = models.CharField(max_length=54, blank=True)
    ae_titles = models.JSONField(default=list)
    device_places = models.JSONField(default=dict)  # AE title -> host:port, where C-ECHO asks
    privacy_officer_name = models.CharField(max_length=120)
    privacy_officer_email = models.EmailField()
    default_charset = models.CharField(max_length=32, blank=True)
    requires_second_factor = models.BooleanField(default=True)
    implicit_policy = models.CharField(max_length=20, blank=True, default="")  # blank: the region's
    facility_scheme = models.CharField(max_length=80, blank=True, default="")
    tier = models.CharField(max_length=12, blank=True, default="")
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="below")
    address = models.CharField(max_length=300, blank=True, default="")
    time_zone = models.CharField(max_length=40, blank=True, default="")  # blank: the portal's
    languages = models.JSONField(default=list)
    hosting = models.CharField(max_length=8, default=Hosting.REGION.value)
    quota_bytes = models.BigIntegerField(null=True)  # null: as the region's
    retention_years = models.PositiveSmallIntegerField(null=True)  # null: none is set
    legal_hold = models.CharField(max_length=300, blank=True, default="")  # why; blank: none
    colour = models.CharField(max_length=7, blank=True, default="")
    question = models.TextField(blank=True)
    answer = models.TextField(blank=True)
    applied_at = models.DateTimeField(default=timezone.now)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["country", "facility_identifier"],
                name="a_facility_is_registered_once",
                condition=~Q(state__in=["refused", "closed"]),
            ),
            models.CheckConstraint(
                name="an_organization_issues_its_patient_identifiers",
                condition=~Q(patient_id_issuer=""),
            ),
            models.CheckConstraint(
                name="an_organization_is_not_its_own_parent",
                condition=Q(parent=None) | ~Q(parent=F("pk")),
            ),
            models.CheckConstraint(
                name="images_are_hosted_in_a_known_way",
                condition=Q(hosting__in=[way.value for way in Hosting]),
            ),
            models.CheckConstraint(
                name="a_tier_is_a_known_one",
                condition=Q(tier__in=["", *(tier.value for tier in Tier)]),
            ),
            models.CheckConstraint(
                name="a_policy_of_an_organization_is_a_known_one",
                condition=Q(implicit_policy__in=["", *(policy.value for policy in ImplicitPolicy)]),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def own_policy(self) -> ImplicitPolicy | None:
        """The implicit policy that it set for itself; None: as the region says."""
        return ImplicitPolicy(self.implicit_policy) if self.implicit_policy else None


class Logo(models.Model):
    """An organization's picture, drawn anew by us from what was sent: a small PNG."""

    organization = models.OneToOneField(
        Organization, on_delete=models.CASCADE, primary_key=True, related_name="logo"
    )
    png = models.BinaryField()
    set_at = models.DateTimeField()


class AgreementQuerySet(models.QuerySet["Agreement"]):
    """Which agreements hold."""

    def in_force(self, at: datetime) -> "AgreementQuerySet":
        """Begun and not ended."""
        return self.filter(starts_at__lte=at, ends_at__gt=at)


class Agreement(models.Model):
    """What two organizations signed: one may give studies, the other may take them.

    It gives no access; where the region demands agreements, nothing else does without one. No
    modality beside it: for all of them. Ending it early moves `ends_at`.
    """

    public_id = models.CharField(max_length=24, unique=True, default=public_id)
    provider = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    recipient = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    purposes = models.CharField(max_length=80)  # |TREAT|HOPERAT|
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    signed_for_provider = models.CharField(max_length=120)
    signed_for_recipient = models.CharField(max_length=120)
    document = models.CharField(max_length=200)
    document_sha256 = models.CharField(max_length=64)
    recorded_by = models.CharField(max_length=200)
    recorded_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=200, blank=True)
    ended_why = models.CharField(max_length=300, blank=True)

    objects = AgreementQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="an_agreement_is_between_two",
                condition=~Q(provider=F("recipient")),
            ),
            models.CheckConstraint(
                name="an_agreement_ends_after_it_starts",
                condition=Q(ends_at__gte=F("starts_at")),
            ),
            models.CheckConstraint(
                name="an_agreement_is_signed_by_both",
                condition=~Q(signed_for_provider="") & ~Q(signed_for_recipient=""),
            ),
            models.CheckConstraint(
                name="an_agreement_is_on_paper", condition=~Q(document_sha256="")
            ),
        ]
        indexes = [models.Index(fields=["provider", "recipient"], name="agreements_of_two")]

    @property
    def purpose_set(self) -> frozenset[str]:
        """The purposes it is for."""
        return frozenset(self.purposes.strip("|").split("|"))


class AgreementModality(models.Model):
    """A modality that an agreement is limited to."""

    agreement = models.ForeignKey(
        Agreement, on_delete=models.PROTECT, related_name="modalities", db_index=False
    )
    value = models.CharField(max_length=16)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["agreement", "value"], name="an_agreement_names_a_modality_once"
            ),
        ]


class Membership(models.Model):
    """One role of one person at one organization."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="memberships"
    )
    role = models.CharField(max_length=20, choices=[(r.value, r.words) for r in Role])
    since = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "organization", "role"],
                name="a_role_is_held_once_at_a_time",
                condition=Q(ended_at=None),
            ),
        ]


class Team(models.Model):
    """A department, a care team or a research project of an organization, by name."""

    public_id = models.CharField(max_length=24, unique=True, default=public_id)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="teams")
    kind = models.CharField(max_length=12)
    name = models.CharField(max_length=120)
    founded_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "kind", "name"],
                name="a_team_has_its_name_alone",
                condition=Q(ended_at=None),
            ),
            models.CheckConstraint(
                name="a_team_is_of_a_known_kind",
                condition=Q(kind__in=[kind.value for kind in TeamKind]),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class TeamMember(models.Model):
    """One person's time in a team. Who is in it is asked at each access."""

    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="members", db_index=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="teams")
    since = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["team", "user"],
                name="a_person_is_in_a_team_once_at_a_time",
                condition=Q(ended_at=None),
            ),
        ]
        indexes = [models.Index(fields=["team", "user"], name="people_of_a_team")]


class Letter(models.Model):
    """A link sent by e-mail, to be followed once.

    Its secret is signed with the portal's key and never stored, so that a copy of the database
    opens no door.
    """

    class Kind(models.TextChoices):
        """What following the link does."""

        VERIFY_APPLICATION = "verify", "verify the address of an application"
        ANSWER_QUESTION = "answer", "answer the operator's question"
        JOIN = "join", "accept an invitation"

    kind = models.CharField(max_length=8, choices=Kind.choices)
    public_id = models.CharField(max_length=24, unique=True, default=public_id)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE)
    email = models.EmailField()
    name = models.CharField(max_length=120, blank=True)
    roles = models.JSONField(default=list)
    sent_by = models.CharField(max_length=120, blank=True)
    sent_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="letter_expires_after_it_is_sent", condition=Q(expires_at__gt=F("sent_at"))
            ),
        ]

    @property
    def secret(self) -> str:
        """What the link carries."""
        return _letters.sign(self.public_id)

    @staticmethod
    def name_in(secret: str) -> str:
        """The public id that a secret was made for; blank when it was not made here."""
        try:
            return _letters.unsign(secret)
        except BadSignature:
            return ""

    def open_at(self, at: datetime) -> bool:
        """Whether the link may still be followed."""
        return self.used_at is None and at < self.expires_at
