"""Pat at the desk with a phone: what the tests of codes, pages and attacks share."""

from datetime import date, datetime, timedelta
from typing import Any

from sharing.consent.models import PhoneSession
from sharing.consent.rules import Decision, Verification
from sharing.consent.services import (
    Said,
    code_of,
    issue_phone,
    open_phone,
    reading_of,
    sign_on_phone,
)
from sharing.kernel.purposes import Action, Purpose
from tests.cast import Region

BORN = date(1958, 5, 3)
DRAWN = "100,300 180,80 260,300;300,200 360,120 420,210"


def said(region: Region, **changes: Any) -> Said:
    """What Mei filled in: Hilltop may view images for treatment, for 90 days."""
    values = {
        "decision": Decision.PERMIT,
        "organizations": (region.hilltop,),
        "starts_at": region.at,
        "ends_at": region.at + timedelta(days=90),
        "purposes": frozenset({Purpose.TREATMENT}),
        "actions": frozenset(Action.IMAGES.ladder),
        "verification": Verification.QR,
    } | changes
    return Said(**values)


def issue(region: Region, language: str = "en", **changes: Any) -> PhoneSession:
    """Mei shows Pat the picture."""
    words = said(region, **changes)
    reading = reading_of(words, patient=region.pat, custodian=region.riverside, language=language)
    return issue_phone(
        patient=region.pat, said=words, reading=reading, studies=[], by=region.mei.actor,
        at=region.at,
    )  # fmt: skip


def proofs(session: PhoneSession, **wrong: Any) -> dict[str, Any]:
    """The three proofs, right unless said otherwise."""
    code = code_of(session)
    return {"token": code.token, "born": BORN, "digits": code.digits} | wrong


def opened(region: Region, session: PhoneSession, at: datetime | None = None) -> str:
    """Pat opened it: the secret of the phone."""
    return open_phone(**proofs(session), at=at or region.at)


def signed(region: Region, session: PhoneSession, **more: Any) -> Any:
    """Pat opened it and signed."""
    values = {"drawn": DRAWN, "language": "en", "at": region.at} | more
    return sign_on_phone(secret=opened(region, session), **values)
