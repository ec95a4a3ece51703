"""Consents as immutable versions; the queryset is the consent half of the fence.

What a version said is never changed: triggers refuse it (migration `what_was_said_stays_said`).
"""

from datetime import datetime

from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from sharing.consent.rules import (
    Axis,
    ConsentState,
    Decision,
    Force,
    GranteeKind,
    Performer,
    Verification,
)
from sharing.identity.models import Patient
from sharing.kernel.purposes import Action, Obligation, Purpose
from sharing.kernel.tokens import public_id
from sharing.tenants.models import Organization, Team, TeamMember, User
from sharing.tenants.rules import Actor, Role


class ConsentQuerySet(models.QuerySet["Consent"]):
    """Which consents speak now, to whom, of what."""

    def in_force(self, at: datetime) -> "ConsentQuerySet":
        """Active, within their own period, and said by who may still say it."""
        return self.filter(
            Q(ends_at=None) | Q(ends_at__gt=at),
            Q(lapses_at=None) | Q(lapses_at__gt=at),
            state=ConsentState.ACTIVE,
            starts_at__lte=at,
        )

    def naming(self, actor: Actor) -> "ConsentQuerySet":
        """Those that name the actor, by the memberships of this moment, without an exception."""
        named = Grantee.objects.meaning(actor).filter(consent=OuterRef("pk"))
        return self.filter(
            Exists(named.filter(excepted=False)), ~Exists(named.filter(excepted=True))
        )

    def by_way_of(self, kind: GranteeKind) -> "ConsentQuerySet":
        """Those that let the custodian name who may see, or give a link away."""
        return self.filter(Exists(Grantee.objects.filter(consent=OuterRef("pk"), kind=kind)))

    def serving(self, purpose: str, action: str) -> "ConsentQuerySet":
        """Those given for that purpose and that action."""
        return self.filter(serves(purpose, action))

    def for_purpose(self, purpose: str) -> "ConsentQuerySet":
        """Those given for that purpose, whatever the action."""
        return self.filter(_says("purpose", purpose))

    def usable(self, *, deidentified: bool, going_on: Exists | None = None) -> "ConsentQuerySet":
        """Permits whose obligations leave room for one more use of this kind, or one goes on."""
        left = Q(maximum_uses=None) | Q(used__lt=F("maximum_uses"))
        if going_on is not None:
            left |= Q(going_on)
        if deidentified:
            return self.filter(left)
        return self.filter(left).exclude(obligations__contains=f"|{Obligation.DEIDENTIFY}|")

    def counting(self, going_on: Exists | None) -> "ConsentQuerySet":
        """Those that would write it down as one more use."""
        told = Q(obligations__contains=f"|{Obligation.NOTIFY_PATIENT}|")
        counted = self.filter(Q(maximum_uses__isnull=False) | told)
        return counted if going_on is None else counted.exclude(going_on)


def serves(purpose: str, action: str) -> Q:
    """The condition that a consent was given for that purpose and that action."""
    return _says("purpose", purpose) & _says("action", action)


def refuses(purpose: str, action: Action) -> Q:
    """The condition that a denial was given for that purpose, and for that action or a lesser."""
    lesser = Term.objects.filter(consent=OuterRef("pk"), axis="action", value__in=action.ladder)
    return _says("purpose", purpose) & Q(Exists(lesser))


def _says(axis: str, value: str) -> Q:
    return Q(Exists(Term.objects.filter(consent=OuterRef("pk"), axis=axis, value=value)))


class Proxy(models.Model):
    """Somebody who speaks for a patient: on what document, and from when until when."""

    public_id = models.CharField(max_length=24, unique=True, default=public_id)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="proxies")
    relation = models.CharField(max_length=16)
    name = models.CharField(max_length=120)
    incapacity = models.BooleanField(default=False)  # the patient can't speak while this holds
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)
    document = models.CharField(max_length=200)  # what shows it: an order, a register, a card
    document_sha256 = models.CharField(max_length=64, blank=True)
    recorded_by = models.CharField(max_length=200)
    recorded_at = models.DateTimeField()
    ended_by = models.CharField(max_length=200, blank=True)
    ended_why = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="a_proxy_ends_after_it_starts",
                condition=Q(ends_at=None) | Q(ends_at__gte=F("starts_at")),
            ),
            models.CheckConstraint(
                name="a_proxy_is_another_than_the_patient",
                condition=Q(relation__in=[p.value for p in Performer if p != Performer.SELF]),
            ),
            models.CheckConstraint(
                name="a_proxy_shows_a_document", condition=~Q(document="") & ~Q(name="")
            ),
        ]
        verbose_name_plural = "proxies"


class Consent(models.Model):
    """One version of what a patient said. A change is a new version that supersedes."""

    public_id = models.CharField(max_length=24, unique=True, default=public_id)
    number = models.PositiveIntegerField()
    version = models.PositiveSmallIntegerField(default=1)
    custodian = models.ForeignKey(Organization, on_delete=models.PROTECT)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="consents")
    supersedes = models.OneToOneField("self", null=True, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=20, default=ConsentState.DRAFT.value)
    decision = models.CharField(max_length=6)
    force = models.CharField(max_length=10, default=Force.ORDINARY.value)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)
    # From when on it permits without a break, over its versions; never before it was recorded.
    since = models.DateTimeField()
    lapses_at = models.DateTimeField(null=True)  # when who spoke may no longer speak
    data_from = models.DateField(null=True)
    data_until = models.DateField(null=True)
    performer = models.CharField(max_length=16, default=Performer.SELF.value)
    performer_name = models.CharField(max_length=120, blank=True)
    proxy = models.ForeignKey(Proxy, null=True, on_delete=models.PROTECT, related_name="consents")
    verification = models.CharField(max_length=10)
    verified_by = models.CharField(max_length=200, blank=True)
    verified_at = models.DateTimeField(null=True)
    witness = models.CharField(max_length=120, blank=True)
    language = models.CharField(max_length=12, default="en")
    shown = models.CharField(max_length=60, blank=True)  # the text that was shown, and its version
    obligations = models.CharField(max_length=80, default="|")  # |watermark|no_download|
    maximum_uses = models.PositiveIntegerField(null=True)
    used = models.PositiveIntegerField(default=0)
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
            models.CheckConstraint(
                name="only_a_denial_goes_beyond_the_ordinary",
                condition=Q(decision=Decision.DENY.value) | Q(force=Force.ORDINARY.value),
            ),
            models.CheckConstraint(
                name="the_force_of_a_denial_is_a_known_one",
                condition=Q(force__in=[force.value for force in Force]),
            ),
            models.CheckConstraint(
                name="a_consent_is_used_no_more_often_than_it_says",
                condition=Q(maximum_uses=None) | Q(used__lte=F("maximum_uses")),
            ),
            models.CheckConstraint(
                name="a_proxy_speaks_and_the_patient_needs_none",
                condition=Q(proxy=None) | ~Q(performer=Performer.SELF.value),
            ),
        ]
        indexes = [
            models.Index(fields=["patient", "state"], name="consents_of_a_patient"),
            # The fence asks of each of the own studies whether somebody is kept out.
            models.Index(
                fields=["patient"],
                name="exclusions_of_a_patient",
                condition=Q(force=Force.EXCLUSION.value, state=ConsentState.ACTIVE.value),
            ),
        ]

    @property
    def reference(self) -> str:
        """How people name it: `C-2041`."""
        return f"C-{self.number}"

    @property
    def key(self) -> str:
        """How the access log names it: number and version."""
        return f"C-{self.number} v{self.version}"


class GranteeQuerySet(models.QuerySet["Grantee"]):
    """Whom a consent means."""

    def meaning(self, actor: Actor) -> "GranteeQuerySet":
        """Those that mean the actor now: `access.rules.Named.is_for` in SQL."""
        if Role.BEARER in actor.roles:
            return self.filter(kind=GranteeKind.EVERYONE)
        whom = Q(kind=GranteeKind.ORGANIZATION, organization_id=actor.organization_id)
        if actor.user_id is not None:
            whom |= Q(kind=GranteeKind.PRACTITIONER, user_id=actor.user_id)
        anywhere = Q(organization=None) | Q(organization_id=actor.organization_id)
        whom |= Q(kind=GranteeKind.EVERYONE)
        whom |= anywhere & Q(kind=GranteeKind.ROLE, role__in=sorted(actor.roles))
        if actor.user_id is not None:
            whom |= _in_team(actor, actor.user_id)
        return self.filter(whom)


def _in_team(actor: Actor, user_id: int) -> Q:
    kinds = [GranteeKind.TEAM]
    if actor.purpose == Purpose.RESEARCH:
        kinds.append(GranteeKind.PROJECT)
    member = TeamMember.objects.filter(
        team=OuterRef("team"),
        user_id=user_id,
        ended_at=None,
        team__organization_id=actor.organization_id,
    )
    return Q(kind__in=kinds) & Q(Exists(member))


class Grantee(models.Model):
    """One whom a consent names; or, of a denial, one whom it leaves out."""

    consent = models.ForeignKey(Consent, on_delete=models.CASCADE, related_name="grantees")
    kind = models.CharField(max_length=20)
    organization = models.ForeignKey(Organization, null=True, on_delete=models.PROTECT)
    user = models.ForeignKey(User, null=True, on_delete=models.PROTECT)
    team = models.ForeignKey(Team, null=True, on_delete=models.PROTECT)
    role = models.CharField(max_length=20, blank=True)
    excepted = models.BooleanField(default=False)

    objects = GranteeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="a_grantee_is_whom_its_kind_says",
                condition=Q(
                    kind=GranteeKind.ORGANIZATION.value,
                    organization__isnull=False, user=None, team=None, role="",
                )
                | Q(
                    kind=GranteeKind.PRACTITIONER.value,
                    organization=None, user__isnull=False, team=None, role="",
                )
                | Q(
                    kind__in=[GranteeKind.TEAM.value, GranteeKind.PROJECT.value],
                    organization=None, user=None, team__isnull=False, role="",
                )
                | (Q(kind=GranteeKind.ROLE.value, user=None, team=None) & ~Q(role=""))
                | Q(
                    kind__in=[
                        GranteeKind.NAMED_BY_CUSTODIAN.value,
                        GranteeKind.LINK.value,
                        GranteeKind.EVERYONE.value,
                    ],
                    organization=None, user=None, team=None, role="",
                ),
            ),
        ]  # fmt: skip
        # The fence asks whom one consent names; by the organization alone it would read all that
        # name it.
        indexes = [
            models.Index(fields=["consent", "organization"], name="grantees_of_a_consent"),
            # A search asks which consents name a role, everybody, or whoever has a link.
            models.Index(fields=["kind", "role"], name="grantees_by_kind"),
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


class Statement(models.Model):
    """What was shown and how it was agreed, as PDF with the portal's signature: immutable."""

    public_id = models.CharField(max_length=24, unique=True, default=public_id)
    consent = models.OneToOneField(Consent, on_delete=models.PROTECT, related_name="statement")
    blob = models.CharField(max_length=120)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveIntegerField()
    public_key = models.CharField(max_length=64)
    signature = models.CharField(max_length=128)
