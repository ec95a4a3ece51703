"""The fence: `decide()` in SQL.

`visible` speaks of the archive's studies by the names of their columns and of their series; it is
used by `archive.Study.objects` and by `access.fence` only. What costs something is asked last, and
of the own studies only whether somebody is kept out.
"""

from datetime import datetime
from typing import cast

from django.db.models import Exists, F, Model, OuterRef, Q, Value
from django.db.models.functions import Coalesce, Concat, StrIndex
from django.db.models.lookups import Exact

from sharing.access.rules import (
    glass_gives,
    is_own,
    kinds_that_let,
    may_be_implied,
    opt_out_binds,
    policies_that_open,
    shut,
    takes_a_copy,
    way_of,
)
from sharing.consent.models import Consent, ConsentQuerySet, Term, refuses
from sharing.consent.rules import Axis, Decision, Force
from sharing.kernel.purposes import Action, Obligation
from sharing.tenants.models import Agreement, AgreementModality, Organization, Region
from sharing.tenants.rules import Actor, ImplicitPolicy, OrganizationState, Role

from .glass import Glass, GlassPatient
from .grants import Grant, GrantQuerySet
from .relations import Relationship, RelationshipQuerySet
from .uses import Use


def visible(
    studies: type[Model],
    actor: Actor,
    action: Action,
    at: datetime,
    *,
    deidentified: bool = False,
    uncounted: bool = False,
) -> Q | None:
    """The condition under which the actor may do `action`; None when a gate is closed to all.

    The same rule as `rules.decide`, rung by rung, over the archive's `studies`. `uncounted`: and
    no permit would count it as one more use, in an emergency neither.
    """
    if shut(actor, action):
        return None
    refused = Exists(_denials(actor, at).filter(_ordinary(studies, actor, action)))
    going_on = _going_on(actor, action, at)
    permits = _permits(studies, at).usable(deidentified=deidentified, going_on=going_on)
    serving = permits.serving(actor.purpose, action)
    opens = _opens(serving, actor, action, at)
    free = _uncounted(serving, actor, action, at) if uncounted else Q()
    opens &= free
    shareable = Q(patient__certain=True) & Q(_custodian())
    others = ~Q(refused)
    if takes_a_copy(action):
        looking = permits.for_purpose(actor.purpose).naming(actor)
        strict = looking.filter(obligations__contains=f"|{Obligation.NO_DOWNLOAD}|")
        others &= ~Q(Exists(strict))
    others &= opens
    if glass_gives(actor, action):
        broken = Q(_broken(actor, at)) & ~Q(Exists(_denials(actor, at).exclude(_LESS)))
        others |= broken & (Q(refused) | free) if uncounted else broken
    others &= shareable & _agreed(actor, at)
    if not is_own(actor):
        return others
    own = Q(organization_id=actor.organization_id)
    if actor.user_id is not None:
        own &= ~Q(_kept_out(actor, at))
    if opt_out_binds(actor, action):
        own &= ~Q(_opted_out(actor, at))
    return own if actor.apart else own | others


def shared_with(actor: Actor, at: datetime) -> Exists:
    """Whether a live grant names the actor or the actor's organization for the study."""
    return Exists(_grants(actor, Action.DISCOVER, at))


def _custodian(**said: object) -> Exists:
    """Whether the study's custodian is active, and more that is said of it."""
    return Exists(
        Organization.objects.filter(
            pk=OuterRef("organization_id"), state=OrganizationState.ACTIVE, **said
        )
    )


def _agreed(actor: Actor, at: datetime) -> Q:
    """Rung 0: the two organizations signed an agreement, where the region demands one.

    Whether it does is asked once for all studies; only then is each of them looked at.
    """
    demanded = Region.objects.filter(pk=1, demands_agreements=True)
    signed = Agreement.objects.in_force(at).filter(
        provider=OuterRef("organization_id"),
        recipient_id=actor.organization_id,
        purposes__contains=f"|{actor.purpose}|",
    )
    terms = AgreementModality.objects.filter(agreement=OuterRef("pk"))
    wanted = Concat(Value("|"), F("value"), Value("|"))
    hit = terms.annotate(at=StrIndex(_study("modalities"), wanted)).filter(at__gt=0)
    agreed = ~Q(Exists(demanded)) | Q(Exists(signed.filter(~Exists(terms) | Exists(hit))))
    if Role.BEARER not in actor.roles:
        agreed |= Q(organization_id=actor.organization_id)
    return agreed


def _of_the_patient(at: datetime) -> ConsentQuerySet:
    return Consent.objects.in_force(at).filter(
        patient=OuterRef("patient_id"), custodian=OuterRef("organization_id")
    )


def _kept_out(actor: Actor, at: datetime) -> Exists:
    """Rung 0½: the patient excluded this person; the index holds exclusions only."""
    listed = _of_the_patient(at).filter(force=Force.EXCLUSION)
    return Exists(listed.naming(actor))


def _opted_out(actor: Actor, at: datetime) -> Exists:
    """Rung 2, for the own staff that does not treat."""
    return Exists(_of_the_patient(at).filter(force=Force.OPT_OUT).naming(actor))


_LESS = Q(force=Force.ORDINARY)
"""What an emergency overrides; an exclusion and an opt-out bind in it too."""


def _denials(actor: Actor, at: datetime) -> ConsentQuerySet:
    """Rungs 2 and 3, and the exclusions for all others: any denial that names the actor."""
    return _of_the_patient(at).filter(decision=Decision.DENY).naming(actor)


def _ordinary(studies: type[Model], actor: Actor, action: Action) -> Q:
    """Of those the ones about this: an ordinary one has its purposes, actions and scope."""
    return ~_LESS | (refuses(actor.purpose, action) & _scope(studies, denies=True))


def _broken(actor: Actor, at: datetime) -> Exists:
    """Whether the actor broke the glass for the study's patient, and it still lasts."""
    mine = Glass.objects.lasting(at).of(actor)
    return Exists(GlassPatient.objects.filter(patient=OuterRef("patient_id"), glass__in=mine))


def _permits(studies: type[Model], at: datetime) -> ConsentQuerySet:
    return _of_the_patient(at).filter(_scope(studies, denies=False), decision=Decision.PERMIT)


def _going_on(actor: Actor, action: Action, at: datetime) -> Exists | None:
    """From within a consent: whether what the actor does with the study belongs to a use of it."""
    if not kinds_that_let(action):
        return None
    mine = Use.objects.lasting(at).letting(actor, action)
    return Exists(
        mine.filter(
            custodian=OuterRef("custodian"),
            number=OuterRef("number"),
            study_uid=_study("study_uid"),
        )
    )


def _opens(serving: ConsentQuerySet, actor: Actor, action: Action, at: datetime) -> Q:
    """Rungs 4 to 6."""
    opens = Q(Exists(_carrying(serving, actor, action, at)))
    if Role.BEARER not in actor.roles:
        opens |= Q(Exists(serving.naming(actor)))
    if may_be_implied(actor, action):
        lets = Region.objects.filter(pk=1, implied_relationships=True)
        opens |= Q(Exists(lets)) & Q(Exists(_relationships(actor, at)))
    policies = policies_that_open(actor, action)
    if policies:
        opens |= _policy(policies)
    return opens


def _uncounted(serving: ConsentQuerySet, actor: Actor, action: Action, at: datetime) -> Q:
    """Whether nothing of rung 4 counts it: as in `decide`, who is named needs no share."""
    going_on = _going_on(actor, action, at)
    shared = ~Q(Exists(_carrying(serving, actor, action, at).counting(going_on)))
    if Role.BEARER in actor.roles:
        return shared
    named = serving.naming(actor)
    return ~Q(Exists(named.counting(going_on))) & (Q(Exists(named)) | shared)


def _carrying(
    serving: ConsentQuerySet, actor: Actor, action: Action, at: datetime
) -> ConsentQuerySet:
    """Those by which the custodian gave it to the actor."""
    return serving.by_way_of(way_of(actor)).filter(Exists(_carried_grants(actor, action, at)))


def _policy(policies: frozenset[ImplicitPolicy]) -> Q:
    """Rung 6: the region's implicit policy, where the custodian is no stricter."""
    wide = sorted(policies)
    lets = Region.objects.filter(pk=1, implicit_policy__in=wide)
    custodian = _custodian(implicit_policy__in=["", *wide])
    return Q(Exists(lets)) & Q(labels="|") & Q(custodian)


def _relationships(actor: Actor, at: datetime) -> RelationshipQuerySet:
    named = Q(study_uid=OuterRef("study_uid")) | Q(study_uid="")
    holding = Relationship.objects.holding(at).meaning(actor)
    return holding.filter(
        named, custodian=OuterRef("organization_id"), patient=OuterRef("patient_id")
    )


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
    since = OuterRef("since")
    return on_study.filter(Q(rooted_at__gte=since) | Q(rooted_at=None, starts_at__gte=since))


def _given(actor: Actor, action: Action, at: datetime) -> GrantQuerySet:
    live = Grant.objects.live(at).meaning(actor).coming_through()
    return live.filter(purpose=actor.purpose, actions__contains=f"|{action}|")


def _scope(studies: type[Model], *, denies: bool) -> Q:
    """The condition that a consent's scope holds the study: `ConsentFacts.covers` by axis.

    A permit for a time covers no study without a date: comparing with nothing is never true.
    """
    day = OuterRef("study_date")
    starts, ends = F("data_from"), F("data_until")
    first, last = (Coalesce(day, starts), Coalesce(day, ends)) if denies else (day, day)
    return Q(
        Q(data_from=None) | Q(data_from__lte=first),
        Q(data_until=None) | Q(data_until__gte=last),
        _axis_of_uids(studies, denies=denies),
        _axis(Axis.PERFORMING_ORGANIZATION, value=_study("organization__code")),
        _axis_of_words(Axis.MODALITY, "modalities", denies=denies),
        _axis_of_words(Axis.BODY_REGION, "body_regions", denies=denies),
        _axis_of_words(Axis.LABEL, "labels", denies=False),
    )


def _study(column: str) -> OuterRef:
    """A column of the study, from within a term of a consent: two levels out."""
    return OuterRef(OuterRef(column))


def _axis(axis: Axis, **match: OuterRef) -> Q:
    terms = Term.objects.filter(consent=OuterRef("pk"), axis=axis)
    return Q(~Exists(terms)) | Q(Exists(terms.filter(**match)))


def _axis_of_words(axis: Axis, column: str, *, denies: bool) -> Q:
    """An axis whose values stand in one column of the study, as |CT|SR|."""
    terms = Term.objects.filter(consent=OuterRef("pk"), axis=axis)
    wanted = Concat(Value("|"), F("value"), Value("|"))
    hit = terms.annotate(at=StrIndex(_study(column), wanted)).filter(at__gt=0)
    covered = Q(~Exists(terms)) | Q(Exists(hit))
    return covered | Q(Exact(OuterRef(column), Value("|"))) if denies else covered


def _axis_of_uids(studies: type[Model], *, denies: bool) -> Q:
    """Studies and series are one axis: either names the study."""
    terms = Term.objects.filter(consent=OuterRef("pk"), axis__in=[Axis.STUDY, Axis.SERIES])
    named = terms.filter(axis=Axis.STUDY, value=_study("study_uid"))
    by_series = Q(Exists(terms.filter(axis=Axis.SERIES))) & _series_named(studies, denies=denies)
    return Q(~Exists(terms)) | Q(Exists(named)) | by_series


def _series_named(studies: type[Model], *, denies: bool) -> Q:
    """A permit must name all series of the study, a denial one of them."""
    series = cast(type[Model], studies._meta.get_field("series").related_model)
    held = series._default_manager.filter(study=OuterRef(OuterRef("pk")))
    said = Term.objects.filter(
        consent=OuterRef(OuterRef("pk")), axis=Axis.SERIES, value=OuterRef("series_uid")
    )
    if denies:
        return Q(Exists(held.filter(Exists(said)))) | Q(~Exists(held))
    return Q(Exists(held)) & Q(~Exists(held.exclude(Exists(said))))
