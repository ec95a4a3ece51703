"""What is on file now about patients, read for a decision; as it stood once is `past`'s to read."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet, prefetch_related_objects

from sharing.access.models import GlassPatient, Grant, Relationship, Use
from sharing.access.rules import (
    AgreementFacts,
    Facts,
    GlassFacts,
    GlassState,
    GrantFacts,
    RelationFacts,
    Subject,
    UseFacts,
)
from sharing.consent.models import Consent
from sharing.consent.rules import ConsentState
from sharing.kernel.prepared import NOBODY, prepared
from sharing.tenants.models import Agreement
from sharing.tenants.services import agreements_with, region_settings

from .by_value import (
    agreement_facts,
    facts_of_consents,
    facts_of_grants,
    open_glass_facts,
    relation_facts,
    use_facts,
)


def facts_on_file(subjects: Sequence[Subject]) -> Facts:
    """All consents and grants in force about these patients, by value.

    As many statements whatever is on file: their number would tell a refused reader of it.
    """
    patients = {subject.patient_id for subject in subjects}
    consents, region = prepared(_consents, patients), region_settings()
    return Facts(
        consents=facts_of_consents(consents, uses_of(consents)),
        grants=_grants_on_file(patients),
        region=region,
        relations=all_relations(patients) if region.implied else (),
        glasses=_glasses_on_file(patients),
        agreements=agreements_of(subjects) if region.agreements else (),
    )


def _consents(patients: list[int]) -> QuerySet[Consent]:
    active = Consent.objects.filter(patient_id__in=patients, state=ConsentState.ACTIVE)
    return active.order_by("pk")


def _grants_on_file(patients: set[int]) -> tuple[GrantFacts, ...]:
    found: list[Any] = prepared(_grants, patients)
    return tuple(
        replace(facts, through_active=grant.comes_through)
        for grant, facts in zip(found, facts_of_grants(found), strict=True)
    )


def _grants(patients: list[int]) -> QuerySet[Grant]:
    live = Grant.objects.filter(patient_id__in=patients, revoked_at=None)
    through = Exists(Grant.objects.filter(pk=OuterRef("pk")).coming_through())
    return live.with_whom().annotate(comes_through=through).order_by("pk")


def _glasses_on_file(patients: set[int]) -> tuple[GlassFacts, ...]:
    """The emergency accesses to these patients that nobody ended."""
    return tuple(open_glass_facts(row) for row in prepared(_glasses, patients))


def _glasses(patients: list[int]) -> QuerySet[GlassPatient]:
    rows = GlassPatient.objects.filter(glass__state=GlassState.OPEN, patient_id__in=patients)
    return rows.select_related("glass").order_by("pk")


def all_relations(patients: set[int]) -> tuple[RelationFacts, ...]:
    """Who is or was tied to these patients, by value; each says from when until when."""
    return tuple(relation_facts(row) for row in prepared(_relations, patients))


def _relations(patients: list[int]) -> QuerySet[Relationship]:
    return Relationship.objects.filter(patient_id__in=patients).order_by("pk")


def agreements_of(
    subjects: Sequence[Subject], known: datetime | None = None
) -> tuple[AgreementFacts, ...]:
    """What the studies' custodians signed; read only where the region demands it.

    `known`: only what was recorded by then.
    """
    rows = agreements_with(subject.custodian_id for subject in subjects)
    if known is not None:
        rows = rows.filter(recorded_at__lte=known)
    found = list(rows)
    prefetch_related_objects([*found, Agreement(pk=NOBODY)], "modalities")
    return tuple(agreement_facts(row) for row in found)


def uses_of(consents: Sequence[Consent]) -> dict[tuple[int, int], list[UseFacts]]:
    """The uses of those that permit so many; asked for as well where none does."""
    limited = [consent for consent in consents if consent.maximum_uses is not None]
    numbers = {consent.number for consent in limited}
    places = {consent.custodian_id for consent in limited}
    found: dict[tuple[int, int], list[UseFacts]] = {}
    for use in prepared(_uses, places, numbers):
        found.setdefault((use.custodian_id, use.number), []).append(use_facts(use))
    return found


def _uses(custodians: list[int], numbers: list[int]) -> QuerySet[Use]:
    return Use.objects.filter(custodian__in=custodians, number__in=numbers)
