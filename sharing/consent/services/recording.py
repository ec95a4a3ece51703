"""Recording what a patient said, with its evidence."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import IO

from django.db import transaction
from django.db.models import Max

from sharing.blobs import new_key, scratch, store, sync
from sharing.consent.errors import ConsentInvalid, ConsentNotFound, EvidenceInvalid
from sharing.consent.models import Consent, Evidence, Grantee, Term
from sharing.consent.rules import (
    EVIDENCE_MAX_BYTES,
    NEXT,
    Axis,
    ConsentEvent,
    ConsentState,
    Decision,
    GranteeKind,
    Performer,
    Verification,
    media_type_of,
)
from sharing.identity.models import Patient
from sharing.kernel.lifecycle import step
from sharing.kernel.purposes import Action, Purpose
from sharing.tenants.models import Organization, User
from sharing.tenants.rules import Actor, Duty
from sharing.tenants.services import require

from .logbook import log


@dataclass(frozen=True)
class Said:
    """What the patient said, as the form holds it."""

    decision: Decision
    starts_at: datetime
    ends_at: datetime | None
    purposes: frozenset[Purpose]
    actions: frozenset[Action]
    organizations: tuple[Organization, ...] = ()
    practitioners: tuple[User, ...] = ()
    named_by_custodian: bool = False
    studies: frozenset[str] = frozenset()
    modalities: frozenset[str] = frozenset()
    performing_organizations: frozenset[str] = frozenset()
    data_from: date | None = None
    data_until: date | None = None
    performer: Performer = Performer.SELF
    performer_name: str = ""
    verification: Verification = Verification.PAPER
    witness: str = ""
    language: str = "en"
    evidence: IO[bytes] | None = field(default=None, compare=False)


@transaction.atomic
def record_consent(*, patient: Patient, said: Said, by: Actor, at: datetime) -> Consent:
    """Record and activate a consent of the actor's own patient, with its evidence.

    Raises NotAllowed, ConsentInvalid when it says too little, EvidenceInvalid for a document
    that is neither PDF nor picture.
    """
    require(by, Duty.RECORD_CONSENT)
    _check(patient, said, by)
    consent = _write(patient, said, by, at)
    if said.evidence is not None:
        _attach(consent, said.evidence)
    elif said.verification == Verification.PAPER:
        raise EvidenceInvalid("Attach the signed form.")
    consent.state = step(NEXT, ConsentState(consent.state), ConsentEvent.ACTIVATE).value
    consent.save(update_fields=["state"])
    log(by.who, "consent.record", consent, at)
    return consent


def _check(patient: Patient, said: Said, by: Actor) -> None:
    if patient.organization_id != by.organization_id:
        raise ConsentNotFound()
    if not (said.organizations or said.practitioners or said.named_by_custodian):
        raise ConsentInvalid("Choose to whom the consent speaks.")
    if not said.purposes or not said.actions:
        raise ConsentInvalid("Choose a purpose and what may be done.")
    if said.ends_at is not None and said.ends_at <= said.starts_at:
        raise ConsentInvalid("The consent must end after it starts.")
    if said.verification == Verification.VERBAL and not said.witness:
        raise ConsentInvalid("A spoken consent needs a witness.")


def _write(patient: Patient, said: Said, by: Actor, at: datetime) -> Consent:
    custodian = Organization.objects.select_for_update().get(pk=by.organization_id)
    last = Consent.objects.filter(custodian=custodian).aggregate(last=Max("number"))["last"]
    consent = Consent.objects.create(
        number=(last or 1000) + 1,
        custodian=custodian,
        patient=patient,
        decision=said.decision,
        starts_at=said.starts_at,
        ends_at=said.ends_at,
        data_from=said.data_from,
        data_until=said.data_until,
        performer=said.performer,
        performer_name=said.performer_name,
        verification=said.verification,
        witness=said.witness,
        language=said.language,
        recorded_by=by.name,
        recorded_at=at,
    )
    Grantee.objects.bulk_create(_grantees(consent, said))
    Term.objects.bulk_create(_terms(consent, said))
    return consent


def _grantees(consent: Consent, said: Said) -> Iterable[Grantee]:
    for organization in said.organizations:
        yield Grantee(consent=consent, kind=GranteeKind.ORGANIZATION, organization=organization)
    for user in said.practitioners:
        yield Grantee(consent=consent, kind=GranteeKind.PRACTITIONER, user=user)
    if said.named_by_custodian:
        yield Grantee(consent=consent, kind=GranteeKind.NAMED_BY_CUSTODIAN)


def _terms(consent: Consent, said: Said) -> Iterable[Term]:
    axes: dict[str, Iterable[str]] = {
        "purpose": said.purposes,
        "action": said.actions,
        Axis.STUDY: said.studies,
        Axis.MODALITY: said.modalities,
        Axis.PERFORMING_ORGANIZATION: said.performing_organizations,
    }
    return (
        Term(consent=consent, axis=str(axis), value=str(value))
        for axis, values in axes.items()
        for value in sorted(values)
    )


def _attach(consent: Consent, document: IO[bytes]) -> None:
    """Keep the document durably before the consent that names it is committed."""
    with scratch() as copy:
        digest, size = hashlib.sha256(), 0
        media_type = None
        while piece := document.read(256 * 1024):
            media_type = media_type or media_type_of(piece[:16])
            size += len(piece)
            if media_type is None or size > EVIDENCE_MAX_BYTES:
                raise EvidenceInvalid()
            digest.update(piece)
            copy.write(piece)
        if media_type is None:
            raise EvidenceInvalid()
        sync(copy)
        key = new_key(consent.custodian.code, "consents", "bin")
        store().adopt(key, Path(copy.name))
    Evidence.objects.create(
        consent=consent, blob=key, sha256=digest.hexdigest(), size=size, media_type=media_type
    )
