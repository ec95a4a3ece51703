"""Sharing inside what was permitted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from sharing.access.errors import NotCovered, ShareInvalid
from sharing.access.models import Grant, Share
from sharing.access.rules import Ask, Decision, Facts, GrantFacts, Named, Subject, decide
from sharing.audit.services import record
from sharing.consent.rules import GranteeKind
from sharing.kernel.purposes import Action, Purpose
from sharing.outbox.services import promise
from sharing.tenants.models import Organization, User
from sharing.tenants.rules import Actor, Duty, OrganizationState
from sharing.tenants.services import require

from .deciding import decide_many, facts_on_file, physician_of

SHARED_ACTIONS = (Action.DISCOVER, Action.REPORT, Action.IMAGES)


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
