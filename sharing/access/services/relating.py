"""Referrals, consults and transfers: the custodian's people say who is tied to a patient's study.

A name on a study ties nobody: two people share one. Somebody at the custodian confirms who it is.
What a relationship opens is the region's to say (rung 5); a patient's refusal goes before it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from sharing.access.errors import TieInvalid, TieNotFound
from sharing.access.models import Relationship
from sharing.audit.rules import What
from sharing.audit.services import record
from sharing.identity.errors import PatientNotFound
from sharing.identity.models import Patient
from sharing.tenants.errors import NotAllowed
from sharing.tenants.models import Organization, User
from sharing.tenants.rules import Actor, Duty, OrganizationState
from sharing.tenants.services import physicians_mail, require

Kind = Relationship.Kind
RECORDED_BY: Mapping[Relationship.Kind, Duty] = {
    Kind.REFERRER: Duty.RELATE,
    Kind.TRANSFER: Duty.RELATE,
    Kind.CONSULT: Duty.ASK_CONSULT,
}
LONGEST: Mapping[Relationship.Kind, timedelta] = {
    Kind.REFERRER: timedelta(days=366),
    Kind.TRANSFER: timedelta(days=92),
    Kind.CONSULT: timedelta(days=31),
}


@dataclass(frozen=True)
class Tie:
    """Who is tied to what. A blank `study_uid`: all of the patient's, as only a transfer is."""

    kind: Relationship.Kind
    patient: Patient
    organization: Organization
    until: datetime
    reason: str
    person: User | None = None
    study_uid: str = ""


def kinds_of(actor: Actor) -> tuple[Relationship.Kind, ...]:
    """What the actor may record and end."""
    return tuple(kind for kind, duty in RECORDED_BY.items() if actor.may(duty))


def ties_of(actor: Actor, *, patient: Patient) -> QuerySet[Relationship]:
    """All of an own patient's, those that hold first. Raises NotAllowed, PatientNotFound."""
    if not kinds_of(actor):
        raise NotAllowed()
    if patient.organization_id != actor.organization_id:
        raise PatientNotFound()
    found = Relationship.objects.filter(custodian_id=actor.organization_id, patient=patient)
    return found.select_related("organization", "user").order_by("-ends_at", "-pk")


@transaction.atomic
def record_tie(*, tie: Tie, by: Actor, at: datetime) -> Relationship:
    """Say that somebody is tied to an own patient's study, until a day.

    Raises NotAllowed, PatientNotFound, TieInvalid.
    """
    require(by, RECORDED_BY[tie.kind])
    if tie.patient.organization_id != by.organization_id:
        raise PatientNotFound()
    _check(tie, by, at)
    made = Relationship.objects.create(
        custodian_id=by.organization_id,
        patient=tie.patient,
        study_uid=tie.study_uid,
        kind=tie.kind,
        organization=tie.organization,
        user=tie.person,
        starts_at=at,
        ends_at=tie.until,
        recorded_by=by.name,
        recorded_at=at,
        reason=" ".join(tie.reason.split()),
    )
    _note(by, "tie.record", made, at)
    return made


@transaction.atomic
def end_tie(*, public_id: str, why: str, by: Actor, at: datetime) -> Relationship:
    """It is over: a consult is closed, a transfer is off, a referrer was mistaken.

    Raises NotAllowed, TieNotFound, TieInvalid.
    """
    kinds = kinds_of(by)
    if not kinds:
        raise NotAllowed()
    rows = Relationship.objects.select_for_update(of=("self",)).filter(
        custodian_id=by.organization_id, public_id=public_id, kind__in=kinds
    )
    tie = rows.select_related("organization", "patient").first()
    if tie is None:
        raise TieNotFound()
    if tie.ends_at <= at:
        raise TieInvalid("It has ended already.")
    if not why.strip():
        raise TieInvalid("Say in a few words why.")
    tie.ends_at = max(at, tie.starts_at)
    tie.ended_at, tie.ended_by, tie.ended_why = at, by.name, " ".join(why.split())[:300]
    tie.save(update_fields=["ends_at", "ended_at", "ended_by", "ended_why"])
    _note(by, "tie.end", tie, at)
    return tie


def _check(tie: Tie, by: Actor, at: datetime) -> None:
    there = tie.organization
    if there.pk == by.organization_id or there.state != OrganizationState.ACTIVE:
        raise TieInvalid("Choose another organization of the region.")
    if tie.person is not None and not physicians_mail(there.pk).filter(pk=tie.person.pk).exists():
        raise TieInvalid("Choose somebody who treats patients there.")
    if tie.kind == Kind.REFERRER and tie.person is None:
        raise TieInvalid("A referrer is a person. Choose who it is.")
    if bool(tie.study_uid) == (tie.kind == Kind.TRANSFER):
        raise TieInvalid("A referral and a consult are about one study, a transfer about all.")
    if not at < tie.until <= at + LONGEST[tie.kind]:
        days = LONGEST[tie.kind].days
        raise TieInvalid(f"It must end within {days} days.")
    if not tie.reason.strip() or len(tie.reason) > 300:
        raise TieInvalid("Say in a few words why.")


def _note(by: Actor, action: str, tie: Relationship, at: datetime) -> None:
    detail = {
        "tie": tie.public_id,
        "kind": tie.kind,
        "organization": tie.organization.code,
        "user": tie.user.public_id if tie.user else "",
    }
    what = What(
        custodian=by.organization_code,
        patient=tie.patient.public_id,
        study_uid=tie.study_uid,
        detail=detail,
    )
    record(who=by.who, action=action, at=at, what=what)
