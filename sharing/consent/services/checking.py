"""Whether what was said can be recorded, and how long who said it may speak."""

from datetime import datetime
from itertools import chain

from django.db.models import Q, QuerySet

from sharing.consent.errors import ConsentInvalid, ConsentNotFound, ProxyInvalid
from sharing.consent.models import Consent, Proxy
from sharing.consent.rules import (
    GUARDIANS,
    Decision,
    Force,
    GranteeKind,
    Performer,
    Verification,
    contradicts,
    is_term,
    of_age_on,
)
from sharing.identity.models import Patient
from sharing.tenants.errors import NotAllowed
from sharing.tenants.rules import Actor
from sharing.tenants.services import region_settings

from .saying import Said


def check(patient: Patient, said: Said, by: Actor, at: datetime) -> None:
    """Raise ConsentNotFound for another's patient, ConsentInvalid or ProxyInvalid."""
    if patient.organization_id != by.organization_id:
        raise ConsentNotFound()
    wrong = _incomplete(said) or _contradictory(said)
    if wrong:
        raise ConsentInvalid(wrong)
    _check_speaker(patient, said, at)


def lapse_of(patient: Patient, said: Said, *, majority: int) -> datetime | None:
    """When who spoke may no longer speak: the proxy's end, or the patient's majority."""
    ends = [said.proxy.ends_at] if said.proxy and said.proxy.ends_at else []
    if said.performer in GUARDIANS and patient.birth_date is not None:
        ends.append(of_age_on(patient.birth_date, majority))
    return min(ends, default=None)


def not_what_keeps_them_away(consent: Consent, by: Actor) -> None:
    """Nobody lifts an exclusion of themselves: a colleague records it. Raises NotAllowed."""
    mine = consent.grantees.filter(user_id=by.user_id) if by.user_id else consent.grantees.none()
    if consent.force == Force.EXCLUSION and mine.exists():
        raise NotAllowed()


def one_who_said_no_or_the_patient(before: Said, now: Said) -> None:
    """Two guardians who disagree: the most restrictive holds. Raises ProxyInvalid."""
    if before.decision != Decision.DENY or Performer.SELF in (before.performer, now.performer):
        return
    if (before.proxy, before.performer_name) != (now.proxy, now.performer_name or _name(now)):
        raise ProxyInvalid("Somebody else refused for the patient. Only they can change it.")


def _name(said: Said) -> str:
    return said.proxy.name if said.proxy else ""


def _incomplete(said: Said) -> str:
    if not any(True for _ in said.named):
        return "Choose to whom the consent speaks."
    if not said.purposes or not said.actions:
        return "Choose a purpose and what may be done."
    if said.verification == Verification.VERBAL and not said.witness:
        return "A spoken consent needs a witness."
    if not all(map(is_term, chain.from_iterable(said.limits.values()))):
        return "Name each limit by one code of 64 letters at most."
    return ""


def _contradictory(said: Said) -> str:
    denies = said.decision == Decision.DENY
    indirect = {GranteeKind.NAMED_BY_CUSTODIAN, GranteeKind.LINK}
    sentences = (
        (
            said.ends_at is not None and said.ends_at <= said.starts_at,
            "The consent must end after it starts.",
        ),
        (bool(said.excepted) and not denies, "Only a refusal can leave somebody out."),
        (
            denies and bool(said.obligations or said.maximum_uses),
            "A refusal asks nothing of those whom it refuses.",
        ),
        (
            denies and bool(indirect & {whom.kind for whom in said.named}),
            "A refusal names people and organizations, or everybody.",
        ),
        (
            not denies and contradicts(said.actions, said.obligations),
            "It permits a download and forbids it.",
        ),
        (said.maximum_uses == 0, "Permit one use at least."),
        (
            said.force != Force.ORDINARY and (not denies or _limited(said)),
            "This refusal speaks of everything and ends when it is withdrawn.",
        ),
        (
            bool({whom.kind for whom in said.named} - _NAMED_BY_FORCE[said.force]),
            "An exclusion names persons; who opts out refuses everybody.",
        ),
        (
            bool(indirect & {whom.kind for whom in said.excepted}),
            "Only people and organizations can be left out.",
        ),
    )
    return next((sentence for wrong, sentence in sentences if wrong), "")


_NAMED_BY_FORCE = {
    Force.ORDINARY: frozenset(GranteeKind),
    Force.EXCLUSION: frozenset({GranteeKind.PRACTITIONER}),
    Force.OPT_OUT: frozenset({GranteeKind.EVERYONE}),
}
"""Whom a refusal of that force may name: searches look for excluded persons by their key alone."""


def _limited(said: Said) -> bool:
    period = (said.ends_at, said.data_from, said.data_until)
    return any(said.limits.values()) or period != (None, None, None) or bool(said.excepted)


def _check_speaker(patient: Patient, said: Said, at: datetime) -> None:
    if said.performer == Performer.SELF:
        if said.proxy is not None:
            raise ProxyInvalid("Nobody speaks for a patient who speaks.")
        if _speaking_for(patient, at).filter(incapacity=True).exists():
            raise ProxyInvalid("The patient can't speak now; their representative does.")
        return
    proxy = said.proxy
    if proxy is not None:
        known = _speaking_for(patient, at).filter(pk=proxy.pk, relation=said.performer)
        if not known.exists():
            raise ProxyInvalid()
    lapse = lapse_of(patient, said, majority=region_settings().majority)
    if lapse is not None and lapse <= max(said.starts_at, at):
        raise ProxyInvalid("The patient is of age, or the right to speak for them has ended.")


def _speaking_for(patient: Patient, at: datetime) -> QuerySet[Proxy]:
    open_ended = Q(ends_at=None) | Q(ends_at__gt=at)
    return Proxy.objects.filter(open_ended, patient=patient, starts_at__lte=at)
