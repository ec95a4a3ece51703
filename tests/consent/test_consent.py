"""What the clerk records and ends, and what the database will not take."""

import io
from datetime import timedelta
from itertools import product

import pytest
from django.db import IntegrityError, transaction

from sharing.audit.models import Event
from sharing.consent.errors import ConsentInvalid, ConsentNotFound, EvidenceInvalid
from sharing.consent.models import Consent
from sharing.consent.rules import EVIDENCE_MAX_BYTES, NEXT, ConsentEvent, ConsentState
from sharing.consent.services import (
    expire_consents,
    mark_error,
    open_evidence,
    own_consent,
    revoke_consent,
)
from sharing.kernel.lifecycle import NotNow, step
from sharing.outbox.models import Job
from sharing.tenants.errors import NotAllowed
from sharing.tenants.rules import Role
from tests.cast import NOW, PDF, Region, make_patient, make_person


@pytest.mark.parametrize(("state", "event"), list(product(ConsentState, ConsentEvent)))
def test_every_state_meets_every_event(state: ConsentState, event: ConsentEvent) -> None:
    if (state, event) in NEXT:
        assert step(NEXT, state, event) == NEXT[(state, event)]
    else:
        with pytest.raises(NotNow):
            step(NEXT, state, event)


def test_revoked_leads_nowhere() -> None:
    assert not [state for state, _ in NEXT if state == ConsentState.REVOKED]


def test_mei_records_a_consent_with_its_scan_and_the_log_says_so(region: Region) -> None:
    consent = region.permit()
    assert (consent.state, consent.reference) == ("active", "C-1001")
    evidence, document = open_evidence(region.mei.actor, public_id=consent.public_id, at=NOW)
    assert (document, evidence.media_type) == (PDF, "application/pdf")
    actions = list(Event.objects.order_by("pk").values_list("action", flat=True))
    assert actions[-2:] == ["consent.record", "consent.read_evidence"]


def test_ada_and_ben_cannot_record_consents(region: Region) -> None:
    for person in (region.ada, region.ben, region.olga):
        region.mei = person
        with pytest.raises(NotAllowed):
            region.permit()
    assert not Consent.objects.exists()


def test_mei_cannot_record_for_another_hospitals_patient(region: Region) -> None:
    elsewhere = make_patient(region.lakeside, "LS-1")
    with pytest.raises(ConsentNotFound):
        region.permit(patient=elsewhere)


@pytest.mark.parametrize(
    "missing",
    [
        {"organizations": ()},
        {"purposes": frozenset()},
        {"actions": frozenset()},
        {"ends_at": NOW},
        {"verification": "verbal", "witness": ""},
    ],
)
def test_a_consent_that_says_too_little_is_refused(region: Region, missing: dict) -> None:
    with pytest.raises(ConsentInvalid):
        region.permit(**missing)
    assert not Consent.objects.exists()


@pytest.mark.parametrize(
    "document",
    [b"", b"<html><script>alert(1)</script>", b"MZ\x90", PDF + b"0" * EVIDENCE_MAX_BYTES],
    ids=["empty", "markup", "program", "too large"],
)
def test_a_document_that_is_no_scan_is_refused_and_nothing_is_recorded(
    region: Region, document: bytes
) -> None:
    with pytest.raises(EvidenceInvalid):
        region.permit(evidence=io.BytesIO(document))
    assert not Consent.objects.exists()


def test_a_paper_consent_needs_its_scan(region: Region) -> None:
    with pytest.raises(EvidenceInvalid):
        region.permit(evidence=None)


def test_revoking_is_final_and_tells_those_who_lose_sight(region: Region) -> None:
    consent = region.permit()
    revoked = region.revoke(consent)
    assert (revoked.state, revoked.ended_by) == ("revoked", "Mei Tan")
    assert Job.objects.filter(task="notify.tell_revoked", ids={"consent_id": consent.pk}).exists()
    assert Event.objects.filter(action="consent.revoke", detail__consent="C-1001 v1").exists()
    with pytest.raises(NotNow):
        region.revoke(consent)


def test_another_hospitals_clerk_cannot_revoke_or_read_it(region: Region) -> None:
    consent = region.permit()
    with pytest.raises(NotAllowed):
        revoke_consent(consent=consent, by=region.ben.actor, why="", at=NOW)
    clerk = make_person("Nia Obi", region.hilltop, Role.CLERK).actor
    for end in (revoke_consent, mark_error):
        with pytest.raises(ConsentNotFound):
            end(consent=consent, by=clerk, why="", at=NOW)
    with pytest.raises(ConsentNotFound):
        own_consent(clerk, public_id=consent.public_id)
    consent.refresh_from_db()
    assert consent.state == "active"


def test_what_has_run_out_is_marked_expired(region: Region) -> None:
    consent = region.permit()
    assert expire_consents(at=NOW + timedelta(days=89)) == 0
    assert expire_consents(at=NOW + timedelta(days=90)) == 1
    consent.refresh_from_db()
    assert consent.state == "expired"


def test_the_database_takes_no_consent_that_ends_before_it_starts(region: Region) -> None:
    consent = region.permit()
    with pytest.raises(IntegrityError), transaction.atomic():
        Consent.objects.filter(pk=consent.pk).update(ends_at=consent.starts_at)
