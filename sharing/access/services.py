"""Deciding with the facts on file, and sharing inside what was permitted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from sharing.audit.services import record
from sharing.consent.models import Consent
from sharing.consent.rules import Axis, ConsentState, GranteeKind
from sharing.consent.rules import Decision as Said
from sharing.kernel.purposes import Action, Purpose
from sharing.outbox.services import promise
from sharing.tenants.models import Organization, User
from sharing.tenants.rules import Actor, Duty, OrganizationState, Role
from sharing.tenants.services import region_policy, require

from .errors import NotCovered, ShareInvalid
from .models import Grant, Share
from .rules import (
    Ask,
    ConsentFacts,
    Decision,
    Facts,
    GrantFacts,
    Named,
    Subject,
    decide,
)

SHARED_ACTIONS = (Action.DISCOVER, Action.REPORT, Action.IMAGES)


def decide_one(actor: Actor, action: Action, subject: Subject, *, at: datetime) -> Decision:
    """The decision about one study, with all that is on file now."""
    return decide(Ask(actor, action, subject, at), facts_on_file([subject]))


def decide_many(
    actor: Actor, action: Action, subjects: Sequence[Subject], *, at: datetime
) -> list[Decision]:
    """The decisions about many studies, in their order, with three queries in all."""
    facts = facts_on_file(subjects)
    return [decide(Ask(actor, action, subject, at), facts) for subject in subjects]


def facts_on_file(subjects: Sequence[Subject]) -> Facts:
    """All consents and grants in force about these patients, by value."""
    patients = {subject.patient_id for subject in subjects}
    consents = (
        Consent.objects.filter(patient_id__in=patients, state=ConsentState.ACTIVE)
        .select_related("custodian")
        .prefetch_related("grantees__organization", "grantees__user", "terms")
        .order_by("pk")
    )
    grants = (
        Grant.objects.filter(patient_id__in=patients, revoked_at=None)
        .select_related("share__shared_by", "organization", "user")
        .order_by("pk")
    )
    return Facts(
        consents=tuple(consent_facts(consent) for consent in consents),
        grants=tuple(grant_facts(grant) for grant in grants),
        policy=region_policy(),
    )


def consent_facts(consent: Consent) -> ConsentFacts:
    """A consent's row with its grantees and terms, by value."""
    said: dict[str, set[str]] = {}
    for term in consent.terms.all():
        said.setdefault(term.axis, set()).add(term.value)
    return ConsentFacts(
        key=consent.key,
        decision=Said(consent.decision),
        custodian_id=consent.custodian_id,
        patient_id=consent.patient_id,
        starts_at=consent.starts_at,
        ends_at=consent.ends_at,
        grantees=tuple(
            Named(
                GranteeKind(grantee.kind),
                grantee.organization_id,
                grantee.user_id,
                str(grantee.organization or grantee.user or ""),
            )
            for grantee in consent.grantees.all()
        ),
        purposes=frozenset(said.get("purpose", ())),
        actions=frozenset(said.get("action", ())),
        state=ConsentState(consent.state),
        studies=frozenset(said.get(Axis.STUDY, ())),
        modalities=frozenset(said.get(Axis.MODALITY, ())),
        performers=frozenset(said.get(Axis.PERFORMING_ORGANIZATION, ())),
        data_from=consent.data_from,
        data_until=consent.data_until,
    )


def grant_facts(grant: Grant) -> GrantFacts:
    """A grant's row, by value."""
    grantee = Named(
        GranteeKind(grant.grantee_kind),
        grant.organization_id,
        grant.user_id,
        str(grant.user or grant.organization or ""),
    )
    return GrantFacts(
        key=grant.share.public_id,
        custodian_id=grant.custodian_id,
        study_uid=grant.study_uid,
        grantee=grantee,
        purpose=Purpose(grant.purpose),
        actions=frozenset(grant.actions.strip("|").split("|")),
        starts_at=grant.starts_at,
        ends_at=grant.ends_at,
        shared_by=grant.share.shared_by.name,
        revoked=grant.revoked_at is not None,
    )


@dataclass(frozen=True)
class Preview:
    """What a share would change, before it is made: one line per study."""

    subject: Subject
    before: Decision
    after: Decision


def preview_share(
    *,
    subjects: Sequence[Subject],
    to: Organization,
    purpose: Purpose,
    until: datetime,
    at: datetime,
) -> list[Preview]:
    """What a physician of `to` may see of these studies now, and would after the share."""
    grantee = physician_of(to, purpose)
    facts = facts_on_file(subjects)
    imagined = tuple(_imagined(subject, to, purpose, until, at) for subject in subjects)
    richer = Facts(facts.consents, facts.grants + imagined, facts.policy)
    asks = [Ask(grantee, Action.IMAGES, subject, at) for subject in subjects]
    return [Preview(ask.subject, decide(ask, facts), decide(ask, richer)) for ask in asks]


@transaction.atomic
def share(
    *,
    subjects: Sequence[Subject],
    to: Organization,
    purpose: Purpose,
    until: datetime,
    note: str,
    by: Actor,
    at: datetime,
) -> Share:
    """Share own studies with an organization, inside what the patients permitted.

    Raises NotAllowed, ShareInvalid, or NotCovered when for any of the studies no consent carries
    the share; then nothing is shared.
    """
    require(by, Duty.SHARE)
    _check(subjects, to, until, by, at)
    previews = preview_share(subjects=subjects, to=to, purpose=purpose, until=until, at=at)
    if not all(preview.after.allowed for preview in previews):
        raise NotCovered()
    made = _write(subjects, to, purpose, until, note, by, at)
    for subject in subjects:
        record(who=by.who, action="study.share", at=at, what=subject.what)
    promise("notify.tell_shared", at=at, share_id=made.pk)
    return made


def end_shares(*, custodian_id: int, study_uid: str, at: datetime) -> int:
    """End every share of a study that its custodian removed; how many.

    The rows stay as history. A study that comes under the same UID later is a new one, and none
    of them opens it.
    """
    grants = Grant.objects.filter(custodian_id=custodian_id, study_uid=study_uid, revoked_at=None)
    return grants.update(revoked_at=at)


def shares_of_study(*, custodian_id: int, study_uid: str, at: datetime) -> QuerySet[Grant]:
    """The live grants on one study of one custodian, newest first."""
    return (
        Grant.objects.live(at)
        .filter(custodian_id=custodian_id, study_uid=study_uid)
        .select_related("organization", "user", "share__shared_by")
        .order_by("-starts_at", "-pk")
    )


def notes_for(actor: Actor, *, custodian_id: int, study_uid: str, at: datetime) -> list[Share]:
    """The shares by which this study came to the actor, with their notes, newest first."""
    grants = Grant.objects.live(at).meaning(actor)
    found = grants.filter(custodian_id=custodian_id, study_uid=study_uid, purpose=actor.purpose)
    return [grant.share for grant in found.select_related("share__shared_by").order_by("-pk")]


def physician_of(organization: Organization, purpose: Purpose) -> Actor:
    """Anybody there who treats patients: whom a preview asks for."""
    return Actor(
        kind="user",
        id="",
        name="",
        organization_id=organization.pk,
        organization_code=organization.code,
        organization_name=organization.name,
        organization_mark=organization.mark,
        purpose=purpose,
        roles=frozenset({Role.PHYSICIAN}),
    )


def _imagined(
    subject: Subject, to: Organization, purpose: Purpose, until: datetime, at: datetime
) -> GrantFacts:
    return GrantFacts(
        key="",
        custodian_id=subject.custodian_id,
        study_uid=subject.study_uid,
        grantee=Named(GranteeKind.ORGANIZATION, to.pk, name=to.name),
        purpose=purpose,
        actions=frozenset(SHARED_ACTIONS),
        starts_at=at,
        ends_at=until,
        shared_by="",
    )


def _check(
    subjects: Sequence[Subject], to: Organization, until: datetime, by: Actor, at: datetime
) -> None:
    if not subjects:
        raise ShareInvalid("Choose at least one study.")
    if to.pk == by.organization_id or to.state != OrganizationState.ACTIVE:
        raise ShareInvalid("Choose another organization of the region.")
    if until <= at:
        raise ShareInvalid("The share must end in the future.")
    decisions = decide_many(by, Action.RESHARE, subjects, at=at)
    if not all(decision.allowed for decision in decisions):
        raise NotCovered()
    if any(subject.custodian_id != by.organization_id for subject in subjects):
        raise NotCovered("Only the custodian can share a study.")


def _write(
    subjects: Sequence[Subject],
    to: Organization,
    purpose: Purpose,
    until: datetime,
    note: str,
    by: Actor,
    at: datetime,
) -> Share:
    if by.user_id is None:
        raise ShareInvalid("Only a person can share.")
    made = Share.objects.create(
        custodian_id=by.organization_id,
        shared_by=User.objects.get(pk=by.user_id),
        to_organization=to,
        purpose=purpose,
        note=note,
        shared_at=at,
    )
    Grant.objects.bulk_create(
        Grant(
            share=made,
            custodian_id=subject.custodian_id,
            patient_id=subject.patient_id,
            study_uid=subject.study_uid,
            grantee_kind=GranteeKind.ORGANIZATION,
            organization=to,
            purpose=purpose,
            actions="|" + "|".join(SHARED_ACTIONS) + "|",
            starts_at=at,
            ends_at=until,
        )
        for subject in subjects
    )
    return made
