"""A code for the patient's own phone: issued by a clerk, opened once with three proofs.

The code (80 bits) and the six digits are made from the portal's key and the session's public id;
only fingerprints are stored. A wrong try answers the same whatever was wrong.
"""

import base64
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils.crypto import salted_hmac

from sharing.audit.rules import ANONYMOUS
from sharing.consent.errors import ConsentInvalid, ConsentNotFound, PhoneOver, PhoneWrong
from sharing.consent.models import Consent, PhoneSession
from sharing.consent.rules import (
    GUARDIANS,
    LIVING,
    PHONE_MINUTES,
    PHONE_NEXT,
    SECOND_WITHIN,
    TRIES_MOST,
    ConsentState,
    PhoneEvent,
    PhoneKind,
    PhoneState,
)
from sharing.identity.models import Patient
from sharing.kernel.lifecycle import NotNow, step
from sharing.kernel.tokens import fingerprint, new_secret, public_id
from sharing.tenants.rules import Actor, Duty
from sharing.tenants.services import require

from .checking import check
from .drafts import packed
from .phones import locked, log, move, sessions, who_holds
from .readings import Reading, Seen
from .saying import Said


@dataclass(frozen=True)
class PhoneCode:
    """What the clerk's page shows: for the picture, for the hand, and to be told."""

    token: str
    digits: str

    @property
    def in_groups(self) -> str:
        """`K7QM-2XVB-9TRD-5HNC`, to be typed."""
        return "-".join(self.token[place : place + 4] for place in range(0, len(self.token), 4))


def code_of(session: PhoneSession) -> PhoneCode:
    """The code and the digits of a session, made anew from the portal's key."""
    return _code(session.public_id)


def _code(name: str) -> PhoneCode:
    token, digits = (
        salted_hmac(f"sharing.consent.phone.{part}", name, algorithm="sha256").digest()
        for part in ("token", "digits")
    )
    number = int.from_bytes(digits[:8], "big") % 1_000_000
    return PhoneCode(base64.b32encode(token[:10]).decode("ascii"), f"{number:06}")


@transaction.atomic
def issue_phone(
    *,
    patient: Patient,
    said: Said,
    reading: Reading,
    studies: list[Seen],
    by: Actor,
    at: datetime,
    filled_in: Mapping[str, list[str]] | None = None,
    second: str = "",
) -> PhoneSession:
    """A code for the patient to read `said` and decide; what they read is frozen.

    `filled_in` is the clerk's form, to be given back when the code is cancelled. `second`: the
    other guardian, without whose signature on a second phone nothing holds. An earlier code of the
    patient ends. Raises NotAllowed, ConsentInvalid, ProxyInvalid.
    """
    require(by, Duty.RECORD_CONSENT)
    check(patient, said, by, at)
    _check_second(said, second)
    draft = packed(said, studies=studies, shown=reading.name)
    draft |= {"filled_in": filled_in or {}, "second": second}
    return _issued(patient, PhoneKind.CONSENT, draft, None, reading.language, by, at)


@transaction.atomic
def issue_second(*, first: PhoneSession, by: Actor, at: datetime) -> PhoneSession:
    """The code for the second guardian, who reads the same. Raises NotAllowed, PhoneOver, NotNow
    for what waits for nobody, or was signed too long ago.
    """
    require(by, Duty.RECORD_CONSENT)
    held = next(iter(locked(pk=first.pk, custodian_id=by.organization_id)), None)
    if held is None:
        raise PhoneOver()
    if not held.half or held.ended_at is None or held.ended_at + SECOND_WITHIN <= at:
        raise NotNow()
    whose = {"performer_name": held.second, "first": held.public_id, "second": ""}
    draft = {**(held.draft or {}), **whose}
    return _issued(held.patient, PhoneKind.CONSENT, draft, None, held.language, by, at)


def _check_second(said: Said, second: str) -> None:
    if second and (said.performer not in GUARDIANS or second == said.performer_name):
        raise ConsentInvalid("Two parents or guardians sign together, each with their own name.")


@transaction.atomic
def issue_withdrawal(*, consent: Consent, by: Actor, at: datetime) -> PhoneSession:
    """A code for the patient to see a consent, and to withdraw it. Raises NotAllowed, NotNow."""
    require(by, Duty.RECORD_CONSENT)
    if consent.custodian_id != by.organization_id:
        raise ConsentNotFound()
    if consent.state != ConsentState.ACTIVE:
        raise NotNow()
    language = consent.language
    return _issued(consent.patient, PhoneKind.WITHDRAWAL, None, consent, language, by, at)


def _issued(
    patient: Patient,
    kind: PhoneKind,
    draft: dict[str, object] | None,
    consent: Consent | None,
    language: str,
    by: Actor,
    at: datetime,
) -> PhoneSession:
    if patient.birth_date is None or by.user_id is None:
        raise ConsentInvalid("The birth date is not known: it proves that it is the patient.")
    for earlier in locked(patient=patient, state__in=LIVING):
        move(earlier, PhoneEvent.CANCEL, at)
    name = public_id()
    code = _code(name)
    session = PhoneSession.objects.create(
        public_id=name,
        kind=kind,
        custodian=patient.organization,
        patient=patient,
        draft=draft,
        consent=consent,
        language=language,
        token_sha256=fingerprint(code.token),
        digits_sha256=fingerprint(f"{code.token}:{code.digits}"),
        issued_by_id=by.user_id,
        issued_for=by.purpose,
        issued_assured=by.assured,
        issued_at=at,
        expires_at=at + timedelta(minutes=PHONE_MINUTES),
    )
    log(by.who, "phone.issue", session, at)
    return session


def issued_phone(actor: Actor, *, public_id: str) -> PhoneSession:
    """A code of the acting organization's. Raises NotAllowed, PhoneOver."""
    require(actor, Duty.RECORD_CONSENT)
    found = sessions().filter(public_id=public_id, custodian_id=actor.organization_id).first()
    if found is None:
        raise PhoneOver()
    return found


@transaction.atomic
def cancel_phone(*, session: PhoneSession, by: Actor, at: datetime) -> None:
    """The clerk changes something: the code ends, also under the patient's eyes. Raises NotNow."""
    require(by, Duty.RECORD_CONSENT)
    held = locked(pk=session.pk, custodian_id=by.organization_id)[0]
    move(held, PhoneEvent.CANCEL, at)
    log(by.who, "phone.cancel", held, at)


def open_phone(*, token: str, born: date | None, digits: str, at: datetime) -> str:
    """Prove that it is the patient: the secret of the phone's cookie. Works once.

    Raises PhoneWrong, whatever was wrong.
    """
    secret = _tried(_typed(token), born, digits.strip(), at)
    if secret is None:
        raise PhoneWrong()
    return secret


@transaction.atomic
def _tried(token: str, born: date | None, digits: str, at: datetime) -> str | None:
    session = next(iter(locked(token_sha256=fingerprint(token))), None)
    if session is None or session.state != PhoneState.WAITING or session.expires_at <= at:
        return None
    known = hmac.compare_digest(session.digits_sha256, fingerprint(f"{token}:{digits}"))
    if not known or born is None or born != session.patient.birth_date:
        _count(session, at)
        return None
    secret = new_secret()
    session.state = step(PHONE_NEXT, PhoneState(session.state), PhoneEvent.OPEN)
    session.cookie_sha256, session.opened_at = fingerprint(secret), at
    session.save(update_fields=["state", "cookie_sha256", "opened_at"])
    log(who_holds(session), "phone.open", session, at)
    return secret


def _count(session: PhoneSession, at: datetime) -> None:
    """One wrong try more; the last one ends the code."""
    session.tries += 1
    session.save(update_fields=["tries"])
    log(ANONYMOUS, "phone.fail", session, at)
    if session.tries >= TRIES_MOST:
        move(session, PhoneEvent.LOCK, at)


def _typed(token: str) -> str:
    """As it is meant: whatever case and gaps, and the digits that look like letters."""
    letters = "".join(each for each in token.upper() if each.isascii() and each.isalnum())
    return letters.translate(str.maketrans("018", "OIB"))
