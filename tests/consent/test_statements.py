"""The record of what was shown: made at signing, signed by the portal, kept as it is."""

import hashlib

import pytest
from django.db import DatabaseError, connection, transaction

from sharing.audit.models import Event
from sharing.blobs import store
from sharing.consent.errors import EvidenceInvalid, EvidenceUnavailable
from sharing.consent.models import Statement
from sharing.consent.services import is_signed, open_statement, paper_of, reading_of
from sharing.consent.services.recording import record_consent
from tests.cast import Region
from tests.consent.phones import issue, said, signed


def test_the_signed_phone_leaves_a_pdf_in_the_patient_s_language(region: Region) -> None:
    consent = signed(region, issue(region, "zh-Hans"), language="zh-Hans")
    statement, data = open_statement(region.mei.actor, public_id=consent.public_id, at=region.at)
    assert data.startswith(b"%PDF-1.7")
    assert hashlib.sha256(data).hexdigest() == statement.sha256
    assert b"NotoSansSC" in data, "Chinese glyphs are embedded"
    assert b"pdfaid:part>2" in data
    assert not hasattr(consent, "evidence")
    assert Event.objects.get(action="consent.read_statement").patient == region.pat.public_id


def test_the_portal_s_signature_fits_this_document_alone(region: Region) -> None:
    consent = signed(region, issue(region))
    kept = consent.statement
    proof = {"signature": kept.signature, "public_key": kept.public_key}
    assert is_signed(kept.sha256, **proof)
    other = hashlib.sha256(b"another").hexdigest()
    assert not is_signed(other, **proof)
    assert not is_signed(kept.sha256, **proof | {"signature": "00" * 64})
    assert not is_signed(kept.sha256, **proof | {"public_key": "11" * 32})
    assert not is_signed(kept.sha256, **proof | {"public_key": "no key"})


def test_the_same_words_make_the_same_bytes(region: Region) -> None:
    words = said(region)
    reading = reading_of(words, patient=region.pat, custodian=region.riverside, language="zh-Hans")
    told = {"told": words, "by": "Mei Tan", "at": region.at, "reference": "r"}
    assert paper_of(reading, **told) == paper_of(reading, **told)


def test_words_are_set_as_text_and_never_run(region: Region) -> None:
    """Names come from outside: nothing of them is markup of the document."""
    region.hilltop.name = '#panic("run") $x$ *bold* <end> \\ " 莫'
    words = said(region)
    reading = reading_of(words, patient=region.pat, custodian=region.riverside, language="en")
    made = paper_of(reading, told=words, by="#panic()", at=region.at, reference="#read('/etc')")
    assert made.startswith(b"%PDF")


def test_a_changed_or_lost_document_is_not_handed_out(region: Region) -> None:
    consent = signed(region, issue(region))
    path = store().root / consent.statement.blob  # type: ignore[attr-defined]
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(EvidenceUnavailable):
        open_statement(region.mei.actor, public_id=consent.public_id, at=region.at)
    path.unlink()
    with pytest.raises(EvidenceUnavailable):
        open_statement(region.mei.actor, public_id=consent.public_id, at=region.at)


def test_the_record_of_it_is_never_rewritten(region: Region) -> None:
    consent = signed(region, issue(region))
    for statement in (
        "UPDATE consent_statement SET sha256 = 'x'",
        "DELETE FROM consent_statement",
    ):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    late = Statement(consent=region.permit(), blob="a/b/c", sha256="0" * 64, size=1)
    with pytest.raises(DatabaseError), transaction.atomic():
        late.save()
    assert Statement.objects.get().consent == consent


def test_a_phone_s_consent_without_its_document_is_none(region: Region) -> None:
    with pytest.raises(EvidenceInvalid):
        record_consent(patient=region.pat, said=said(region), by=region.mei.actor, at=region.at)
