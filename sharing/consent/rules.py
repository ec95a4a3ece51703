"""What a consent is: its states, its kinds, its axes, and what it says in words. Pure."""

from collections.abc import Mapping
from enum import StrEnum


class ConsentState(StrEnum):
    """Where one version of a consent stands. Revoked is terminal: to permit again, a new one."""

    DRAFT = "draft"
    ACTIVE = "active"
    REVOKED = "revoked"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"
    ENTERED_IN_ERROR = "entered_in_error"


class ConsentEvent(StrEnum):
    """What moves it."""

    ACTIVATE = "activate"
    REVOKE = "revoke"
    EXPIRE = "expire"
    SUPERSEDE = "supersede"
    MARK_ERROR = "mark_error"


_S, _E = ConsentState, ConsentEvent
NEXT: Mapping[tuple[ConsentState, ConsentEvent], ConsentState] = {
    (_S.DRAFT, _E.ACTIVATE): _S.ACTIVE,
    (_S.DRAFT, _E.MARK_ERROR): _S.ENTERED_IN_ERROR,
    (_S.ACTIVE, _E.REVOKE): _S.REVOKED,
    (_S.ACTIVE, _E.EXPIRE): _S.EXPIRED,
    (_S.ACTIVE, _E.SUPERSEDE): _S.SUPERSEDED,
    (_S.ACTIVE, _E.MARK_ERROR): _S.ENTERED_IN_ERROR,
}


class Decision(StrEnum):
    """What the patient said."""

    PERMIT = "permit"
    DENY = "deny"


class GranteeKind(StrEnum):
    """Whom a consent names. Membership is resolved at the time of access."""

    ORGANIZATION = "organization"
    PRACTITIONER = "practitioner"
    NAMED_BY_CUSTODIAN = "named_by_custodian"


class Axis(StrEnum):
    """What a consent is limited to: AND between axes, OR within one, no row is no limit."""

    STUDY = "study"
    MODALITY = "modality"
    PERFORMING_ORGANIZATION = "performing_organization"


class Verification(StrEnum):
    """How it was made sure that the patient agreed."""

    PAPER = "paper"
    VERBAL = "verbal"


class Performer(StrEnum):
    """Who spoke for the patient."""

    SELF = "self"
    PARENT = "parent"
    GUARDIAN = "guardian"
    REPRESENTATIVE = "representative"


EVIDENCE_MAX_BYTES = 20 * 1024 * 1024

_SIGNATURES = {b"%PDF-": "application/pdf", b"\x89PNG\r\n\x1a\n": "image/png"}


def media_type_of(head: bytes) -> str | None:
    """The type of an evidence document by its first bytes, or None when it is no such thing."""
    if head[:3] == b"\xff\xd8\xff":
        return "image/jpeg"
    return next((kind for mark, kind in _SIGNATURES.items() if head.startswith(mark)), None)
