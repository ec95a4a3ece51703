"""The fence: `decide()` in SQL.

`visible` speaks of the columns `organization_id`, `patient_id`, `study_uid`, `study_date` and
`modalities` of the archive's studies by name; it is used by `archive.Study.objects` only.
"""

from datetime import datetime

from django.db.models import Exists, F, OuterRef, Q, Value
from django.db.models.functions import Concat, StrIndex

from sharing.access.rules import OWN_STAFF_PURPOSES, closed_gate
from sharing.consent.models import Consent, ConsentQuerySet, Term
from sharing.consent.rules import Axis, Decision, GranteeKind
from sharing.kernel.purposes import Action
from sharing.tenants.rules import Actor

from .grants import Grant, GrantQuerySet


def visible(actor: Actor, action: Action, at: datetime) -> Q | None:
    """The condition under which the actor may do `action`; None when a gate is closed to all.

    The same rule as `rules.decide`, rung by rung, over the archive's studies.
    """
    if closed_gate(actor, action):
        return None
    speaking = _about_the_study(Consent.objects.in_force(at).serving(actor.purpose, action))
    named = speaking.naming(actor)
    denied = Exists(named.filter(decision=Decision.DENY))
    permits = Exists(named.filter(decision=Decision.PERMIT))
    carriers = speaking.filter(decision=Decision.PERMIT).by_way_of(GranteeKind.NAMED_BY_CUSTODIAN)
    carried = Exists(carriers.filter(Exists(_carried_grants(actor, action, at))))
    others = Q(patient__certain=True) & ~Q(denied) & (Q(permits) | Q(carried))
    if actor.purpose in OWN_STAFF_PURPOSES:
        return Q(organization_id=actor.organization_id) | others
    return others


def shared_with(actor: Actor, at: datetime) -> Exists:
    """Whether a live grant names the actor or the actor's organization for the study."""
    return Exists(_grants(actor, Action.DISCOVER, at))


def _grants(actor: Actor, action: Action, at: datetime) -> GrantQuerySet:
    return _given(actor, action, at).about(
        custodian=OuterRef("organization_id"),
        patient=OuterRef("patient_id"),
        study_uid=OuterRef("study_uid"),
    )


def _carried_grants(actor: Actor, action: Action, at: datetime) -> GrantQuerySet:
    """From within a consent: the grants on the study that it carries, as `rules.carries`."""
    on_study = _given(actor, action, at).about(
        custodian=OuterRef("custodian"),
        patient=OuterRef("patient"),
        study_uid=_study("study_uid"),
    )
    return on_study.filter(starts_at__gte=OuterRef("starts_at"))


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
