"""Grants, and the fence: `decide()` in SQL.

`visible` speaks of the columns `organization_id`, `patient_id`, `study_uid`, `study_date` and
`modalities` of the archive's studies by name; it is used by `archive.Study.objects` only.
"""

from datetime import datetime

from django.db import models
from django.db.models import Exists, F, OuterRef, Q, Value
from django.db.models.functions import Concat, StrIndex

from sharing.consent.models import Consent, ConsentQuerySet, Term
from sharing.consent.rules import Axis, Decision, GranteeKind
from sharing.identity.models import Patient
from sharing.kernel.purposes import Action
from sharing.kernel.tokens import public_id
from sharing.tenants.models import Organization, User
from sharing.tenants.rules import Actor

from .rules import OWN_STAFF_PURPOSES, closed_gate


class Share(models.Model):
    """One act of sharing: who, with whom, why, until when, with which words."""

    public_id = models.CharField(max_length=24, unique=True, default=public_id)
    custodian = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="shares")
    shared_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="shares")
    to_organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="shares_received"
    )
    to_user = models.ForeignKey(
        User, null=True, on_delete=models.PROTECT, related_name="shares_received"
    )
    purpose = models.CharField(max_length=10)
    note = models.CharField(max_length=1000, blank=True)
    shared_at = models.DateTimeField()


class GrantQuerySet(models.QuerySet["Grant"]):
    """Which grants live."""

    def live(self, at: datetime) -> "GrantQuerySet":
        """Begun, not ended, not revoked."""
        return self.filter(starts_at__lte=at, ends_at__gt=at, revoked_at=None)

    def meaning(self, actor: Actor) -> "GrantQuerySet":
        """Those given to the actor's organization as a whole, or to the actor."""
        whom = Q(grantee_kind=GranteeKind.ORGANIZATION, organization_id=actor.organization_id)
        if actor.user_id is not None:
            whom |= Q(grantee_kind=GranteeKind.PRACTITIONER, user_id=actor.user_id)
        return self.filter(whom)


class Grant(models.Model):
    """What a grantee may do with one study because of a share, while a consent carries it."""

    share = models.ForeignKey(Share, on_delete=models.PROTECT, related_name="grants")
    custodian = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    study_uid = models.CharField(max_length=64)
    grantee_kind = models.CharField(max_length=20)
    organization = models.ForeignKey(
        Organization, null=True, on_delete=models.PROTECT, related_name="+"
    )
    user = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    purpose = models.CharField(max_length=10)
    actions = models.CharField(max_length=120)  # |discover|report|images|
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    objects = GrantQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="grant_ends_after_it_starts", condition=Q(ends_at__gt=F("starts_at"))
            ),
            models.UniqueConstraint(
                fields=["share", "study_uid"], name="a_share_grants_a_study_once"
            ),
        ]
        indexes = [
            models.Index(
                fields=["custodian", "study_uid", "organization"], name="grants_of_a_study"
            )
        ]


def visible(actor: Actor, action: Action, at: datetime) -> Q | None:
    """The condition under which the actor may do `action`; None when a gate is closed to all.

    The same rule as `rules.decide`, rung by rung, over the archive's studies.
    """
    if closed_gate(actor, action):
        return None
    speaking = _about_the_study(Consent.objects.in_force(at).serving(actor.purpose, action))
    named = speaking.naming(organization_id=actor.organization_id, user_id=actor.user_id)
    denied = Exists(named.filter(decision=Decision.DENY))
    permits = Exists(named.filter(decision=Decision.PERMIT))
    carriers = speaking.filter(decision=Decision.PERMIT).by_way_of_custodian()
    carried = Exists(carriers.filter(Exists(_carried_grants(actor, action, at))))
    others = Q(patient__certain=True) & ~Q(denied) & (Q(permits) | Q(carried))
    if actor.purpose in OWN_STAFF_PURPOSES:
        return Q(organization_id=actor.organization_id) | others
    return others


def shared_with(actor: Actor, at: datetime) -> Exists:
    """Whether a live grant names the actor or the actor's organization for the study."""
    return Exists(_grants(actor, Action.DISCOVER, at))


def _grants(actor: Actor, action: Action, at: datetime) -> GrantQuerySet:
    return _given(actor, action, at).filter(
        custodian=OuterRef("organization_id"), study_uid=OuterRef("study_uid")
    )


def _carried_grants(actor: Actor, action: Action, at: datetime) -> GrantQuerySet:
    """From within a consent: the grants on the study that it carries, as `rules.carries`."""
    return _given(actor, action, at).filter(
        custodian=OuterRef("custodian"),
        study_uid=_study("study_uid"),
        starts_at__gte=OuterRef("starts_at"),
    )


def _given(actor: Actor, action: Action, at: datetime) -> GrantQuerySet:
    live = Grant.objects.live(at).meaning(actor)
    return live.filter(purpose=actor.purpose, actions__contains=f"|{action}|")


def _about_the_study(consents: ConsentQuerySet) -> ConsentQuerySet:
    day = OuterRef("study_date")
    dated = Q(data_from=None, data_until=None) | (
        (Q(data_from=None) | Q(data_from__lte=day)) & (Q(data_until=None) | Q(data_until__gte=day))
    )
    return consents.filter(
        dated,
        _axis(Axis.STUDY, value=_study("study_uid")),
        _axis(Axis.PERFORMING_ORGANIZATION, value=_study("organization__code")),
        _axis_of_modalities(),
        custodian=OuterRef("organization_id"),
        patient=OuterRef("patient_id"),
    )


def _study(column: str) -> OuterRef:
    """A column of the study, from within a term of a consent: two levels out."""
    return OuterRef(OuterRef(column))


def _axis(axis: Axis, **match: OuterRef) -> Q:
    terms = Term.objects.filter(consent=OuterRef("pk"), axis=axis)
    return Q(~Exists(terms)) | Q(Exists(terms.filter(**match)))


def _axis_of_modalities() -> Q:
    terms = Term.objects.filter(consent=OuterRef("pk"), axis=Axis.MODALITY)
    wanted = Concat(Value("|"), F("value"), Value("|"))
    hit = terms.annotate(at=StrIndex(_study("modalities"), wanted)).filter(at__gt=0)
    return Q(~Exists(terms)) | Q(Exists(hit))
