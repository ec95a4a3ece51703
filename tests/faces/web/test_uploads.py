"""The upload page and the receipt."""

import pytest
from django.test import Client
from django.utils import timezone

from sharing.archive.models import Batch, Delivery, DeliveryItem, Study
from tests.cast import Person, Region
from tests.sessions import sign_in


def browser(person: Person) -> Client:
    return sign_in(Client(), person.user)


@pytest.fixture
def batch(region: Region) -> Batch:
    at = timezone.now()
    return Batch.objects.create(
        organization=region.riverside, user=region.mei.user, opened_at=at, touched_at=at
    )


def received(region: Region, batch: Batch, study: Study) -> None:
    """One file of each outcome."""
    at = timezone.now()
    Batch.objects.filter(pk=batch.pk).update(closed_at=at, received_at=at)
    delivery = Delivery.objects.create(
        organization=region.riverside, door="upload", sender="Mei Tan", batch=batch, received_at=at
    )
    outcomes = {
        "stored": "",
        "duplicate": "",
        "conflict": "Other content waits.",
        "rejected": "The file is cut off.",
        "ignored": "A DICOMDIR is not stored.",
    }
    for outcome, reason in outcomes.items():
        held = study if outcome in ("stored", "duplicate") else None
        DeliveryItem.objects.create(
            delivery=delivery, name=f"<b>{outcome}</b>", outcome=outcome, reason=reason, study=held
        )


def test_only_who_uploads_meets_the_upload_page(region: Region) -> None:
    shown = browser(region.mei).get("/upload/")
    assert 'data-batch-endpoint="/api/v1/upload-batches/"' in shown.content.decode()
    for person in (region.ada, region.ben, region.olga, region.admin):
        assert browser(person).get("/upload/").status_code == 404


def test_the_receipt_asks_for_itself_until_all_is_stored(region: Region, batch: Batch) -> None:
    part = browser(region.mei).get(
        f"/upload/{batch.public_id}/receipt/", headers={"HX-Request": "true"}
    )
    shown = part.content.decode()
    assert 'hx-trigger="every 1s"' in shown
    assert "data-complete" not in shown
    assert "<html" not in shown


def test_the_receipt_counts_every_file_and_says_why(region: Region, batch: Batch) -> None:
    received(region, batch, region.study())
    shown = browser(region.mei).get(f"/upload/{batch.public_id}/receipt/").content.decode()
    for word in ("Sent", "Stored", "Already here", "Conflict", "Refused", "Ignored"):
        assert f"<dt>{word}</dt>" in shown
    assert "<dd>5 files</dd>" in shown
    for reason in ("The file is cut off.", "Other content waits.", "A DICOMDIR is not stored."):
        assert reason in shown
    assert "&lt;b&gt;rejected&lt;/b&gt;" in shown
    assert "and whom a consent of the patient permits" in shown
    assert "data-complete" in shown


def test_the_receipt_waits_for_the_studies_to_settle(region: Region, batch: Batch) -> None:
    received(region, batch, region.study(state="settling"))
    shown = browser(region.mei).get(f"/upload/{batch.public_id}/receipt/").content.decode()
    assert "Settling" in shown
    assert 'hx-trigger="every 1s"' in shown


def test_another_s_receipt_is_not_there(region: Region, batch: Batch) -> None:
    for person in (region.ada, region.ben, region.cleo):
        assert browser(person).get(f"/upload/{batch.public_id}/receipt/").status_code == 404
