"""Who speaks for a patient who can't: on what document, how long, and against whom."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from sharing.access.services import decide_one
from sharing.archive.models import Study
from sharing.audit.models import Event
from sharing.consent.errors import ConsentNotFound, ProxyInvalid
from sharing.consent.models import Consent, Proxy
from sharing.consent.rules import Decision, Performer, Verification, of_age_on
from sharing.consent.services import (
    Told,
    amend_consent,
    end_proxy,
    lapse_consents,
    name_proxy,
    proxies_of,
    reaffirm,
    revoke_consent,
    said_by,
)
from sharing.identity.models import Patient
from sharing.kernel.lifecycle import NotNow
from sharing.kernel.purposes import Action
from tests.cast import NOW, Region, make_patient

SPOKEN = {"verification": Verification.VERBAL, "witness": "Olga Weiss"}
BIRTHDAY = NOW + timedelta(days=40)


@pytest.fixture
def child(region: Region) -> Patient:
    """Of age in forty days."""
    born = date(BIRTHDAY.year - 18, BIRTHDAY.month, BIRTHDAY.day)
    made = make_patient(region.riverside, "RV-7")
    Patient.objects.filter(pk=made.pk).update(birth_date=born)
    return Patient.objects.get(pk=made.pk)


def named(region: Region, patient: Patient, relation=Performer.PARENT, **said) -> Proxy:
    values = {
        "name": "Jo Doe", "document": "Birth certificate", "starts_at": NOW, "ends_at": None,
    } | said  # fmt: skip
    return name_proxy(
        patient=patient, relation=relation, by=region.mei.actor, at=NOW, **values
    )  # fmt: skip


def said_through(region: Region, proxy: Proxy, decision=Decision.PERMIT, **said) -> Consent:
    values = {"patient": proxy.patient, "proxy": proxy, "performer": Performer(proxy.relation)}
    return region.say(decision, region.hilltop, ends_at=None, **values, **SPOKEN, **said)


def ben_may(region: Region, patient: Patient, at=NOW) -> bool:
    """The decision; fails when the list says otherwise."""
    study = region.study(patient)
    allowed = decide_one(region.ben.actor, Action.IMAGES, study.subject, at=at).allowed
    listed = Study.objects.visible_to(region.ben.actor, at, Action.IMAGES).filter(pk=study.pk)
    assert listed.exists() == allowed
    return allowed


def test_a_parent_s_consent_ends_on_the_birthday_and_waits_for_the_patient_s_own_word(
    region: Region, child: Patient
) -> None:
    consent = said_through(region, named(region, child))
    assert consent.lapses_at == of_age_on(child.birth_date, 18)
    assert ben_may(region, child)
    after = BIRTHDAY + timedelta(days=1)
    assert not ben_may(region, child, at=after)  # by the clock, before anything marks it
    assert (lapse_consents(at=NOW), lapse_consents(at=after)) == (0, 1)
    consent.refresh_from_db()
    assert consent.state == "needs_reaffirmation"
    assert Event.objects.filter(action="consent.lapse").count() == 1
    own = reaffirm(consent=consent, told=Told(**SPOKEN), by=region.mei.actor, at=after)
    assert (own.version, own.performer, own.state) == (2, "self", "active")
    assert ben_may(region, child, at=after + timedelta(days=400))


def test_only_the_patient_reaffirms_and_only_what_waits(region: Region, child: Patient) -> None:
    proxy = named(region, child)
    consent = said_through(region, proxy)
    with pytest.raises(NotNow):
        reaffirm(consent=consent, told=Told(**SPOKEN), by=region.mei.actor, at=NOW)
    after = BIRTHDAY + timedelta(days=1)
    lapse_consents(at=after)
    parent = Told(performer=Performer.PARENT, proxy=proxy, **SPOKEN)
    with pytest.raises(NotNow):
        reaffirm(consent=consent, told=parent, by=region.mei.actor, at=after)


def test_of_two_guardians_who_disagree_the_one_who_refused_is_heard(
    region: Region, child: Patient
) -> None:
    one, other = named(region, child), named(region, child, name="Al Doe")
    refused = said_through(region, one, Decision.DENY)
    said_through(region, other)
    assert not ben_may(region, child)
    words = replace(said_by(refused), proxy=other, decision=Decision.PERMIT, **SPOKEN)
    with pytest.raises(ProxyInvalid):
        amend_consent(consent=refused, said=words, by=region.mei.actor, at=NOW)
    them = Told(performer=Performer.PARENT, proxy=other, **SPOKEN)
    with pytest.raises(ProxyInvalid):
        revoke_consent(consent=refused, by=region.mei.actor, why="-", at=NOW, told=them)
    revoke_consent(
        consent=refused, by=region.mei.actor, why="-", at=NOW, told=replace(them, proxy=one)
    )
    assert ben_may(region, child)


def test_who_can_t_speak_does_not_while_a_representative_does(region: Region) -> None:
    rep = Performer.REPRESENTATIVE
    proxy = named(region, region.pat, rep, document="Court order", incapacity=True)
    with pytest.raises(ProxyInvalid):
        region.permit(**SPOKEN)
    said_through(region, proxy)
    assert ben_may(region, region.pat)
    assert end_proxy(proxy=proxy, by=region.mei.actor, why="Recovered.", at=NOW) == 1
    assert not ben_may(region, region.pat)
    assert end_proxy(proxy=proxy, by=region.mei.actor, why="Again.", at=NOW) == 0
    region.permit(**SPOKEN)
    assert ben_may(region, region.pat)
    assert list(proxies_of(patient=region.pat)) == [proxy]


@pytest.mark.parametrize(
    ("relation", "said"),
    [
        (Performer.SELF, {}),
        (Performer.PARENT, {}),  # Pat is of age
        (Performer.REPRESENTATIVE, {"document": ""}),
        (Performer.REPRESENTATIVE, {"ends_at": NOW}),
    ],
)
def test_a_proxy_needs_a_right_and_a_document(region: Region, relation, said: dict) -> None:
    with pytest.raises(ProxyInvalid):
        named(region, region.pat, relation, **said)
    assert not Proxy.objects.exists()


def test_whose_right_is_another_or_has_ended_is_not_heard(region: Region, child: Patient) -> None:
    past = named(region, child, ends_at=NOW + timedelta(minutes=1))
    with pytest.raises(ProxyInvalid):
        said_through(region, past, at=NOW + timedelta(hours=1), starts_at=NOW + timedelta(hours=1))
    with pytest.raises(ProxyInvalid):
        region.permit(proxy=named(region, child), performer=Performer.PARENT, **SPOKEN)
    with pytest.raises(ConsentNotFound):
        named(region, make_patient(region.lakeside, "LS-1"), Performer.REPRESENTATIVE)


def test_a_birth_date_that_comes_later_is_noticed(region: Region, child: Patient) -> None:
    Patient.objects.filter(pk=child.pk).update(birth_date=None)
    proxy = named(region, Patient.objects.get(pk=child.pk))
    consent = said_through(region, proxy)
    assert consent.lapses_at is None
    Patient.objects.filter(pk=child.pk).update(birth_date=date(2000, 1, 1))
    assert lapse_consents(at=NOW) == 1
