"""How the access log tells of a consent."""

from datetime import datetime

from sharing.audit.rules import What, Who
from sharing.audit.services import record
from sharing.consent.models import Consent


def log(who: Who, action: str, consent: Consent, at: datetime) -> None:
    """Record an event about a consent, by value."""
    what = What(
        custodian=consent.custodian.code,
        patient=consent.patient.public_id,
        detail={"consent": consent.key},
    )
    record(who=who, action=action, at=at, what=what)
