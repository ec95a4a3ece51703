"""Where two guardians are needed nothing holds until both have signed, each on their own phone."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from sharing.access.services import decide_one
from sharing.audit.models import Event
from sharing.consent.errors import ConsentInvalid, PhoneOver
from sharing.consent.models import Consent, PhoneSession
from sharing.consent.rules import Performer, side_by_side, strokes_of
from sharing.consent.services import (
    code_of,
    issue_phone,
    issue_second,
    open_phone,
    open_statement,
    phone_of,
    reading_of,
    reading_on,
    refuse_on_phone,
    sign_on_phone,
)
from sharing.kernel.lifecycle import NotNow
from sharing.kernel.purposes import Action
from sharing.tenants.errors import NotAllowed
from sharing.tenants.rules import Role
from tests.cast import Person, Region, make_person
from tests.consent.phones import DRAWN, said
from tests.sessions import sign_in

BORN = date(2016, 3, 4)
OTHER = "10,20 30,40 50,60;70,80 90,100"


@pytest.fixture(autouse=True)
def pat_is_a_child(region: Region) -> None:
    type(region.pat).objects.filter(pk=region.pat.pk).update(birth_date=BORN)
    region.pat.refresh_from_db()


def issued(region: Region, second: str = "Tom Moreau", **changes: Any) -> PhoneSession:
    """Mei shows Lea the picture; Tom has to sign too."""
    told = {"performer": Performer.PARENT, "performer_name": "Lea Moreau"} | changes
    words = said(region, **told)
    reading = reading_of(words, patient=region.pat, custodian=region.riverside, language="en")
    return issue_phone(
        patient=region.pat, said=words, reading=reading, studies=[], by=region.mei.actor,
        at=region.at, second=second,
    )  # fmt: skip


def signs(session: PhoneSession, at: Any, drawn: str = DRAWN) -> Consent | None:
    """Whoever holds that phone opens it and signs."""
    code = code_of(session)
    secret = open_phone(token=code.token, born=BORN, digits=code.digits, at=at)
    return sign_on_phone(secret=secret, drawn=drawn, language="en", at=at)


def seconds(region: Region, first: PhoneSession, by: Person | None = None, **when: Any) -> Any:
    at = region.at + timedelta(**when)
    return issue_second(first=first, by=(by or region.mei).actor, at=at)


def test_nothing_holds_until_the_second_has_signed_what_the_first_read(region: Region) -> None:
    study, first = region.study(), issued(region)
    assert signs(first, region.at) is None
    first.refresh_from_db()
    assert (first.state, first.half) == ("signed", True)
    assert not Consent.objects.exists()
    assert not decide_one(region.ben.actor, Action.IMAGES, study.subject, at=region.at).allowed
    second = seconds(region, first)
    read = [reading_on(each, language="en", at=region.at) for each in (first, second)]
    assert read[0] == read[1]
    consent = signs(second, region.at, OTHER)
    assert consent is not None
    assert (consent.state, consent.performer_name) == ("active", "Lea Moreau and Tom Moreau")
    assert decide_one(region.ben.actor, Action.IMAGES, study.subject, at=region.at).allowed
    first.refresh_from_db()
    assert first.consent == consent
    _, paper = open_statement(region.mei.actor, public_id=consent.public_id, at=region.at)
    assert paper.startswith(b"%PDF")
    assert Event.objects.filter(action="phone.sign").count() == 2


def test_the_no_of_the_second_leaves_nothing(region: Region) -> None:
    first = issued(region)
    signs(first, region.at)
    second = seconds(region, first)
    code = code_of(second)
    secret = open_phone(token=code.token, born=BORN, digits=code.digits, at=region.at)
    refuse_on_phone(secret=secret, at=region.at)
    assert phone_of(secret, at=region.at).state == "refused"
    assert not Consent.objects.exists()


def test_who_signed_is_followed_once_and_within_a_fortnight_by_the_own_desk(
    region: Region,
) -> None:
    first = issued(region)
    with pytest.raises(NotNow):
        seconds(region, first)
    signs(first, region.at)
    with pytest.raises(NotNow):
        seconds(region, first, days=14)
    with pytest.raises(NotAllowed):
        seconds(region, first, by=region.ada)
    with pytest.raises(PhoneOver):
        seconds(region, first, by=make_person("Lou Kern", region.lakeside, Role.CLERK))
    assert signs(seconds(region, first, days=13), region.at + timedelta(days=13)) is not None
    with pytest.raises(NotNow):
        seconds(region, first, days=13)
    assert Consent.objects.count() == 1


def test_of_two_codes_for_the_second_the_later_one_counts(region: Region) -> None:
    first = issued(region)
    signs(first, region.at)
    earlier, later = seconds(region, first), seconds(region, first)
    earlier.refresh_from_db()
    assert earlier.state == "cancelled"
    assert signs(later, region.at) is not None


@pytest.mark.parametrize(
    "wrong",
    [
        {"second": "Lea Moreau"},
        {"performer": Performer.SELF, "performer_name": ""},
        {"performer": Performer.REPRESENTATIVE},
    ],
)
def test_only_two_guardians_with_their_own_names_sign_together(
    region: Region, wrong: dict[str, Any]
) -> None:
    with pytest.raises(ConsentInvalid):
        issued(region, **wrong)


def test_two_signatures_stand_side_by_side_on_the_field() -> None:
    first, second = strokes_of(DRAWN) or (), strokes_of(OTHER) or ()
    both = side_by_side(first, second)
    assert len(both) == len(first) + len(second)
    assert all(x <= 500 for line in both[: len(first)] for x, _ in line)
    assert all(500 <= x <= 1000 and y <= 400 for line in both[len(first) :] for x, y in line)


def test_the_desk_leads_from_the_first_phone_to_the_second(region: Region) -> None:
    region.at = timezone.now()
    new = reverse("web:new-consent", args=[region.pat.public_id])
    mei, phone = sign_in(Client(), region.mei.user), Client()
    form = {
        "decision": "permit", "organizations": ["hilltop"], "may": "images", "purpose": "TREAT",
        "period": "90", "verification": "qr", "performer": "parent", "language": "en",
        "performer_name": "Lea Moreau", "second_name": "Tom Moreau",
    }  # fmt: skip
    where = mei.post(new, form)["Location"]
    code = code_of(PhoneSession.objects.get())
    born = {"year": "2016", "month": "3", "day": "4"}
    phone.post(reverse("web:phone"), born | {"token": code.token, "digits": code.digits})
    phone.post(reverse("web:phone-sign"), {"drawn": DRAWN})
    done = phone.get(reverse("web:phone-done")).content.decode()
    assert "One more signature is needed." in done
    assert "Keep a copy" not in done
    assert "Nothing holds until Tom Moreau has signed too." in mei.get(where).content.decode()
    first = PhoneSession.objects.get()
    answer = mei.post(reverse("web:second-phone", args=[first.public_id]))
    second = PhoneSession.objects.exclude(pk=first.pk).get()
    assert answer["Location"] == reverse("web:phone-code", args=[second.public_id])
    assert "Let the patient scan this" in mei.get(answer["Location"]).content.decode()
    assert mei.get(where).status_code == 200
