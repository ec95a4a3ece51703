"""Every event in every state, by the services that people and the clock use, on the rows."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from sharing.consent.models import Consent
from sharing.consent.rules import NEXT, ConsentEvent, ConsentState, Performer, Verification
from sharing.consent.services import (
    Told,
    amend_consent,
    expire_consents,
    lapse_consents,
    mark_error,
    name_proxy,
    reaffirm,
    revoke_consent,
    said_by,
)
from sharing.identity.models import Patient
from sharing.kernel.lifecycle import NotNow
from tests.cast import NOW, Region, make_patient

SPOKEN = {"verification": Verification.VERBAL, "witness": "Olga Weiss"}
BIRTHDAY = NOW + timedelta(days=40)
OF_AGE, OVER = BIRTHDAY + timedelta(days=1), BIRTHDAY + timedelta(days=50)
S, E = ConsentState, ConsentEvent
DRAWN = {
    (S.DRAFT, E.ACTIVATE): S.ACTIVE,
    (S.DRAFT, E.MARK_ERROR): S.ENTERED_IN_ERROR,
} | {
    (state, event): after
    for state in (S.ACTIVE, S.NEEDS_REAFFIRMATION)
    for event, after in (
        (E.REVOKE, S.REVOKED),
        (E.EXPIRE, S.EXPIRED),
        (E.SUPERSEDE, S.SUPERSEDED),
        (E.MARK_ERROR, S.ENTERED_IN_ERROR),
        (E.LAPSE, S.NEEDS_REAFFIRMATION),
    )
    if (state, event) != (S.NEEDS_REAFFIRMATION, E.LAPSE)
}
"""consent.md's life cycle, written down a second time."""


def test_the_table_is_the_one_that_was_drawn() -> None:
    assert dict(NEXT) == DRAWN


def parents(region: Region) -> Consent:
    """A parent's permit for a patient of seventeen, until some weeks after the birthday."""
    child = make_patient(region.riverside, "RV-7", birth_date=date(2009, 1, 3))
    born = date(BIRTHDAY.year - 18, BIRTHDAY.month, BIRTHDAY.day)
    Patient.objects.filter(pk=child.pk).update(birth_date=born)
    child = Patient.objects.get(pk=child.pk)
    proxy = name_proxy(
        patient=child, relation=Performer.PARENT, name="Jo Doe", document="Birth certificate",
        starts_at=NOW, ends_at=None, by=region.mei.actor, at=NOW,
    )  # fmt: skip
    return region.permit(
        patient=child, proxy=proxy, performer=Performer.PARENT, ends_at=OVER, evidence=None,
        **SPOKEN,
    )  # fmt: skip


def revoke(region: Region, consent: Consent, at: datetime) -> None:
    revoke_consent(consent=consent, by=region.mei.actor, why="The patient asked.", at=at)


def err(region: Region, consent: Consent, at: datetime) -> None:
    mark_error(consent=consent, by=region.mei.actor, why="Another's form.", at=at)


def amend(region: Region, consent: Consent, at: datetime) -> None:
    own = Told(**SPOKEN)
    said = replace(said_by(consent), starts_at=at, ends_at=None, **own.as_said)
    amend_consent(consent=consent, said=said, by=region.mei.actor, at=at)


def expire(region: Region, consent: Consent, at: datetime) -> None:
    if not expire_consents(at=OVER):
        raise NotNow()


def lapse(region: Region, consent: Consent, at: datetime) -> None:
    if not lapse_consents(at=OF_AGE):
        raise NotNow()


Verb = Callable[[Region, Consent, datetime], None]
VERBS: dict[ConsentEvent, Verb] = {
    E.REVOKE: revoke,
    E.MARK_ERROR: err,
    E.SUPERSEDE: amend,
    E.EXPIRE: expire,
    E.LAPSE: lapse,
}
WAYS: dict[ConsentState, tuple[Verb, ...]] = {
    S.ACTIVE: (),
    S.NEEDS_REAFFIRMATION: (lapse,),
    S.REVOKED: (revoke,),
    S.EXPIRED: (expire,),
    S.SUPERSEDED: (amend,),
    S.ENTERED_IN_ERROR: (err,),
}
"""How a version comes into each state. No service leaves a draft behind."""


@pytest.mark.parametrize("event", VERBS)
@pytest.mark.parametrize("state", WAYS)
def test_every_service_in_every_state_does_what_is_drawn_or_nothing(
    region: Region, state: ConsentState, event: ConsentEvent
) -> None:
    consent = parents(region)
    for verb in WAYS[state]:
        verb(region, consent, OF_AGE)
    consent.refresh_from_db()
    assert consent.state == state
    versions = Consent.objects.count()
    after = DRAWN.get((state, event))
    if after is None:
        if not (event == E.LAPSE and state == S.SUPERSEDED):  # it is the next version's turn
            with pytest.raises(NotNow):
                VERBS[event](region, consent, OF_AGE)
        assert Consent.objects.count() == versions
    else:
        VERBS[event](region, consent, OF_AGE)
    consent.refresh_from_db()
    assert consent.state == (after or state)


@pytest.mark.parametrize("state", WAYS)
def test_only_what_waits_for_the_patient_is_said_again(region: Region, state: ConsentState) -> None:
    consent = parents(region)
    for verb in WAYS[state]:
        verb(region, consent, NOW if state != S.NEEDS_REAFFIRMATION else OF_AGE)
    told = Told(**SPOKEN)
    by = region.mei.actor
    if state == S.NEEDS_REAFFIRMATION:
        assert reaffirm(consent=consent, told=told, by=by, at=OF_AGE).version == 2
        return
    with pytest.raises(NotNow):
        reaffirm(consent=consent, told=told, by=by, at=NOW)
    consent.refresh_from_db()
    assert consent.state == state
