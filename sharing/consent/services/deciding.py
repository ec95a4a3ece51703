"""What the patient reads on their own phone, and their word: signed, refused, or withdrawn."""

from dataclasses import replace
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from sharing.consent.errors import (
    ConsentInvalid,
    PhoneNotNow,
    PhoneOver,
    ProxyInvalid,
    SignatureInvalid,
)
from sharing.consent.models import Consent, PhoneSession, Statement
from sharing.consent.rules import (
    PhoneEvent,
    PhoneKind,
    PhoneState,
    Stroke,
    side_by_side,
    strokes_of,
)
from sharing.kernel.lifecycle import NotNow
from sharing.tenants.errors import NotAllowed
from sharing.tenants.rules import Actor, Duty
from sharing.tenants.services import acting_again, require

from .documents import paper_of
from .drafts import seen_in, unpacked
from .ending import revoke_consent
from .phones import locked, log, move, phone_of, sessions, who_holds
from .reading import bytes_of
from .readings import Reading, reading_of
from .recording import record_consent
from .saying import Said, said_by

NAME_MOST = 120
BY_PHONE = "The patient withdrew it on their own phone."
BY_OTHER = "Who speaks for the patient withdrew it on their own phone."


def reading_on(session: PhoneSession, *, language: str, at: datetime) -> Reading:
    """What stands on the phone, in the language chosen there."""
    draft = session.draft
    said = unpacked(draft, at=at, language=language) if draft else said_by(_consent(session))
    studies = seen_in(draft) if draft else []
    return reading_of(
        said,
        patient=session.patient,
        custodian=session.custodian,
        language=language,
        studies=studies,
        name=said.shown,
    )


def sign_on_phone(*, secret: str, drawn: str, language: str, at: datetime) -> Consent | None:
    """The patient agreed and signed: the consent is in force, with the record of what was shown.

    Of two guardians the first signs, and nothing holds (None) until the second did. Raises
    PhoneOver, NotNow, SignatureInvalid, and PhoneNotNow when the clerk may not any more.
    """
    session = phone_of(secret, at=at)
    strokes = strokes_of(drawn)
    if strokes is None:
        raise SignatureInvalid()
    if session.state != PhoneState.OPENED or not session.draft:
        raise NotNow()
    clerk = _clerk(session)
    if session.second:
        return _half_signed(session, drawn, language, at)
    said = unpacked(session.draft, at=at, language=language)
    said, strokes = _with_first(session, said, strokes)
    reading = reading_on(session, language=language, at=at)
    paper = paper_of(
        reading, told=said, by=clerk.name, at=at, reference=session.public_id, strokes=strokes
    )
    said = replace(said, statement=paper, verified_by=clerk.name, verified_at=at)
    return _signed(session, said, drawn, clerk, at)


def _with_first(
    session: PhoneSession, said: Said, strokes: tuple[Stroke, ...]
) -> tuple[Said, tuple[Stroke, ...]]:
    """Where this is the second guardian: in both names, with both signatures. Raises NotNow."""
    first = _first_of(session, sessions())
    if first is None:
        return said, strokes
    names = [(each.draft or {}).get("performer_name", "") for each in (first, session)]
    both = side_by_side(strokes_of(first.signature) or (), strokes)
    return replace(said, performer_name=" and ".join(names)[:NAME_MOST]), both


def _first_of(session: PhoneSession, found: QuerySet[PhoneSession]) -> PhoneSession | None:
    """Of a second guardian's: what the first one signed. Raises NotNow where that is not there."""
    name = (session.draft or {}).get("first")
    if not name:
        return None
    first = found.filter(public_id=name, patient=session.patient_id).first()
    if first is None or not first.half:
        raise NotNow()
    return first


@transaction.atomic
def _signed(session: PhoneSession, said: Said, drawn: str, clerk: Actor, at: datetime) -> Consent:
    held = _held(session, at)
    try:
        consent = record_consent(patient=held.patient, said=said, by=clerk, at=at)
    except (ConsentInvalid, ProxyInvalid) as error:
        raise PhoneNotNow() from error
    held.consent, held.signature, held.language = consent, drawn, said.language
    first = _first_of(held, sessions().select_for_update(of=("self",)))
    if first is not None:
        PhoneSession.objects.filter(pk=first.pk).update(consent=consent)
    move(held, PhoneEvent.SIGN, at)
    log(who_holds(held), "phone.sign", held, at)
    return consent


@transaction.atomic
def _half_signed(session: PhoneSession, drawn: str, language: str, at: datetime) -> None:
    """The first of two: kept, and nothing is permitted by it."""
    held = _held(session, at)
    _clerk(held)
    held.signature, held.language = drawn, language
    move(held, PhoneEvent.SIGN, at)
    log(who_holds(held), "phone.sign", held, at)


@transaction.atomic
def refuse_on_phone(*, secret: str, at: datetime) -> None:
    """The patient said no: nothing is permitted, the clerk sees it. Raises PhoneOver, NotNow."""
    held = _held(phone_of(secret, at=at), at)
    if held.kind != PhoneKind.CONSENT:
        raise NotNow()
    move(held, PhoneEvent.REFUSE, at)
    log(who_holds(held), "phone.refuse", held, at)


@transaction.atomic
def withdraw_on_phone(*, secret: str, at: datetime) -> None:
    """The patient withdraws the consent that they see: at once, and for good.

    Raises PhoneOver, NotNow, and PhoneNotNow when the clerk may not any more.
    """
    held = _held(phone_of(secret, at=at), at)
    if held.kind != PhoneKind.WITHDRAWAL:
        raise NotNow()
    why = BY_OTHER if held.for_other else BY_PHONE
    revoke_consent(consent=_consent(held), by=_clerk(held), why=why, at=at)
    move(held, PhoneEvent.WITHDRAW, at)
    log(who_holds(held), "phone.withdraw", held, at)


def statement_on(session: PhoneSession, *, at: datetime) -> tuple[Statement, bytes]:
    """The record of what was shown, for the patient who holds the phone. Raises PhoneOver."""
    statement = Statement.objects.filter(consent=session.consent_id).first()
    if statement is None:
        raise PhoneOver()
    log(who_holds(session), "phone.read_statement", session, at)
    return statement, bytes_of(statement)


def _held(session: PhoneSession, at: datetime) -> PhoneSession:
    """The same under a lock, still open. Raises NotNow."""
    held = locked(pk=session.pk)[0]
    if held.state != PhoneState.OPENED or held.expires_at <= at:
        raise NotNow()
    return held


def _clerk(session: PhoneSession) -> Actor:
    """Who issued the code, as they are now. Raises PhoneNotNow."""
    clerk = acting_again(
        session.issued_by,
        organization_id=session.custodian_id,
        purpose=session.issued_for,
        assured=session.issued_assured,
    )
    try:
        if clerk is None:
            raise NotAllowed()
        require(clerk, Duty.RECORD_CONSENT)
    except NotAllowed as error:
        raise PhoneNotNow() from error
    return clerk


def _consent(session: PhoneSession) -> Consent:
    if session.consent is None:
        raise PhoneOver()
    return session.consent
