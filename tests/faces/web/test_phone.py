"""The patient's phone in the browser, and the clerk's page beside it."""

import json
import re
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from sharing.archive.models import Study
from sharing.audit.models import Event
from sharing.consent.models import Consent, PhoneSession
from sharing.consent.services import code_of
from sharing.web.phone_codes import address
from tests.cast import Person, Region
from tests.consent.phones import DRAWN
from tests.sessions import sign_in


def browser(person: Person) -> Client:
    return sign_in(Client(), person.user)


@pytest.fixture
def study(region: Region) -> Study:
    cache.clear()  # the tries of the tests before come from the same address
    region.at = timezone.now()
    return region.study(description="Chest with contrast")


def form(**changes: Any) -> dict[str, Any]:
    return {
        "decision": "permit", "organizations": ["hilltop"], "may": "images", "purpose": "TREAT",
        "period": "90", "verification": "qr", "performer": "self", "language": "zh-Hans",
    } | changes  # fmt: skip


def shown_code(region: Region) -> tuple[PhoneSession, str]:
    """Mei fills the form in; the page with the picture."""
    new = reverse("web:new-consent", args=[region.pat.public_id])
    answer = browser(region.mei).post(new, form())
    assert answer.status_code == 302, answer.content.decode()
    session = PhoneSession.objects.latest("pk")
    assert answer.url == reverse("web:phone-code", args=[session.public_id])
    return session, browser(region.mei).get(answer.url).content.decode()


def proofs(session: PhoneSession, **wrong: str) -> dict[str, str]:
    code = code_of(session)
    right = {"token": code.token, "year": "1958", "month": "5", "day": "3", "digits": code.digits}
    return right | wrong


def proved(session: PhoneSession) -> Client:
    phone = Client()
    answer = phone.post(reverse("web:phone"), proofs(session))
    assert answer.url == reverse("web:phone-read")
    return phone


def test_the_clerk_s_page_shows_picture_code_and_digits(region: Region, study: Study) -> None:
    session, page = shown_code(region)
    code = code_of(session)
    assert '<svg class="qr"' in page or 'class="qr"' in page
    assert code.in_groups in page
    assert f"{code.digits[:3]} {code.digits[3:]}" in page
    assert "style=" not in page
    assert "您同意" in page


def test_pat_reads_in_two_languages_signs_and_keeps_a_copy(region: Region, study: Study) -> None:
    session, _ = shown_code(region)
    phone = proved(session)
    read = phone.get(reverse("web:phone-read")).content.decode()
    assert '<html lang="zh-Hans">' in read
    assert "不同意不影响您在这里看病。" in read
    english = phone.get(reverse("web:phone-read") + "?lang=en").content.decode()
    assert '<html lang="en">' in english
    assert "May Hilltop Family Clinic see your images and reports?" in english
    assert "Saying no does not change your care here." in english
    answer = phone.post(reverse("web:phone-sign") + "?lang=zh-Hans", {"drawn": DRAWN})
    assert answer.status_code == 302
    assert "已签名" in phone.get(reverse("web:phone-done")).content.decode()
    consent = Consent.objects.get()
    assert (consent.state, consent.language) == ("active", "zh-Hans")
    copy = phone.get(reverse("web:phone-document", args=["pdf"]))
    assert copy.content.startswith(b"%PDF")
    proof = json.loads(phone.get(reverse("web:phone-document", args=["signature"])).content)
    assert proof["signed"] == f"consent-document:1:{proof['sha256']}"
    where = reverse("web:study", args=[study.public_id])
    assert browser(region.ben).get(where).status_code == 200


def test_no_is_as_large_as_yes_and_permits_nothing(region: Region, study: Study) -> None:
    session, _ = shown_code(region)
    phone = proved(session)
    read = phone.get(reverse("web:phone-read") + "?lang=en").content.decode()
    buttons = re.findall(r'class="btn (btn-\w+)[^"]*"[^>]*>([^<]+)<', read)
    assert [word for _, word in buttons] == ["I agree, go on to sign", "I do not agree"]
    assert phone.post(reverse("web:phone-refuse")).status_code == 302
    assert "您选择了不同意" in phone.get(reverse("web:phone-done")).content.decode()
    page = browser(region.mei).get(reverse("web:phone-code", args=[session.public_id]))
    assert "The patient said no" in page.content.decode()
    patient = reverse("web:patient", args=[region.pat.public_id])
    assert "Said no on the phone" in browser(region.mei).get(patient).content.decode()
    assert "Said no on the phone" not in browser(region.ada).get(patient).content.decode()
    assert not Consent.objects.exists()


def test_the_landing_page_knows_no_patient_and_get_changes_nothing(
    region: Region, study: Study
) -> None:
    session, _ = shown_code(region)
    code, before = code_of(session), PhoneSession.objects.values().get()
    plain = Client().get(reverse("web:phone"))
    with_code = Client().get(reverse("web:phone") + f"?token={code.token}&digits={code.digits}")
    for answer in (plain, with_code):
        page = answer.content.decode()
        assert not re.search("MOREAU|莫|RV-1|1958|Riverside|河畔|Hilltop", page)
    assert PhoneSession.objects.values().get() == before


@pytest.mark.parametrize(
    "wrong",
    [
        {"token": "AAAABBBBCCCCDDDD"}, {"token": ""}, {"year": "1959"}, {"day": "31"},
        {"month": "2", "day": "30"}, {"day": "x"}, {"digits": "12"}, {"digits": ""},
    ],
)  # fmt: skip
def test_every_wrong_try_answers_the_same(
    region: Region, study: Study, wrong: dict[str, str]
) -> None:
    session, _ = shown_code(region)
    answer = Client().post(reverse("web:phone"), proofs(session, **wrong))
    assert answer.status_code == 422
    assert "phone" not in answer.cookies
    page = re.sub(r'\s(value|content)="[^"]*"', "", answer.content.decode())
    reference = Client().post(reverse("web:phone"), {"token": "nothing"}).content.decode()
    assert page == re.sub(r'\s(value|content)="[^"]*"', "", reference)


def test_the_cookie_is_for_these_pages_and_no_script(
    region: Region, study: Study, settings: Any
) -> None:
    settings.SESSION_COOKIE_SECURE = True
    session, _ = shown_code(region)
    cookie = Client().post(reverse("web:phone"), proofs(session), secure=True).cookies["phone"]
    assert (cookie["path"], cookie["samesite"]) == ("/phone/", "Strict")
    assert cookie["httponly"]
    assert cookie["secure"]


PAGES = ["phone-read", "phone-sign", "phone-done", "phone-kept"]


@pytest.mark.parametrize("name", PAGES)
def test_a_stranger_meets_one_page_whatever_there_is(
    region: Region, study: Study, name: str
) -> None:
    """No cookie, a wrong one, or one whose code was cancelled: the same 404."""
    session, _ = shown_code(region)
    phone = proved(session)
    cancelled = reverse("web:cancel-phone", args=[session.public_id])
    assert browser(region.mei).post(cancelled).status_code == 302
    stranger, liar = Client(), Client()
    liar.cookies["phone"] = "x" * 43
    answers = [each.get(reverse(f"web:{name}")) for each in (phone, stranger, liar)]
    bodies = {re.sub(r'content="[^"]*"', "", each.content.decode()) for each in answers}
    assert [each.status_code for each in answers] == [404] * 3
    assert len(bodies) == 1
    for route, given in (
        ("phone-refuse", {}),
        ("phone-withdraw", {}),
        ("phone-sign", {"drawn": DRAWN}),
    ):
        assert stranger.post(reverse(f"web:{route}"), given).status_code == 404
    assert not Consent.objects.exists()


def test_pages_of_the_patient_are_kept_nowhere(region: Region, study: Study) -> None:
    session, _ = shown_code(region)
    phone = proved(session)
    for name in ("phone", "phone-read", "phone-sign"):
        assert phone.get(reverse(f"web:{name}"))["Cache-Control"] == "private, no-store"


def test_a_change_gives_the_form_back_as_it_was(region: Region, study: Study) -> None:
    session, _ = shown_code(region)
    mei = browser(region.mei)
    answer = mei.post(reverse("web:cancel-phone", args=[session.public_id]))
    page = mei.get(answer.url).content.decode()
    assert 'value="hilltop" checked' in page
    assert 'value="qr" checked' in page
    assert '<option value="zh-Hans" selected>' in page
    assert Client().post(reverse("web:phone"), proofs(session)).status_code == 422


def test_the_clerk_s_page_follows(region: Region, study: Study) -> None:
    session, _ = shown_code(region)
    mei, where = browser(region.mei), reverse("web:phone-code", args=[session.public_id])
    state = f"{where}?part=state&was="
    asks_again = 'hx-trigger="every'
    assert asks_again in mei.get(f"{state}waiting").content.decode()
    phone = proved(session)
    moved = mei.get(f"{state}waiting")
    assert moved["HX-Refresh"] == "true"
    assert "Opened on the phone" in moved.content.decode()
    assert code_of(session).token not in mei.get(where).content.decode()
    phone.post(reverse("web:phone-sign"), {"drawn": DRAWN})
    page = mei.get(where).content.decode()
    assert "is in force" in page
    assert asks_again not in page


def test_other_hospitals_and_other_roles_see_no_code(region: Region, study: Study) -> None:
    session, _ = shown_code(region)
    where = reverse("web:phone-code", args=[session.public_id])
    for person in (region.ada, region.olga, region.ben, region.cleo):
        assert browser(person).get(where).status_code == 404
        cancel = reverse("web:cancel-phone", args=[session.public_id])
        assert browser(person).post(cancel).status_code == 404


def test_pat_withdraws_by_the_same_kind_of_code(region: Region, study: Study) -> None:
    region.at = timezone.now()
    consent = region.permit()
    where = reverse("web:study", args=[study.public_id])
    assert browser(region.ben).get(where).status_code == 200
    mei = browser(region.mei)
    answer = mei.post(reverse("web:consent-phone", args=[consent.public_id]))
    session = PhoneSession.objects.get()
    assert answer.url == reverse("web:phone-code", args=[session.public_id])
    assert "The patient sees consent" in mei.get(answer.url).content.decode()
    phone = proved(session)
    page = phone.get(reverse("web:phone-read")).content.decode()
    assert "What you agreed to" in page
    assert phone.get(reverse("web:phone-kept")).status_code == 200
    assert phone.post(reverse("web:phone-withdraw")).status_code == 302
    assert "Withdrawn." in phone.get(reverse("web:phone-done")).content.decode()
    assert browser(region.ben).get(where).status_code == 404
    consent.refresh_from_db()
    assert consent.state == "revoked"


def test_what_was_shown_is_handed_to_the_custodian_alone(region: Region, study: Study) -> None:
    session, _ = shown_code(region)
    proved(session).post(reverse("web:phone-sign"), {"drawn": DRAWN})
    consent = Consent.objects.get()
    pdf = reverse("web:consent-statement", args=[consent.public_id, "pdf"])
    for person in (region.mei, region.olga):
        answer = browser(person).get(pdf)
        assert answer.content.startswith(b"%PDF")
        assert answer["Content-Disposition"].startswith("attachment")
        assert (
            "What was shown"
            in browser(person)
            .get(reverse("web:consent", args=[consent.public_id]))
            .content.decode()
        )
    for person in (region.ben, region.cleo, region.ada):
        assert browser(person).get(pdf).status_code == 404
    assert browser(region.mei).get(pdf.replace("/pdf/", "/exe/")).status_code == 404


def test_paper_and_speech_keep_a_record_of_what_was_shown_too(region: Region, study: Study) -> None:
    new = reverse("web:new-consent", args=[region.pat.public_id])
    spoken = form(verification="verbal", witness="Eve Nolan")
    assert browser(region.mei).post(new, spoken).status_code == 302
    consent = Consent.objects.get()
    assert (consent.shown, consent.language) == ("permit/2026-2", "zh-Hans")
    assert consent.statement.size > 5000


def test_without_a_birth_date_the_form_says_why(region: Region, study: Study) -> None:
    region.pat.birth_date = None
    region.pat.save()
    new = reverse("web:new-consent", args=[region.pat.public_id])
    answer = browser(region.mei).post(new, form())
    assert answer.status_code == 422
    assert "birth date is not known" in answer.content.decode()


def test_who_speaks_for_pat_is_asked_about_pat_on_every_page(region: Region, study: Study) -> None:
    """From the picture on: whose birth date, whose images, whose care."""
    new = reverse("web:new-consent", args=[region.pat.public_id])
    told = form(performer="representative", performer_name="Lea Moreau", language="en")
    answer = browser(region.mei).post(new, told)
    session = PhoneSession.objects.get()
    assert answer.url == reverse("web:phone-code", args=[session.public_id])
    assert "&for=other#" in address(session)
    landing = Client().get(f"{reverse('web:phone')}?for=other").content.decode()
    assert "The patient&#x27;s date of birth" in landing
    assert "Your date of birth" in Client().get(reverse("web:phone")).content.decode()
    phone = proved(session)
    read = phone.get(reverse("web:phone-read")).content.decode()
    assert "May Hilltop Family Clinic see the images and reports of MOREAU Pat" in read
    assert "who speak for MOREAU Pat" in read
    zh = phone.get(f"{reverse('web:phone-read')}?lang=zh-Hans").content.decode()
    assert "请您代莫帕确认" in zh
    sign = phone.get(reverse("web:phone-sign")).content.decode()
    assert "You sign for the patient." in sign
    phone.post(reverse("web:phone-sign"), {"drawn": DRAWN})
    consent = Consent.objects.get()
    assert (consent.shown, consent.performer) == ("permit_for/2026-1", "representative")
    done = Event.objects.get(action="phone.sign")
    assert done.actor_name == "Who speaks for the patient"
    withdrawn = browser(region.mei).post(reverse("web:consent-phone", args=[consent.public_id]))
    assert withdrawn.status_code == 302
    seen = proved(PhoneSession.objects.latest("pk")).get(reverse("web:phone-read"))
    assert "What was agreed for the patient" in seen.content.decode()
