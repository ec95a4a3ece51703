"""The consent desk in the browser: recording, reading, ending, and the signed form."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from sharing.archive.models import Study
from sharing.consent.models import Consent
from tests.cast import PDF, Person, Region
from tests.sessions import sign_in


def browser(person: Person) -> Client:
    return sign_in(Client(), person.user)


def form(**changes: Any) -> dict[str, Any]:
    """A consent as the clerk fills it in: permit Hilltop, images, 90 days, on paper."""
    scan = SimpleUploadedFile("scan.pdf", PDF, "application/pdf")
    filled = {
        "decision": "permit",
        "organizations": ["hilltop"],
        "may": "images",
        "purpose": "TREAT",
        "period": "90",
        "verification": "paper",
        "performer": "self",
        "evidence": scan,
    } | changes
    return {key: value for key, value in filled.items() if value is not None}


@pytest.fixture
def study(region: Region) -> Study:
    region.at = timezone.now()
    return region.study(description="Chest with contrast")


def new(region: Region) -> str:
    return reverse("web:new-consent", args=[region.pat.public_id])


def test_ben_sees_the_study_once_mei_recorded_the_consent(region: Region, study: Study) -> None:
    ben, where = browser(region.ben), reverse("web:study", args=[study.public_id])
    assert ben.get(where).status_code == 404
    answer = browser(region.mei).post(new(region), form())
    consent = Consent.objects.get()
    assert answer.url == reverse("web:consent", args=[consent.public_id])
    assert ben.get(where).status_code == 200
    assert (consent.ends_at - timezone.now()).days in (89, 90)


def test_a_radiologist_can_t_record_a_consent(region: Region, study: Study) -> None:
    for person in (region.ada, region.ben, region.olga, region.admin):
        assert browser(person).get(new(region)).status_code == 404
        assert browser(person).post(new(region), form()).status_code == 404
    assert not Consent.objects.exists()


def test_errors_stand_beside_their_fields_and_keep_what_was_filled_in(
    region: Region, study: Study
) -> None:
    wrong = form(organizations=None, period="day", until="soon", performer="parent", witness="Eve")
    answer = browser(region.mei).post(new(region), wrong)
    shown = answer.content.decode()
    assert answer.status_code == 422
    assert "Choose to whom the consent speaks." in shown
    assert 'value="soon"' in shown
    assert "Write the day as 22 Feb 2027." in shown
    assert '<option value="parent" selected>' in shown
    assert not Consent.objects.exists()


def test_the_signed_form_must_be_a_pdf_or_a_picture_by_its_bytes(
    region: Region, study: Study
) -> None:
    script = SimpleUploadedFile("scan.pdf", b"<script>alert(1)</script>", "application/pdf")
    answer = browser(region.mei).post(new(region), form(evidence=script))
    assert answer.status_code == 422
    assert "Attach a PDF or a picture" in answer.content.decode()
    assert not Consent.objects.exists()


def test_paper_needs_its_scan_and_speech_its_witness(region: Region, study: Study) -> None:
    mei = browser(region.mei)
    assert "Attach the signed form." in mei.post(new(region), form(evidence=None)).content.decode()
    spoken = form(evidence=None, verification="verbal")
    assert "needs a witness" in mei.post(new(region), spoken).content.decode()
    assert mei.post(new(region), spoken | {"witness": "Eve Nolan"}).status_code == 302
    assert Consent.objects.get().witness == "Eve Nolan"


def test_the_preview_says_it_in_words_and_counts_what_becomes_visible(
    region: Region, study: Study
) -> None:
    where = reverse("web:consent-preview", args=[region.pat.public_id])
    shown = browser(region.mei).post(where, form(evidence=None)).content.decode()
    assert "Hilltop Family Clinic may find all imaging of MOREAU Pat 莫帕" in shown
    assert "They may not download, send to an archive or share on." in shown
    assert "+1" in shown
    assert "1 person at Hilltop Family Clinic" in shown
    assert not Consent.objects.exists()


def test_the_preview_of_a_denial_counts_what_becomes_hidden(region: Region, study: Study) -> None:
    region.permit()
    where = reverse("web:consent-preview", args=[region.pat.public_id])
    denial = form(evidence=None, decision="deny", period="open")
    shown = browser(region.mei).post(where, denial).content.decode()
    assert "Hilltop Family Clinic may not find or view" in shown
    assert "study hidden from 1 person" in " ".join(shown.replace("\n", " ").split())


def test_the_preview_of_an_empty_form_asks_for_the_grantee(region: Region, study: Study) -> None:
    where = reverse("web:consent-preview", args=[region.pat.public_id])
    shown = browser(region.mei).post(where, {}).content.decode()
    assert "Choose to whom the consent speaks" in shown


def test_a_denial_wins_over_the_permit(region: Region, study: Study) -> None:
    region.permit()
    browser(region.mei).post(new(region), form(decision="deny", period="open"))
    ben = browser(region.ben)
    assert ben.get(reverse("web:study", args=[study.public_id])).status_code == 404


def test_a_consent_for_one_kind_of_images_hides_the_others(region: Region, study: Study) -> None:
    knee = region.study(modalities="|MR|")
    browser(region.mei).post(new(region), form(modalities=["MR"]))
    ben = browser(region.ben)
    assert ben.get(reverse("web:study", args=[knee.public_id])).status_code == 200
    assert ben.get(reverse("web:study", args=[study.public_id])).status_code == 404


def test_revoking_names_whom_and_what_it_hides_before_it_happens(
    region: Region, study: Study
) -> None:
    consent = region.permit()
    region.study()
    mei, where = browser(region.mei), reverse("web:revoke-consent", args=[consent.public_id])
    shown = " ".join(mei.get(where).content.decode().split())
    assert "1 person loses sight of 2 studies" in shown
    assert f"Revoke consent {consent.reference}</button>" in shown
    consent.refresh_from_db()
    assert consent.state == "active"
    mei.post(where, {"why": "The patient called."})
    consent.refresh_from_db()
    assert (consent.state, consent.ended_why) == ("revoked", "The patient called.")


def test_revoking_is_final(region: Region, study: Study) -> None:
    consent = region.permit()
    region.revoke(consent)
    mei, where = browser(region.mei), reverse("web:revoke-consent", args=[consent.public_id])
    assert (
        "Revoke consent C-"
        not in mei.get(where).content.decode().split("<main")[1].split("<h1>")[1].split("</h1>")[1]
    )
    assert mei.post(where, {"why": "Again."}).status_code == 409


def test_revoking_needs_a_reason(region: Region, study: Study) -> None:
    consent = region.permit()
    where = reverse("web:revoke-consent", args=[consent.public_id])
    assert browser(region.mei).post(where, {"why": " "}).status_code == 422
    consent.refresh_from_db()
    assert consent.state == "active"


def test_the_signed_form_leaves_as_a_file_and_never_as_a_page(region: Region, study: Study) -> None:
    consent = region.permit()
    where = reverse("web:consent-evidence", args=[consent.public_id])
    answer = browser(region.mei).get(where)
    assert answer.content == PDF
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"] == f'attachment; filename="{consent.reference}-v1.pdf"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    for person in (region.ada, region.ben, region.cleo, region.admin):
        assert browser(person).get(where).status_code == 404


def test_other_organizations_can_t_read_our_consents(region: Region, study: Study) -> None:
    consent = region.permit()
    for person in (region.ben, region.cleo):
        for name in ("web:consent", "web:revoke-consent", "web:consent-evidence"):
            where = reverse(name, args=[consent.public_id])
            assert browser(person).get(where).status_code == 404
        assert consent.reference not in browser(person).get("/consents/").content.decode()


def test_a_consent_that_ran_out_is_shown_as_ended(region: Region, study: Study) -> None:
    at = timezone.now() - timedelta(days=10)
    consent = region.permit(at=at, ends_at=at + timedelta(days=5))
    shown = browser(region.mei).get(reverse("web:consent", args=[consent.public_id]))
    assert "Ended on" in shown.content.decode()
