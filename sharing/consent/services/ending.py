"""Ending a consent: withdrawn by the patient, or run out."""

from datetime import datetime

from django.db import transaction

from sharing.consent.models import Consent
from sharing.consent.rules import NEXT, ConsentEvent, ConsentState
from sharing.kernel.lifecycle import step
from sharing.outbox.services import promise
from sharing.tenants.rules import Actor, Duty
from sharing.tenants.services import require

from .logbook import log


@transaction.atomic
def revoke_consent(*, consent: Consent, by: Actor, why: str, at: datetime) -> Consent:
    """The patient withdrew it: effective at commit, and final. Raises NotAllowed, NotNow."""
    require(by, Duty.RECORD_CONSENT)
    ended = _end(consent.pk, ConsentEvent.REVOKE, by.name, why, at, by.organization_id)
    log(by.who, "consent.revoke", ended, at)
    promise("notify.tell_revoked", at=at, consent_id=ended.pk)
    return ended


@transaction.atomic
def expire_consents(*, at: datetime) -> int:
    """Mark what has run out. Access ended by the clock already; this is book-keeping."""
    over = Consent.objects.filter(state=ConsentState.ACTIVE, ends_at__lte=at)
    return over.update(state=ConsentState.EXPIRED, ended_at=at, ended_by="The portal")


def _end(
    consent_id: int, event: ConsentEvent, who: str, why: str, at: datetime, custodian_id: int
) -> Consent:
    consent = Consent.objects.select_for_update().get(pk=consent_id, custodian_id=custodian_id)
    consent.state = step(NEXT, ConsentState(consent.state), event).value
    consent.ended_by, consent.ended_at, consent.ended_why = who, at, why
    consent.save(update_fields=["state", "ended_by", "ended_at", "ended_why"])
    return consent
