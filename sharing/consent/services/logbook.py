"""How the access log tells of a consent, and how what changes of one is kept."""

from datetime import datetime

from sharing.audit.rules import What, Who
from sharing.audit.services import keep_past, record
from sharing.consent.models import Consent


def log(who: Who, action: str, consent: Consent, at: datetime) -> None:
    """Record an event about a consent, by value."""
    what = What(
        custodian=consent.custodian.code,
        patient=consent.patient.public_id,
        detail={"consent": consent.key},
    )
    record(who=who, action=action, at=at, what=what)


def keep_consent(consent: Consent, at: datetime) -> None:
    """What of a version changes while it stands, as it was until now: what it said never does."""
    lapses = consent.lapses_at.isoformat() if consent.lapses_at else None
    keep_past(kind="consent", key=consent.public_id, value={"lapses_at": lapses}, at=at)
