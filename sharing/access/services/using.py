"""Counting the uses of permits that are given for so many, or of which the patient is told."""

from datetime import datetime

from django.db import transaction
from django.db.models import F, QuerySet

from sharing.access.errors import UseNotFound
from sharing.access.models import Use
from sharing.access.rules import LASTS, Decision, Subject, UseKind, kind_of
from sharing.audit.rules import What
from sharing.audit.services import record
from sharing.consent.models import Consent
from sharing.consent.rules import ConsentState
from sharing.kernel.lifecycle import NotNow
from sharing.kernel.purposes import Action, Obligation
from sharing.tenants.rules import Actor, Duty
from sharing.tenants.services import require

from .deciding import decide_one

TOLD_HOW = {"phone": "By telephone", "letter": "By letter", "person": "In person"}


def is_counted(decision: Decision, action: Action) -> bool:
    """Whether this is a use that must be written down before a byte leaves."""
    return decision.allowed and bool(decision.counted) and kind_of(action) is not None


@transaction.atomic
def use(
    actor: Actor, action: Action, subject: Subject, *, at: datetime, deidentified: bool = False
) -> Decision:
    """Decide again, under the lock of the patient's permits, and count this use of each.

    Of two who come for the last use the second finds that none is left. What belongs to a use
    under way counts once. Call it in the transaction that writes the read into the log.
    """
    held = _locked(subject)
    decision = decide_one(actor, action, subject, at=at, deidentified=deidentified)
    kind = kind_of(action)
    if not decision.allowed or kind is None:
        return decision
    told = False
    for consent in held:
        if consent.key in decision.counted and not _goes_on(consent, actor, kind, subject, at):
            told |= _counted(consent, actor, kind, subject, told, at)
    return decision


def uses_to_tell(actor: Actor) -> QuerySet[Use]:
    """Uses of which a patient of the actor's organization is to be told, oldest first.

    Raises NotAllowed.
    """
    require(actor, Duty.RECORD_CONSENT)
    found = Use.objects.to_tell().filter(custodian_id=actor.organization_id)
    return found.select_related("consent__patient", "organization").order_by("starts_at", "pk")


@transaction.atomic
def tell_patient(*, public_id: str, how: str, by: Actor, at: datetime) -> Use:
    """The patient was told of this use. Raises NotAllowed, UseNotFound, NotNow."""
    require(by, Duty.RECORD_CONSENT)
    rows = Use.objects.select_for_update(of=("self",)).select_related("consent__patient")
    found = rows.filter(
        public_id=public_id, custodian_id=by.organization_id, tells_patient=True
    ).first()
    if found is None or how not in TOLD_HOW:
        raise UseNotFound()
    if found.told_at is not None:
        raise NotNow()
    found.told_at, found.told_by, found.told_how = at, by.name, how
    found.save(update_fields=["told_at", "told_by", "told_how"])
    record(who=by.who, action="consent.tell_patient", at=at, what=_what(found, by))
    return found


def _locked(subject: Subject) -> list[Consent]:
    """In one order, so that two who come at once never cross."""
    rows = Consent.objects.select_for_update(of=("self",)).filter(
        patient_id=subject.patient_id,
        custodian_id=subject.custodian_id,
        state=ConsentState.ACTIVE,
    )
    return list(rows.order_by("pk"))


def _goes_on(consent: Consent, actor: Actor, kind: UseKind, subject: Subject, at: datetime) -> bool:
    mine = Use.objects.lasting(at).of(actor).filter(kind=kind)
    return mine.filter(
        custodian_id=consent.custodian_id, number=consent.number, study_uid=subject.study_uid
    ).exists()


def _counted(
    consent: Consent, actor: Actor, kind: UseKind, subject: Subject, told: bool, at: datetime
) -> bool:
    """Write the use down; whether the patient is to be told of it, once for all permits."""
    notifies = not told and f"|{Obligation.NOTIFY_PATIENT}|" in consent.obligations
    Use.objects.create(
        consent=consent,
        custodian_id=consent.custodian_id,
        number=consent.number,
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_name=actor.name,
        organization_id=actor.organization_id or None,
        purpose=actor.purpose,
        study=subject.study,
        study_uid=subject.study_uid,
        kind=kind,
        starts_at=at,
        ends_at=at + LASTS,
        tells_patient=notifies,
    )
    Consent.objects.filter(pk=consent.pk).update(used=F("used") + 1)
    detail = {"consent": consent.key, "use": consent.used + 1, "of": consent.maximum_uses}
    what = What(**(vars(subject.what) | {"detail": detail}))
    record(who=actor.who, action="consent.use", at=at, what=what)
    return notifies


def _what(use: Use, by: Actor) -> What:
    return What(
        custodian=by.organization_code,
        patient=use.consent.patient.public_id,
        study=use.study,
        study_uid=use.study_uid,
        detail={"consent": use.consent.key, "how": use.told_how},
    )
