"""Handing consents and their evidence to those who may read them."""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import OuterRef, Q, QuerySet, Subquery

from sharing.blobs import BlobMissing, store
from sharing.consent.errors import ConsentNotFound, EvidenceUnavailable
from sharing.consent.models import Consent, Evidence, Statement
from sharing.consent.rules import ConsentState, Decision
from sharing.identity.models import Patient
from sharing.tenants.rules import Actor

from .logbook import log


def consents_of(*, patient: Patient) -> QuerySet[Consent]:
    """All consents of one patient, newest first."""
    return (
        Consent.objects.filter(patient=patient)
        .select_related("custodian", "patient")
        .prefetch_related("grantees__organization", "grantees__user", "terms")
        .order_by("-recorded_at", "-pk")
    )


def consents_recorded(actor: Actor) -> QuerySet[Consent]:
    """All consents the acting organization keeps, newest first."""
    return (
        Consent.objects.filter(custodian_id=actor.organization_id)
        .select_related("custodian", "patient")
        .prefetch_related("grantees__organization", "grantees__user", "terms")
        .order_by("-recorded_at", "-pk")
    )


def consents_standing(actor: Actor) -> QuerySet[Any]:
    """Of each consent that the acting organization keeps, the version that is the last word.

    `chain` names it through all its versions: the public id of the first.
    """
    return _chained(actor).exclude(state__in=(ConsentState.SUPERSEDED, ConsentState.DRAFT))


def versions_of(actor: Actor, *, chain: str) -> list[Any]:
    """All versions of one consent, the newest first. Raises ConsentNotFound."""
    found = list(_chained(actor).filter(chain=chain).order_by("-version"))
    if not found:
        raise ConsentNotFound()
    return found


def _chained(actor: Actor) -> QuerySet[Any]:
    first = Consent.objects.filter(
        custodian=OuterRef("custodian"), number=OuterRef("number"), version=1
    )
    return consents_recorded(actor).annotate(chain=Subquery(first.values("public_id")[:1]))


def consents_ending(
    actor: Actor, *, at: datetime, within: timedelta = timedelta(days=30)
) -> QuerySet[Consent]:
    """Permits of the own patients that end soon, or that who spoke for them soon may no longer
    give; the soonest first.
    """
    soon = at + within
    ends = Q(ends_at__gt=at, ends_at__lte=soon) | Q(lapses_at__gt=at, lapses_at__lte=soon)
    found = consents_recorded(actor).filter(
        ends, state=ConsentState.ACTIVE, decision=Decision.PERMIT
    )
    return found.order_by("ends_at", "pk")


def in_force_at(actor: Actor, moments: Sequence[datetime]) -> list[int]:
    """How many consents of the acting organization were in force at each of these moments."""
    spoken = consents_recorded(actor).exclude(state__in=_NEVER_SPOKE)
    periods = spoken.values_list("starts_at", "ends_at", "lapses_at", "ended_at")
    spans = [(starts, min(filter(None, ends), default=None)) for starts, *ends in periods]
    return [
        sum(starts <= at and (ends is None or at < ends) for starts, ends in spans)
        for at in moments
    ]


_NEVER_SPOKE = (ConsentState.DRAFT, ConsentState.ENTERED_IN_ERROR)


def ended_since(actor: Actor, since: datetime) -> int:
    """How many consents of the acting organization ended since then."""
    return consents_recorded(actor).filter(ended_at__gte=since).count()


def own_consent(actor: Actor, *, public_id: str) -> Consent:
    """One consent the acting organization keeps. Raises ConsentNotFound."""
    try:
        return consents_recorded(actor).get(public_id=public_id)
    except Consent.DoesNotExist:
        raise ConsentNotFound() from None


def open_evidence(actor: Actor, *, public_id: str, at: datetime) -> tuple[Evidence, bytes]:
    """The scanned form of one consent of the own organization, logged.

    Raises ConsentNotFound, and EvidenceUnavailable when its bytes are gone or other ones.
    """
    consent = own_consent(actor, public_id=public_id)
    evidence = Evidence.objects.filter(consent=consent).first()
    if evidence is None:
        raise ConsentNotFound()
    log(actor.who, "consent.read_evidence", consent, at)
    return evidence, bytes_of(evidence)


def open_statement(actor: Actor, *, public_id: str, at: datetime) -> tuple[Statement, bytes]:
    """The record of what was shown for one consent of the own organization, logged.

    Raises ConsentNotFound, and EvidenceUnavailable when its bytes are gone or other ones.
    """
    consent = own_consent(actor, public_id=public_id)
    statement = Statement.objects.filter(consent=consent).first()
    if statement is None:
        raise ConsentNotFound()
    log(actor.who, "consent.read_statement", consent, at)
    return statement, bytes_of(statement)


def bytes_of(document: Evidence | Statement) -> bytes:
    """A kept document as it was kept. Raises EvidenceUnavailable."""
    try:
        data = store().read(document.blob, 0, document.size)
    except (BlobMissing, OSError) as error:
        raise EvidenceUnavailable() from error
    if hashlib.sha256(data).hexdigest() != document.sha256:
        raise EvidenceUnavailable()
    return data
