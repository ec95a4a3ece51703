"""Recording what a patient said, with its evidence; a change is a new version that supersedes."""

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO

from django.db import transaction
from django.db.models import Max

from sharing.blobs import new_key, scratch, store, sync
from sharing.consent.errors import ConsentInvalid, EvidenceInvalid
from sharing.consent.models import Consent, Evidence, Grantee, Term
from sharing.consent.rules import (
    EVIDENCE_MAX_BYTES,
    NEXT,
    WITHOUT_DOCUMENT,
    ConsentEvent,
    ConsentState,
    Decision,
    Force,
    Performer,
    Verification,
    media_type_of,
    no_narrower,
)
from sharing.identity.models import Patient
from sharing.kernel.lifecycle import NotNow, step
from sharing.kernel.purposes import Action, Purpose
from sharing.outbox.services import promise
from sharing.tenants.models import Organization, User
from sharing.tenants.rules import Actor, Duty
from sharing.tenants.services import region_settings, require

from .checking import (
    check,
    lapse_of,
    not_what_keeps_them_away,
    one_who_said_no_or_the_patient,
)
from .documents import keep_statement
from .logbook import log
from .saying import EVERYONE, Said, Told, said_by


@transaction.atomic
def record_consent(*, patient: Patient, said: Said, by: Actor, at: datetime) -> Consent:
    """Record and activate a consent of the actor's own patient, with its evidence.

    Raises NotAllowed, ConsentInvalid when it says too little or contradicts itself, ProxyInvalid
    when who speaks may not, EvidenceInvalid for a document that is neither PDF nor picture.
    """
    require(by, Duty.RECORD_CONSENT)
    check(patient, said, by, at)
    custodian = _locked(by)
    last = Consent.objects.filter(custodian=custodian).aggregate(last=Max("number"))["last"]
    blank = Consent(number=(last or 1000) + 1, since=max(said.starts_at, at))
    consent = _written(blank, custodian, patient, said, by, at)
    _activate(consent)
    log(by.who, "consent.record", consent, at)
    _recall_refused(consent, at)
    return consent


@transaction.atomic
def amend_consent(*, consent: Consent, said: Said, by: Actor, at: datetime) -> Consent:
    """A new version with the same number; the old one is superseded in the same transaction.

    Shares made under the old version go on only where the new one permits all that it permitted. A
    refusal permitted nothing, and one in the place of a permit withdraws it.
    Raises what `record_consent` raises; NotNow when the version is no longer the last that stands;
    ProxyInvalid when one guardian would change what another one refused.
    """
    require(by, Duty.RECORD_CONSENT)
    custodian = _locked(by)
    old = Consent.objects.select_for_update().get(pk=consent.pk, custodian=custodian)
    check(old.patient, said, by, at)
    before = said_by(old)
    not_what_keeps_them_away(old, by)
    one_who_said_no_or_the_patient(before, said)
    if said.maximum_uses is not None and said.maximum_uses < old.used:
        raise ConsentInvalid("It was used more often than that already.")
    same = before.decision == said.decision
    goes_on = same and no_narrower(said.extent, before.extent)
    narrowed = before.decision == Decision.PERMIT and not goes_on
    goes_on = goes_on and _stands(old, at)
    superseded = step(NEXT, ConsentState(old.state), ConsentEvent.SUPERSEDE)
    blank = Consent(
        number=old.number,
        version=old.version + 1,
        supersedes=old,
        since=old.since if goes_on and said.starts_at <= at else max(said.starts_at, at),
        used=old.used,
    )
    amended = _written(blank, custodian, old.patient, said, by, at)
    old.state, old.ended_by, old.ended_at = superseded, by.name, at
    old.ended_why = f"Version {amended.version} supersedes it."
    old.save(update_fields=["state", "ended_by", "ended_at", "ended_why"])
    _activate(amended)
    log(by.who, "consent.amend", amended, at)
    if not goes_on:
        promise("notify.tell_revoked", at=at, consent_id=old.pk)
    if narrowed:
        promise("notify.recall", at=at, consent_id=old.pk)
    _recall_refused(amended, at)
    return amended


def _recall_refused(consent: Consent, at: datetime) -> None:
    """What left before the patient refused it is recalled, once the refusal begins."""
    if consent.decision == Decision.DENY:
        begins = max(consent.starts_at - at, timedelta(0))
        promise("notify.recall", at=at, delay=begins, consent_id=consent.pk)


@transaction.atomic
def reaffirm(*, consent: Consent, told: Told, by: Actor, at: datetime) -> Consent:
    """The patient, now of age or able again, says the same in their own name: a new version.

    Raises NotNow unless it waits for that, ConsentInvalid when somebody else speaks, and what
    `amend_consent` raises.
    """
    fresh = Consent.objects.get(pk=consent.pk, custodian_id=by.organization_id)
    waits = fresh.state == ConsentState.NEEDS_REAFFIRMATION or not _stands(fresh, at)
    if told.performer != Performer.SELF or not waits:
        raise NotNow()
    said = replace(said_by(fresh), starts_at=at, **told.as_said)
    return amend_consent(consent=fresh, said=said, by=by, at=at)


def exclude_person(*, patient: Patient, user: User, told: Told, by: Actor, at: datetime) -> Consent:
    """Keep a person away from all that the custodian holds of a patient, own staff included.

    Neither consents nor an emergency open it to them. It ends when it is revoked. Raises what
    `record_consent` raises.
    """
    said = _refusal(Force.EXCLUSION, told, at)
    said = replace(said, practitioners=(user,))
    return record_consent(patient=patient, said=said, by=by, at=at)


def opt_out(*, patient: Patient, told: Told, by: Actor, at: datetime) -> Consent:
    """Nobody but the custodian's own treating staff, not in an emergency either, until revoked.

    Raises what `record_consent` raises.
    """
    said = replace(_refusal(Force.OPT_OUT, told, at), others=(EVERYONE,))
    return record_consent(patient=patient, said=said, by=by, at=at)


def _refusal(force: Force, told: Told, at: datetime) -> Said:
    return Said(
        decision=Decision.DENY,
        force=force,
        starts_at=at,
        ends_at=None,
        purposes=frozenset(Purpose),
        actions=frozenset(Action),
        **told.as_said,
    )


def _locked(by: Actor) -> Organization:
    """Numbers and versions are given under the custodian's lock."""
    return Organization.objects.select_for_update().get(pk=by.organization_id)


def _stands(consent: Consent, at: datetime) -> bool:
    return Consent.objects.in_force(at).filter(pk=consent.pk).exists()


def _activate(consent: Consent) -> None:
    consent.state = step(NEXT, ConsentState(consent.state), ConsentEvent.ACTIVATE).value
    consent.save(update_fields=["state"])


def _written(
    blank: Consent, custodian: Organization, patient: Patient, said: Said, by: Actor, at: datetime
) -> Consent:
    """A draft with all that it says and its document: complete before it speaks."""
    consent = blank
    consent.custodian, consent.patient = custodian, patient
    consent.decision, consent.force = said.decision, said.force
    consent.starts_at, consent.ends_at = said.starts_at, said.ends_at
    consent.lapses_at = lapse_of(patient, said, majority=region_settings().majority)
    consent.data_from, consent.data_until = said.data_from, said.data_until
    consent.performer, consent.performer_name = said.performer, _speaker(said)
    consent.proxy = said.proxy
    consent.verification, consent.witness = said.verification, said.witness
    consent.verified_by = said.verified_by or by.name
    consent.verified_at = said.verified_at or at
    consent.language, consent.shown = said.language, said.shown
    consent.obligations = "".join(["|", *(f"{each}|" for each in sorted(said.obligations))])
    consent.maximum_uses = said.maximum_uses
    consent.recorded_by, consent.recorded_at = by.name, at
    consent.save(force_insert=True)
    Grantee.objects.bulk_create(_grantees(consent, said))
    Term.objects.bulk_create(_terms(consent, said))
    _keep(consent, said)
    return consent


def _speaker(said: Said) -> str:
    return said.proxy.name if said.proxy else said.performer_name


def _grantees(consent: Consent, said: Said) -> Iterable[Grantee]:
    for excepted, named in ((False, said.named), (True, said.excepted)):
        for whom in named:
            yield Grantee(
                consent=consent,
                kind=whom.kind,
                organization=whom.organization,
                user=whom.user,
                team=whom.team,
                role=whom.role or "",
                excepted=excepted,
            )


def _terms(consent: Consent, said: Said) -> Iterable[Term]:
    axes: dict[str, Iterable[str]] = {"purpose": said.purposes, "action": said.actions}
    axes |= {str(axis): values for axis, values in said.limits.items()}
    return (
        Term(consent=consent, axis=axis, value=str(value))
        for axis, values in axes.items()
        for value in sorted(values)
    )


def _keep(consent: Consent, said: Said) -> None:
    if said.statement is not None:
        keep_statement(consent, said.statement)
    if said.evidence is not None:
        _attach(consent, said.evidence)
    elif said.verification == Verification.QR and said.statement is not None:
        return  # the finger signed what was shown: both are one document
    elif said.verification not in WITHOUT_DOCUMENT:
        raise EvidenceInvalid("Attach the signed form.")


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
