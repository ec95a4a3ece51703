"""Emergency access in the browser: one form, the banner while it lasts, the review."""

import time
from datetime import timedelta
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, generate_totp_secret, hotp_value
from allauth.mfa.utils import encrypt
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from sharing.access.models import Glass, Review
from sharing.consent.rules import Verification
from sharing.consent.services import Told, opt_out
from tests.cast import PASSWORD, Person, Region
from tests.sessions import sign_in

FIND = "/emergency/"
SAID = {
    "reason": "life",
    "words": "Road accident, GCS 9, chest trauma.",
    "hours": "2",
    "attested": "on",
    "proof": PASSWORD,
}


def browser(person: Person) -> Client:
    return sign_in(Client(), person.user)


def named(**changes: Any) -> dict[str, Any]:
    who = {"issuer": "riverside", "identifier": "RV-1", "birth_date": "3 May 1958"}
    return SAID | who | changes


def test_ben_opens_pat_s_images_sees_the_banner_and_olga_closes_the_review(region: Region) -> None:
    region.at = timezone.now()
    region.deny()
    study = region.study(description="Chest with contrast")
    ben = browser(region.ben)
    assert ben.get(reverse("web:study", args=[study.public_id])).status_code == 404
    opened = ben.post(FIND, named())
    assert opened.status_code == 302
    shown = ben.get(opened["Location"]).content.decode()
    assert "Chest with contrast" in shown
    for page in ("web:study", "viewer:study"):
        answer = ben.get(reverse(page, args=[study.public_id])).content.decode()
        assert "Emergency access" in answer
        assert "Viewing only" in answer
    page = ben.get(reverse("web:study", args=[study.public_id])).content.decode()
    assert "a privacy officer end it" in page
    assert "withdraws the consent" not in page
    patient = ben.get(reverse("web:patient", args=[region.pat.public_id])).content.decode()
    assert "End now" in patient
    assert ben.get("/patients/").content.decode().count("End now") == 0  # of no one patient
    download = f"/dicomweb/studies/{study.study_uid}"
    assert ben.get(download).status_code == 404
    olga = browser(region.olga)
    assert "Ben Hartley" in olga.get("/privacy/emergencies/").content.decode()
    review = reverse("web:review-emergency", args=[Review.objects.get().public_id])
    assert "viewed images" in olga.get(review).content.decode()
    assert olga.post(review, {"verdict": "justify"}).status_code == 422
    assert olga.post(review, {"verdict": "justify", "remark": "Confirmed."}).status_code == 302
    assert ben.post(opened["Location"] + "end/").status_code == 302
    assert ben.get(reverse("web:study", args=[study.public_id])).status_code == 404
    assert "Chest with contrast" not in ben.get(opened["Location"]).content.decode()


def test_before_the_glass_is_broken_hidden_and_absent_answer_the_same(region: Region) -> None:
    region.study()
    ben = browser(region.ben)
    faults: tuple[dict[str, Any], ...] = ({"words": "x"}, {"proof": "wrong"}, {"attested": ""})
    for fault in faults:
        pages = []
        for identifier in ("RV-1", "RV-9"):
            answer = ben.post(FIND, named(identifier=identifier, **fault))
            assert answer.status_code == 422
            text = answer.content.decode().replace(identifier, "ID")
            token = text.split('csrfmiddlewaretoken" value="')
            masked = {part.split('"', 1)[0] for part in token[1:]}
            masked.add(text.split('name="csrf-token" content="')[1].split('"')[0])
            for each in masked:
                text = text.replace(each, "")
            pages.append(text)
        assert pages[0] == pages[1]
    assert not Glass.objects.exists()
    assert ben.post(FIND, named(identifier="RV-9")).status_code == 302  # broken for nobody


def test_who_refused_emergencies_too_is_not_there(region: Region) -> None:
    region.study()
    told = Told(verification=Verification.VERBAL, witness="Olga Weiss")
    opt_out(patient=region.pat, told=told, by=region.mei.actor, at=timezone.now())
    ben = browser(region.ben)
    shown = ben.get(ben.post(FIND, named())["Location"]).content.decode()
    assert "Nothing found" in shown
    assert "MOREAU" not in shown


def test_the_button_shows_for_every_patient_to_those_who_may(region: Region) -> None:
    region.study()
    button = f"/patients/{region.pat.public_id}/emergency/"
    assert button in browser(region.ada).get(f"/patients/{region.pat.public_id}/").content.decode()
    mei = browser(region.mei)
    assert button not in mei.get(f"/patients/{region.pat.public_id}/").content.decode()
    assert mei.get(button).status_code == mei.get(FIND).status_code == 404


def test_a_second_factor_s_code_is_asked_for_and_works_once(region: Region) -> None:
    secret = generate_totp_secret()
    Authenticator.objects.create(
        user=region.ben.user, type="totp", data={"secret": encrypt(secret)}
    )
    code = format_hotp_value(hotp_value(secret, int(time.time()) // 30))
    ben = browser(region.ben)
    assert ben.post(FIND, named()).status_code == 422  # the password is not enough
    assert ben.post(FIND, named(proof=code)).status_code == 302
    assert ben.post(FIND, named(proof=code)).status_code == 422
    assert Glass.objects.count() == 1


def test_an_overdue_review_is_told_and_nothing_opens(region: Region) -> None:
    ben = browser(region.ben)
    assert ben.post(FIND, named()).status_code == 302
    Review.objects.update(due_at=timezone.now() - timedelta(days=1))
    answer = ben.post(FIND, named())
    assert answer.status_code == 422
    assert "was not reviewed in time" in answer.content.decode()
    assert Glass.objects.count() == 1
