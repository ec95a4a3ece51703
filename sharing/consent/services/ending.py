"""Ending a consent: withdrawn by the patient, run out, or said by who may no longer speak."""

from dataclasses import replace
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from sharing.audit.rules import SYSTEM
from sharing.consent.errors import ConsentNotFound
from sharing.consent.models import Consent, Proxy
from sharing.consent.rules import GUARDIANS, NEXT, ConsentEvent, ConsentState, of_age_on
from sharing.kernel.lifecycle import step
from sharing.outbox.services import promise
from sharing.tenants.rules import Actor, Duty
from sharing.tenants.services import region_settings, require

from .checking import not_what_keeps_them_away, one_who_said_no_or_the_patient
from .logbook import keep_consent, log
from .saying import Told, said_by

STANDING = (ConsentState.ACTIVE, ConsentState.NEEDS_REAFFIRMATION)


@transaction.atomic
def revoke_consent(
    *, consent: Consent, by: Actor, why: str, at: datetime, told: Told | None = None
) -> Consent:
    """The patient withdrew it: effective at commit, and final.

    `told` is who withdrew it, where that is another than the patient. Raises NotAllowed,
    ConsentNotFound for another's, NotNow, ProxyInvalid when one guardian withdraws what another
    one refused.
    """
    require(by, Duty.RECORD_CONSENT)
    if told is not None:
        before = said_by(consent)
        one_who_said_no_or_the_patient(before, replace(before, **told.as_said))
    ended = _end(consent.pk, ConsentEvent.REVOKE, by, why, at)
    log(by.who, "consent.revoke", ended, at)
    promise("notify.tell_revoked", at=at, consent_id=ended.pk)
    promise("notify.recall", at=at, consent_id=ended.pk)
    return ended


@transaction.atomic
def mark_error(*, consent: Consent, by: Actor, why: str, at: datetime) -> Consent:
    """It should never have been recorded: it speaks no more, and stays to be read.

    Raises NotAllowed, ConsentNotFound for another's, NotNow.
    """
    require(by, Duty.RECORD_CONSENT)
    ended = _end(consent.pk, ConsentEvent.MARK_ERROR, by, why, at)
    log(by.who, "consent.mark_error", ended, at)
    promise("notify.tell_revoked", at=at, consent_id=ended.pk)
    promise("notify.recall", at=at, consent_id=ended.pk)
    return ended


@transaction.atomic
def expire_consents(*, at: datetime) -> int:
    """Mark what has run out. Access ended by the clock already; this is book-keeping."""
    over = Consent.objects.filter(state__in=STANDING, ends_at__lte=at)
    return over.update(state=ConsentState.EXPIRED, ended_at=at, ended_by="The portal")


@transaction.atomic
def lapse_consents(*, at: datetime) -> int:
    """Mark what waits for the patient's own word: of age by now, or the proxy ended.

    Access ended by the clock already, with `lapses_at`; a birth date that became known after the
    consent was given is looked at here. How many are marked.
    """
    _notice_birth_dates(at)
    over = Consent.objects.select_for_update().filter(state=ConsentState.ACTIVE, lapses_at__lte=at)
    lapsed = list(over.select_related("custodian", "patient").order_by("pk"))
    for consent in lapsed:
        consent.state = step(NEXT, ConsentState(consent.state), ConsentEvent.LAPSE).value
        consent.save(update_fields=["state"])
        log(SYSTEM, "consent.lapse", consent, at)
    return len(lapsed)


@transaction.atomic
def end_proxy(*, proxy: Proxy, by: Actor, why: str, at: datetime) -> int:
    """Somebody no longer speaks for the patient; what they said waits for the patient's word.

    How many consents wait. Raises NotAllowed.
    """
    require(by, Duty.RECORD_CONSENT)
    known = Proxy.objects.select_for_update().filter(
        Q(ends_at=None) | Q(ends_at__gt=at),
        pk=proxy.pk,
        patient__organization_id=by.organization_id,
    )
    if known.update(ends_at=at, ended_by=by.name, ended_why=why):
        said = Consent.objects.filter(proxy=proxy, state=ConsentState.ACTIVE)
        for consent in said.filter(Q(lapses_at=None) | Q(lapses_at__gt=at)):
            keep_consent(consent, at)
            consent.lapses_at = at
            consent.save(update_fields=["lapses_at"])
    return lapse_consents(at=at)


def _notice_birth_dates(at: datetime) -> None:
    unaware = Consent.objects.filter(
        state=ConsentState.ACTIVE,
        lapses_at=None,
        performer__in=sorted(GUARDIANS),
        patient__birth_date__isnull=False,
    ).select_related("patient")
    majority = region_settings().majority
    for consent in unaware:
        if consent.patient.birth_date is not None:
            keep_consent(consent, at)
            consent.lapses_at = of_age_on(consent.patient.birth_date, majority)
            consent.save(update_fields=["lapses_at"])


def _end(consent_id: int, event: ConsentEvent, by: Actor, why: str, at: datetime) -> Consent:
    rows = Consent.objects.select_for_update()
    consent = rows.filter(pk=consent_id, custodian_id=by.organization_id).first()
    if consent is None:
        raise ConsentNotFound()
    not_what_keeps_them_away(consent, by)
    consent.state = step(NEXT, ConsentState(consent.state), event).value
    consent.ended_by, consent.ended_at, consent.ended_why = by.name, at, why
    consent.save(update_fields=["state", "ended_by", "ended_at", "ended_why"])
    return consent
