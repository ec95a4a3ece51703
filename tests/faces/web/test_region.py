"""What holds in the region, on the pages: rules, agreements, labels, referrals and transfers."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from sharing.access.models import Relationship
from sharing.archive.models import Labelling, LabelRule, Study
from sharing.audit.models import Event
from sharing.tenants.models import Agreement
from sharing.tenants.models import Region as RegionRow
from sharing.tenants.rules import ImplicitPolicy
from sharing.tenants.services import region_settings
from sharing.web import words
from tests.cast import Person, Region
from tests.sessions import sign_in
from tests.tenants.test_agreements import operator

SETTINGS = {
    "policy": "deny", "majority": "18", "emergency_hours": "4", "review_days": "3",
    "emergencies_a_day": "3",
}  # fmt: skip


def browser(person: Person) -> Client:
    return sign_in(Client(), person.user)


def text(response: Any) -> str:
    return re.sub(r"\s+", " ", response.content.decode())


def oskar(region: Region) -> Client:
    operator(region)
    return browser(region.extra["oskar"])


def seen_in(page: str) -> str:
    """What the page says was shown."""
    found = re.search(r'name="seen" value="([0-9a-f]{24})"', page)
    assert found
    return found[1]


def test_nothing_is_opened_before_its_effect_was_shown_and_understood(region: Region) -> None:
    region.study()
    region.study(labels="|PSY|")
    client, wanted = oskar(region), SETTINGS | {"policy": "treating", "implied": "on"}
    page = text(client.post("/region/", wanted))
    assert region_settings().policy == ImplicitPolicy.DENY
    assert "That is 1 study now; 1 study with a label stays closed." in page
    assert "A referral, a consult or a transfer on file opens without a consent." in page
    shown = wanted | {"seen": seen_in(page)}
    assert client.post("/region/", shown).status_code == 422
    assert region_settings().policy == ImplicitPolicy.DENY
    other = shown | {"policy": "all_normal", "understood": "on"}
    assert client.post("/region/", other).status_code == 200
    assert region_settings().policy == ImplicitPolicy.DENY, "another choice than what was shown"
    done = client.post("/region/", shown | {"understood": "on"}, follow=True)
    assert "It holds with the next request." in text(done)
    assert (region_settings().policy, region_settings().implied) == (ImplicitPolicy.TREATING, True)
    assert Event.objects.get(action="region.set").detail["policy"] == "treating"


def test_what_closes_needs_a_look_and_no_promise(region: Region) -> None:
    client = oskar(region)
    page = text(client.post("/region/", SETTINGS | {"agreements": "on"}))
    assert "nothing opens without an agreement. 0 agreements in force now." in page
    client.post("/region/", SETTINGS | {"agreements": "on", "seen": seen_in(page)})
    assert region_settings().agreements
    assert client.post("/region/", SETTINGS | {"emergency_hours": "9"}).status_code == 422


def test_the_settings_are_the_operator_s_and_a_stricter_rule_the_privacy_officer_s(
    region: Region,
) -> None:
    RegionRow.objects.create(pk=1, implicit_policy=ImplicitPolicy.TREATING)
    for person in (region.ada, region.mei, region.olga, region.admin, region.ben):
        assert browser(person).get("/region/").status_code == 404
        assert browser(person).post("/region/", SETTINGS).status_code == 404
    olga = browser(region.olga)
    page = text(olga.get("/region/own/"))
    assert "Open to those who treat" in page
    assert "Open to all staff" not in page, "it may only be stricter"
    assert olga.post("/region/own/", {"policy": "all_normal"}).status_code == 422
    assert olga.post("/region/own/", {"policy": "deny"}, follow=True).status_code == 200
    region.riverside.refresh_from_db()
    assert region.riverside.implicit_policy == "deny"
    assert "Riverside General Hospital" in text(oskar(region).get("/region/"))
    assert browser(region.admin).get("/region/own/").status_code == 404


def test_an_agreement_is_recorded_read_and_ended(region: Region) -> None:
    client, now = oskar(region), timezone.now()
    said = {
        "provider": "riverside", "recipient": "hilltop", "purposes": ["TREAT"],
        "modalities": ["CT"], "starts": words.day(now - timedelta(days=1)),
        "ends": words.day(now + timedelta(days=300)), "signed_for_provider": "Olga Weiss",
        "signed_for_recipient": "Ben Hartley",
    }  # fmt: skip
    assert client.post("/agreements/new/", said).status_code == 422, "without the paper"
    paper = SimpleUploadedFile("two.pdf", b"%PDF-1.4 signed", content_type="application/pdf")
    done = client.post("/agreements/new/", said | {"document": paper}, follow=True)
    assert "The agreement is on file." in text(done)
    agreement = Agreement.objects.get()
    assert agreement.document_sha256[:12] in text(client.get("/agreements/"))
    assert "Olga Weiss" in text(browser(region.admin).get("/agreements/"))
    assert browser(region.admin).get("/agreements/new/").status_code == 404
    assert browser(region.ben).get("/agreements/").status_code == 404
    address = f"/agreements/{agreement.public_id}/end/"
    assert browser(region.admin).post(address, {"words": "No"}).status_code == 404
    assert client.post(address, {"words": ""}).status_code == 422
    assert "Ended early" in text(client.post(address, {"words": "Notice given"}, follow=True))


def test_a_label_is_added_seen_and_taken_off_by_those_who_may(region: Region) -> None:
    region.at = timezone.now()
    study = region.study()
    region.permit()
    address = f"/studies/{study.public_id}/"
    ada, olga = browser(region.ada), browser(region.olga)
    assert ada.post(f"{address}labels/", {"label": "HIV", "words": ""}).status_code == 422
    done = ada.post(f"{address}labels/", {"label": "HIV", "words": "Known"}, follow=True)
    assert "The study is labelled: HIV." in text(done)
    row = Labelling.objects.get()
    for person in (region.ada, region.ben):
        assert "HIV</span>" in text(browser(person).get(address))
    assert "labels/" not in text(browser(region.ben).get(address))
    lift = f"{address}labels/{row.public_id}/lift/"
    assert lift in text(olga.get(f"{address}labels/"))
    assert lift not in text(ada.get(f"{address}labels/"))
    for person in (region.ada, region.mei, region.ben, region.cleo):
        assert browser(person).post(lift, {"words": "Wrong"}).status_code == 404
    for person in (region.ben, region.cleo, region.admin):
        assert browser(person).get(f"{address}labels/").status_code == 404
    assert olga.post(lift, {"words": ""}).status_code == 422
    page = text(olga.post(lift, {"words": "Of another person"}, follow=True))
    assert "Of another person" in page, "the history stays"
    assert "HIV</span>" not in text(ada.get(address))
    assert "took a label off the study" in text(olga.get("/log/")).lower()


def test_a_rule_is_counted_made_and_ended_on_the_page(region: Region) -> None:
    region.study(description="HIV clinic")
    region.study(description="Ankle")
    olga = browser(region.olga)
    said = {"label": "HIV", "words": "hiv\nSIDA", "reason": "Clinic for infections"}
    assert olga.post("/labels/new/", {"label": "HIV", "reason": "x"}).status_code == 422
    page = text(olga.post("/labels/new/", said | {"step": "look"}))
    assert "It would label 1 study" in page
    assert not LabelRule.objects.exists()
    page = text(olga.post("/labels/new/", said | {"step": "make"}, follow=True))
    assert "Description says hiv or SIDA" in page
    rule = LabelRule.objects.get()
    assert "hiv or SIDA" in text(browser(region.admin).get("/labels/"))
    for person in (region.ada, region.mei, region.ben):
        assert browser(person).get("/labels/").status_code == 404
        assert browser(person).post(f"/labels/{rule.public_id}/end/").status_code == 404
    assert oskar(region).post(f"/labels/{rule.public_id}/end/").status_code == 404
    olga.post(f"/labels/{rule.public_id}/end/")
    rule.refresh_from_db()
    assert rule.ended_by == "Olga Weiss"


def test_a_referral_is_confirmed_by_a_person_and_ended(region: Region) -> None:
    study = region.study(referring_physician="HARTLEY^BEN")
    mei, address = browser(region.mei), f"/patients/{region.pat.public_id}/ties/"
    page = text(mei.get(address))
    assert "This opens nothing now" in page
    assert "Such a name: Ben Hartley, Hilltop Family Clinic" in page
    said = {
        "kind": "referrer", "study": study.public_id, "organization": "hilltop",
        "until": words.day(timezone.now() + timedelta(days=20)), "reason": "The letter",
    }  # fmt: skip
    assert mei.post(address, said).status_code == 422, "a referrer is a person"
    assert mei.post(address, said | {"kind": "consult"}).status_code == 422
    wrong = said | {"person": region.cleo.user.public_id}
    assert mei.post(address, wrong).status_code == 422
    done = mei.post(address, said | {"person": region.ben.user.public_id}, follow=True)
    assert "It is on file." in text(done)
    tie = Relationship.objects.get()
    assert (tie.user, tie.study_uid) == (region.ben.user, study.study_uid)
    for person in (region.ben, region.cleo, region.olga, region.admin):
        assert browser(person).get(address).status_code == 404
    assert (
        browser(region.ada).post(f"{address}{tie.public_id}/end/", {"words": "x"}).status_code
        == 404
    )
    page = text(mei.post(f"{address}{tie.public_id}/end/", {"words": "Mistaken"}, follow=True))
    assert "Mei Tan: Mistaken" in page


@pytest.mark.parametrize("policy", [ImplicitPolicy.TREATING, ImplicitPolicy.ALL_NORMAL])
def test_a_region_opened_by_policy_keeps_labelled_studies_closed_at_every_door(
    region: Region, policy: ImplicitPolicy
) -> None:
    RegionRow.objects.create(pk=1, implicit_policy=policy)
    plain = region.study(description="Knee")
    labelled = region.study(description="Clinic of secrets")
    ada = browser(region.ada)
    ada.post(f"/studies/{labelled.public_id}/labels/", {"label": "PSY", "words": "Told"})
    ben = browser(region.ben)
    assert ben.get(f"/studies/{plain.public_id}/").status_code == 200
    for address in (
        f"/studies/{labelled.public_id}/",
        f"/studies/{labelled.public_id}/thumbnail/",
        f"/api/v1/studies/{labelled.public_id}/",
        f"/dicomweb/studies/{labelled.study_uid}/metadata",
        f"/dicomweb/studies/{labelled.study_uid}/series",
        f"/viewer/{labelled.public_id}/",
    ):
        answer = ben.get(address)
        assert answer.status_code == 404 or answer.json() == [], address
    for address in (
        "/studies/",
        "/studies/?q=secrets",
        f"/patients/{region.pat.public_id}/",
        "/dicomweb/studies?includefield=all",
        "/api/v1/studies/",
    ):
        page = text(ben.get(address))
        assert "Clinic of" not in page, address
        assert labelled.study_uid not in page, address
        assert labelled.public_id not in page, address
    assert plain.study_uid in text(ben.get("/dicomweb/studies"))
    region.at = timezone.now()
    region.permit(labels=frozenset({"PSY"}))
    assert ben.get(f"/studies/{labelled.public_id}/").status_code == 200
    assert Study.objects.filter(labels="|").count() == 1
