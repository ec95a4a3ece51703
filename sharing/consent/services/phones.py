"""Codes for patients' phones as rows: found, locked, moved on, and told of in the log."""

from datetime import datetime

from django.db.models import QuerySet

from sharing.audit.rules import What, Who
from sharing.audit.services import record
from sharing.consent.errors import PhoneOver
from sharing.consent.models import PhoneSession
from sharing.consent.rules import PHONE_NEXT, PhoneEvent, PhoneState
from sharing.identity.models import Patient
from sharing.kernel.lifecycle import step
from sharing.kernel.tokens import fingerprint
from sharing.tenants.rules import Actor

PATIENT = Who(kind="patient", name="The patient")
SPEAKER = Who(kind="patient", name="Who speaks for the patient")


def phone_of(secret: str, *, at: datetime) -> PhoneSession:
    """What the phone with that secret holds, decided or not. Raises PhoneOver."""
    found = sessions().filter(cookie_sha256=fingerprint(secret)).first() if secret else None
    if found is None or found.expires_at <= at or found.state == PhoneState.CANCELLED:
        raise PhoneOver()
    return found


def refused_on_phone(actor: Actor, *, patient: Patient) -> QuerySet[PhoneSession]:
    """What an own patient was asked on a phone and said no to, newest first."""
    refused = sessions().filter(patient=patient, state=PhoneState.REFUSED)
    return refused.filter(custodian_id=actor.organization_id).order_by("-ended_at")


def who_holds(session: PhoneSession) -> Who:
    """Who opened it, as the access log names them: the patient, or who speaks for the patient."""
    return SPEAKER if session.for_other else PATIENT


def move(session: PhoneSession, event: PhoneEvent, at: datetime) -> None:
    """It ends by that event. Raises NotNow."""
    session.state, session.ended_at = step(PHONE_NEXT, PhoneState(session.state), event), at
    session.save(update_fields=["state", "ended_at", "consent", "signature", "language"])


def sessions() -> QuerySet[PhoneSession]:
    """All, with what is said of them."""
    related = ("patient", "patient__organization", "custodian", "consent", "issued_by")
    return PhoneSession.objects.select_related(*related)


def locked(**which: object) -> list[PhoneSession]:
    """Those, to be changed by this transaction alone."""
    return list(sessions().filter(**which).select_for_update(of=("self",)).order_by("pk"))


def log(who: Who, action: str, session: PhoneSession, at: datetime) -> None:
    """Record an event about it, by value."""
    consent = session.consent
    detail = {"phone": session.public_id} | ({"consent": consent.key} if consent else {})
    what = What(custodian=session.custodian.code, patient=session.patient.public_id, detail=detail)
    record(who=who, action=action, at=at, what=what)
