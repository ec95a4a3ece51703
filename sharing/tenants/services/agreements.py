"""Agreements that two organizations signed: the region's operator keeps them."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import IO

from django.db import transaction
from django.db.models import Q, QuerySet

from sharing.audit.rules import What
from sharing.audit.services import record
from sharing.kernel.purposes import Purpose
from sharing.tenants.errors import AgreementInvalid, AgreementNotFound
from sharing.tenants.models import Agreement, AgreementModality, Organization
from sharing.tenants.rules import Actor, Duty, OrganizationState

from .acting import require

AGREED_FOR = (Purpose.TREATMENT, Purpose.OPERATIONS, Purpose.RESEARCH, Purpose.PATIENT_REQUEST)
"""Purposes that a session may declare; an emergency happens within treatment."""
DOCUMENT_MAX_BYTES = 20 * 1024 * 1024
PIECE = 64 * 1024


@dataclass(frozen=True)
class Terms:
    """What was signed. No modality: all of them."""

    provider: Organization
    recipient: Organization
    purposes: frozenset[Purpose]
    starts_at: datetime
    ends_at: datetime
    signed_for_provider: str
    signed_for_recipient: str
    modalities: frozenset[str] = frozenset()


def agreements(actor: Actor) -> QuerySet[Agreement]:
    """Those that concern the actor, newest first: the operator's are all. Raises NotAllowed."""
    require(actor, Duty.READ_AGREEMENTS)
    found = Agreement.objects.select_related("provider", "recipient")
    if not actor.may(Duty.RECORD_AGREEMENT):
        mine = actor.organization_id
        found = found.filter(Q(provider_id=mine) | Q(recipient_id=mine))
    return found.prefetch_related("modalities").order_by("-starts_at", "-pk")


@transaction.atomic
def record_agreement(
    *, terms: Terms, document: IO[bytes], name: str, by: Actor, at: datetime
) -> Agreement:
    """Keep what two organizations signed, with the hash of the paper; the paper stays with them.

    Raises NotAllowed, AgreementInvalid.
    """
    require(by, Duty.RECORD_AGREEMENT)
    _check(terms, at)
    made = Agreement.objects.create(
        provider=terms.provider,
        recipient=terms.recipient,
        purposes="|" + "|".join(sorted(terms.purposes)) + "|",
        starts_at=terms.starts_at,
        ends_at=terms.ends_at,
        signed_for_provider=terms.signed_for_provider.strip(),
        signed_for_recipient=terms.signed_for_recipient.strip(),
        document=name.rsplit("/", 1)[-1][:200],
        document_sha256=_hash(document),
        recorded_by=by.name,
        recorded_at=at,
    )
    AgreementModality.objects.bulk_create(
        AgreementModality(agreement=made, value=word) for word in sorted(terms.modalities)
    )
    _log(by, "agreement.record", made, at)
    return made


@transaction.atomic
def end_agreement(*, public_id: str, why: str, by: Actor, at: datetime) -> Agreement:
    """From now on it holds no more. Raises NotAllowed, AgreementNotFound, AgreementInvalid."""
    require(by, Duty.RECORD_AGREEMENT)
    found = agreements(by).select_for_update(of=("self",)).filter(public_id=public_id).first()
    if found is None:
        raise AgreementNotFound()
    if found.ends_at <= at:
        raise AgreementInvalid("It has ended already.")
    if not why.strip():
        raise AgreementInvalid("Say in a few words why.")
    found.ends_at = max(at, found.starts_at)
    found.ended_at, found.ended_by, found.ended_why = at, by.name, why.strip()[:300]
    found.save(update_fields=["ends_at", "ended_at", "ended_by", "ended_why"])
    _log(by, "agreement.end", found, at)
    return found


def agreements_with(custodians: Iterable[int]) -> QuerySet[Agreement]:
    """All that these organizations signed as providers, for the decision."""
    return Agreement.objects.filter(provider_id__in=set(custodians)).order_by("pk")


def agreements_in_force(*, at: datetime) -> int:
    """How many hold now, in the whole region."""
    return Agreement.objects.in_force(at).count()


def _check(terms: Terms, at: datetime) -> None:
    parties = (terms.provider, terms.recipient)
    if terms.provider.pk == terms.recipient.pk:
        raise AgreementInvalid("Choose two organizations.")
    if any(party.state != OrganizationState.ACTIVE for party in parties):
        raise AgreementInvalid("Both organizations must be active.")
    if not terms.purposes or not terms.purposes <= set(AGREED_FOR):
        raise AgreementInvalid("Choose for which purposes.")
    if terms.ends_at <= max(terms.starts_at, at):
        raise AgreementInvalid("It ends before it begins.")
    if not terms.signed_for_provider.strip() or not terms.signed_for_recipient.strip():
        raise AgreementInvalid("Name who signed, for both.")


def _hash(document: IO[bytes]) -> str:
    """Of all its bytes. Raises AgreementInvalid for an empty or an endless one."""
    digest, size = hashlib.sha256(), 0
    while piece := document.read(PIECE):
        size += len(piece)
        if size > DOCUMENT_MAX_BYTES:
            raise AgreementInvalid("The document is larger than 20 MB.")
        digest.update(piece)
    if not size:
        raise AgreementInvalid("The document is empty.")
    return digest.hexdigest()


def _log(by: Actor, action: str, agreement: Agreement, at: datetime) -> None:
    detail = {
        "agreement": agreement.public_id,
        "provider": agreement.provider.code,
        "recipient": agreement.recipient.code,
        "sha256": agreement.document_sha256,
    }
    record(who=by.who, action=action, at=at, what=What(agreement.provider.code, detail=detail))
