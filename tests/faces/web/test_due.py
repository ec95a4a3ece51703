"""What ends soon, as the desks see it: one action for each line, refused to all others."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from sharing.access.models import Grant, RenewalAsk, Share, Use
from sharing.access.services import REVIEWED_EVERY, share
from sharing.archive.models import Study
from sharing.archive.services.finding import open_study
from sharing.consent.models import Consent
from sharing.kernel.purposes import Action, Obligation, Purpose
from sharing.web import words
from tests.cast import PDF, Person, Region
from tests.sessions import sign_in

DAY = timedelta(days=1)
ALL = frozenset(Action.RESHARE.ladder)


def browser(person: Person) -> Client:
    return sign_in(Client(), person.user)


def page(person: Person, where: str = "/due/") -> str:
    answer = browser(person).get(where)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.fixture
def study(region: Region) -> Study:
    region.at = timezone.now() - timedelta(hours=1)
    region.permit(organizations=(), named_by_custodian=True, actions=ALL)
    return region.study()


@pytest.fixture
def shared(region: Region, study: Study) -> Callable[..., Share]:
    def make(**said: Any) -> Share:
        at = timezone.now() - timedelta(minutes=1)
        values = {"until": at + 10 * DAY, "note": "", "at": at, "by": region.ada.actor} | said
        return share(
            subjects=[study.subject], to=region.hilltop, purpose=Purpose.TREATMENT, **values
        )

    return make


def test_ada_renews_what_ends_in_a_few_days(region: Region, shared: Callable[..., Share]) -> None:
    made = shared()
    assert "Renew the share with Hilltop Family Clinic" in page(region.ada)
    where = f"/shares/{made.public_id}/renew/"
    assert "can’t outlast it" in page(region.ada, where)
    until = words.day((timezone.now() + 60 * DAY).date())
    answer = browser(region.ada).post(where, {"until": until}, follow=True)
    assert f"The share goes on until {until}." in answer.content.decode()
    assert Share.objects.get(renews=made).grants.get().study_uid == made.grants.get().study_uid
    assert "No share ends within 30 days" in page(region.ada)


@pytest.mark.parametrize(("days", "words_"), [(-1, "in the future"), (200, "The consent ends")])
def test_a_day_that_can_t_be_is_refused_beside_the_field(
    region: Region, shared: Callable[..., Share], days: int, words_: str
) -> None:
    where = f"/shares/{shared().public_id}/renew/"
    until = words.day((timezone.now() + days * DAY).date())
    answer = browser(region.ada).post(where, {"until": until})
    assert answer.status_code == 422
    assert words_ in answer.content.decode()
    assert Share.objects.count() == 1


def test_what_no_consent_carries_any_more_says_so(
    region: Region, shared: Callable[..., Share]
) -> None:
    made = shared()
    region.revoke(Consent.objects.get(), at=timezone.now())
    shown = page(region.ada, f"/shares/{made.public_id}/renew/")
    assert "It can’t go on" in shown
    assert "No consent is on file" in shown


def test_a_standing_share_is_confirmed_or_ended(
    region: Region, shared: Callable[..., Share]
) -> None:
    made = shared(standing=True, until=timezone.now() + 80 * DAY)
    soon = timezone.now() + 5 * DAY
    Grant.objects.update(review_by=soon)
    assert "Still needed: the share with Hilltop" in page(region.ada)
    ada = browser(region.ada)
    assert ada.post(f"/shares/{made.public_id}/still-needed/").status_code == 302
    assert Grant.objects.get().review_by > timezone.now() + REVIEWED_EVERY - DAY
    assert "No standing share waits" in page(region.ada)


def test_ben_reads_when_it_ends_and_asks_that_it_goes_on(
    region: Region, study: Study, shared: Callable[..., Share]
) -> None:
    made, ben = shared(), browser(region.ben)
    where = f"/studies/{study.public_id}/"
    shown = page(region.ben, where)
    assert "Ends on" in shown
    assert "Ask to renew" in shown
    answer = ben.post(f"/shares/{made.public_id}/ask-renewal/", {"next": where})
    assert answer["Location"] == where
    assert "You asked that it goes on" in page(region.ben, where)
    assert "Ben Hartley still needs it" in page(region.ada)


@pytest.mark.parametrize("place", ["//evil.example/", "https://evil.example/", "/studies/../x"])
def test_the_way_back_leads_nowhere_else(
    region: Region, shared: Callable[..., Share], place: str
) -> None:
    where = f"/shares/{shared().public_id}/ask-renewal/"
    assert browser(region.ben).post(where, {"next": place})["Location"] == "/"


def test_who_has_no_business_there_meets_nothing(
    region: Region, shared: Callable[..., Share]
) -> None:
    made = shared()
    for person in (region.olga, region.admin):
        assert browser(person).get("/due/").status_code == 404
    for person in (region.ben, region.cleo, region.mei, region.olga):
        client = browser(person)
        for what in ("renew/", "still-needed/"):
            answer = client.post(f"/shares/{made.public_id}/{what}", {"until": "1 Jan 2030"})
            absent = client.post(f"/shares/nothing/{what}", {"until": "1 Jan 2030"})
            assert (answer.status_code, absent.status_code) == (404, 404)
    for person in (region.cleo, region.mei):
        where = f"/shares/{made.public_id}/ask-renewal/"
        assert browser(person).post(where).status_code == 404
    assert not RenewalAsk.objects.exists()


def test_mei_asks_the_patient_again_and_shares_go_on(
    region: Region, study: Study, shared: Callable[..., Share]
) -> None:
    at = timezone.now()
    consent = region.permit(
        organizations=(), named_by_custodian=True, actions=ALL, ends_at=at + 8 * DAY, maximum_uses=5
    )
    assert f"Ask again: consent {consent.reference}" in page(region.mei)
    where = f"/consents/{consent.public_id}/again/"
    form = {"period": "90", "verification": "paper", "performer": "self"}
    refused = browser(region.mei).post(where, form)
    assert refused.status_code == 422
    assert "Attach the signed form." in refused.content.decode()
    document = SimpleUploadedFile("form.pdf", PDF, content_type="application/pdf")
    assert browser(region.mei).post(where, {**form, "evidence": document}).status_code == 302
    again = Consent.objects.get(supersedes=consent)
    assert (again.version, again.since, again.maximum_uses) == (2, consent.since, 5)
    assert again.ends_at is not None
    assert again.ends_at > at + 89 * DAY
    assert {g.kind for g in again.grantees.all()} == {"named_by_custodian"}
    assert "Ask again: consent" not in page(region.mei)


def test_mei_ticks_off_whom_she_told(region: Region, study: Study) -> None:
    obligations = frozenset({Obligation.NOTIFY_PATIENT})
    region.permit(obligations=obligations, maximum_uses=3)
    at = timezone.now()
    open_study(region.ben.actor, public_id=study.public_id, at=at, action=Action.IMAGES)
    patient = f"/patients/{region.pat.public_id}/"
    assert "Ben Hartley" in page(region.mei)
    assert "Ben Hartley opened a study" in page(region.mei, patient)
    assert "To tell the patient" not in page(region.ada, patient)
    use = Use.objects.get()
    where = f"/due/told/{use.public_id}/"
    assert browser(region.ada).post(where, {"how": "phone"}).status_code == 404
    assert browser(region.mei).post(where, {"how": "pigeon"}).status_code == 404
    assert browser(region.mei).post(where, {"how": "phone"}).status_code == 302
    assert "Nobody waits to be told" in page(region.mei)
    assert "To tell the patient" not in page(region.mei, patient)


def test_the_study_page_says_what_the_patient_asks(region: Region, study: Study) -> None:
    obligations = frozenset({Obligation.WATERMARK, Obligation.NO_DOWNLOAD})
    region.permit(obligations=obligations, maximum_uses=2)
    shown = page(region.ben, f"/studies/{study.public_id}/")
    for sentence in (
        "Images carry your name, your organization and the day.",
        "To view only: there is no download.",
        "2 more uses are left: an opening of 15 minutes, or a download, is one.",
    ):
        assert sentence in shown
    assert "What the patient asks" not in page(region.ada, f"/studies/{study.public_id}/")


def test_the_viewer_lays_the_mark_over_its_images(region: Region, study: Study) -> None:
    where = reverse("viewer:study", args=[study.public_id])
    mark = 'y="40">Ben Hartley, Hilltop Family Clinic, 20'
    region.permit()
    assert mark not in page(region.ben, where)
    region.permit(obligations=frozenset({Obligation.WATERMARK}))
    assert mark in page(region.ben, where)


def test_a_clerk_records_conditions_and_a_number_of_uses(region: Region, study: Study) -> None:
    where = f"/patients/{region.pat.public_id}/consents/new/"
    document = SimpleUploadedFile("form.pdf", PDF, content_type="application/pdf")
    form = {
        "decision": "permit", "organizations": ["hilltop"], "may": "images", "purpose": "TREAT",
        "period": "90", "verification": "paper", "performer": "self", "evidence": document,
        "conditions": ["watermark", "notify_patient"], "maximum_uses": "3",
    }  # fmt: skip
    answer = browser(region.mei).post(where, form, follow=True)
    consent = Consent.objects.latest("pk")
    assert (consent.obligations, consent.maximum_uses) == ("|notify_patient|watermark|", 3)
    shown = answer.content.decode()
    assert "Images carry the reader’s name. The patient is told of each opening." in shown
    assert "3 uses at most" in shown
