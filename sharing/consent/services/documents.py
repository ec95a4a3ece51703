"""The record of what was shown: a PDF in the patient's language, signed by the portal's key."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import pylopdf_fonts_zh_cn
import typst
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.utils import timezone

from sharing.audit.keys import sign
from sharing.blobs import new_key, scratch, store, sync
from sharing.consent.models import Consent, Statement
from sharing.consent.rules import Performer, Stroke, Verification
from sharing.consent.texts import newest, text

from .readings import Reading, moment
from .saying import Told

DOMAIN = b"consent-document:1:"
"""The key signs this and the document's SHA-256 in hex; heads of the log begin otherwise."""

PAPER = Path(__file__).parent.parent / "papers" / "statement.typ"


def paper_of(
    reading: Reading,
    *,
    told: Told,
    by: str,
    at: datetime,
    reference: str,
    strokes: Sequence[Stroke] = (),
) -> bytes:
    """The PDF (PDF/A-2b, fonts embedded) of what the patient read and how they agreed."""
    local = timezone.localtime(at)
    words = newest("paper", reading.language).parts
    shown = text(reading.name, reading.language)
    language, _, script = reading.language.partition("-")
    data = {
        "title": words["title"],
        "words": words,
        "lang": language,
        "region": "CN" if script else None,
        "lead": reading.lead,
        "question": reading.question,
        "patient": [[words["patient"], reading.patient], [words["born"], reading.born]],
        "facts": reading.facts,
        "promises": [promise for _, promise in reading.promises],
        "full": reading.full,
        "signed": reading.signed,
        "strokes": strokes,
        "told": _told(words, told, by, reading, at, f"{shown.name} {shown.sha256}"),
        "reference": f"{words['reference']} {reference}",
        "year": local.year,
        "month": local.month,
        "day": local.day,
    }
    return _set(json.dumps(data, ensure_ascii=False), at)


def _told(
    words: Mapping[str, Any], told: Told, by: str, reading: Reading, at: datetime, shown: str
) -> list[list[str]]:
    qr = "qr" if told.performer == Performer.SELF else "qr_for"
    how = {Verification.QR: qr, Verification.VERBAL: "verbal"}.get(told.verification, "paper")
    speaker = told.proxy.name if told.proxy else told.performer_name
    return [
        [words["performer"], speaker or reading.patient],
        [words["how"], str(words[how]).format(witness=told.witness)],
        [words["recorded"], by],
        [words["when"], f"{moment(at, reading.language)} {timezone.localtime(at):%Z}"],
        [words["text"], shown],
    ]


def _set(data: str, at: datetime) -> bytes:
    made = typst.compile(
        PAPER.read_bytes(),
        font_paths=_fonts(),
        format="pdf",
        sys_inputs={"data": data},
        pdf_standards="a-2b",
        timestamp=int(at.timestamp()),
    )
    if not isinstance(made, bytes):
        raise TypeError("one document is one file")
    return made


@cache
def _fonts() -> typst.Fonts:
    """Ours alone: what a machine has of its own would give another document there."""
    return typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=False,
        font_paths=[str(pylopdf_fonts_zh_cn.sans_path().parent)],
    )


def keep_statement(consent: Consent, document: bytes) -> None:
    """Keep it durably, with the portal's signature, before the consent is committed."""
    digest = hashlib.sha256(document).hexdigest()
    with scratch() as copy:
        copy.write(document)
        sync(copy)
        key = new_key(consent.custodian.code, "consents", "pdf")
        store().adopt(key, Path(copy.name))
    public_key, signature = signed(digest)
    Statement.objects.create(
        consent=consent,
        blob=key,
        sha256=digest,
        size=len(document),
        public_key=public_key,
        signature=signature,
    )


def signed(sha256: str) -> tuple[str, str]:
    """The portal's public key and its signature on the document of that hash, both hex."""
    return sign(DOMAIN + sha256.encode("ascii"))


def is_signed(sha256: str, *, signature: str, public_key: str) -> bool:
    """Whether the key of that name signed the document of that hash."""
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key))
        key.verify(bytes.fromhex(signature), DOMAIN + sha256.encode("ascii"))
    except (InvalidSignature, ValueError):
        return False
    return True
