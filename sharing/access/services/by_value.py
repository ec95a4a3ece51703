"""Rows of consents, grants and ties as the values that a decision is made of."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from django.db.models import QuerySet

from sharing.access.models import Glass, GlassPatient, Grant, Relationship, Use
from sharing.access.rules import (
    AgreementFacts,
    ConsentFacts,
    GlassFacts,
    GrantFacts,
    Named,
    RelationFacts,
    UseFacts,
    UseKind,
)
from sharing.consent.models import Consent, Grantee, Term
from sharing.consent.rules import Axis, ConsentState, Force, GranteeKind
from sharing.consent.rules import Decision as Said
from sharing.kernel.prepared import prepared
from sharing.kernel.purposes import Purpose
from sharing.tenants.models import Agreement, Team
from sharing.tenants.rules import Role
from sharing.tenants.services import members_at, members_now

Members = Mapping[int, frozenset[int]]
"""The people of teams, by the teams' keys."""
Part = TypeVar("Part", Grantee, Term)
Uses = Mapping[tuple[int, int], Sequence[UseFacts]]
"""What was used of consents, by their custodian's key and their number."""


def facts_of_consents(
    consents: Sequence[Consent], uses: Uses | None = None, *, moment: datetime | None = None
) -> tuple[ConsentFacts, ...]:
    """The consents by value, in their order, with whom they name and what their terms are.

    Teams as they were at the moment, or are now. Whom they name is asked for where there are none
    as well: the number of statements would tell of it.
    """
    keys = [consent.pk for consent in consents]
    grantees, terms = prepared(_grantees, keys), prepared(_terms, keys)
    members = _members((each.team for each in grantees), moment)
    named, said, used = _by_consent(grantees), _by_consent(terms), uses or {}
    return tuple(
        _consent_facts(
            consent,
            [_named(each, members) for each in named[consent.pk] if not each.excepted],
            [_named(each, members) for each in named[consent.pk] if each.excepted],
            said[consent.pk],
            used.get((consent.custodian_id, consent.number), ()),
        )
        for consent in consents
    )


def _by_consent(rows: Iterable[Part]) -> defaultdict[int, list[Part]]:
    found: defaultdict[int, list[Part]] = defaultdict(list)
    for row in rows:
        found[row.consent_id].append(row)
    return found


def _grantees(consents: list[int]) -> QuerySet[Grantee]:
    """Joined with those that they name, of whom only what `_named` reads.

    Not asked for apart: the number of queries would tell whom others' consents name.
    """
    return Grantee.objects.filter(consent__in=consents).select_related(
        "organization", "user", "team"
    ).only(
        "consent", "kind", "role", "excepted", "organization__name", "user__name",
        "team__name", "team__organization",
    ).order_by("pk")  # fmt: skip


def _terms(consents: list[int]) -> QuerySet[Term]:
    return Term.objects.filter(consent__in=consents).order_by("pk")


def _consent_facts(
    consent: Consent,
    grantees: Iterable[Named],
    exceptions: Iterable[Named],
    terms: Iterable[Term],
    uses: Iterable[UseFacts],
) -> ConsentFacts:
    said: defaultdict[str, set[str]] = defaultdict(set)
    for term in terms:
        said[term.axis].add(term.value)
    return ConsentFacts(
        key=consent.key,
        decision=Said(consent.decision),
        custodian_id=consent.custodian_id,
        patient_id=consent.patient_id,
        starts_at=consent.starts_at,
        ends_at=consent.ends_at,
        grantees=tuple(grantees),
        exceptions=tuple(exceptions),
        purposes=frozenset(said["purpose"]),
        actions=frozenset(said["action"]),
        state=ConsentState(consent.state),
        studies=frozenset(said[Axis.STUDY]),
        modalities=frozenset(said[Axis.MODALITY]),
        performers=frozenset(said[Axis.PERFORMING_ORGANIZATION]),
        data_from=consent.data_from,
        data_until=consent.data_until,
        series=frozenset(said[Axis.SERIES]),
        body_regions=frozenset(said[Axis.BODY_REGION]),
        labels=frozenset(said[Axis.LABEL]),
        force=Force(consent.force),
        since=consent.since,
        lapses_at=consent.lapses_at,
        obligations=frozenset(filter(None, consent.obligations.split("|"))),
        maximum_uses=consent.maximum_uses,
        used=consent.used,
        uses=tuple(uses),
    )


def _named(grantee: Grantee, members: Members) -> Named:
    """A grantee by value, with the people that are in its team."""
    team = grantee.team
    return Named(
        GranteeKind(grantee.kind),
        team.organization_id if team else grantee.organization_id,
        grantee.user_id,
        _whom(grantee),
        grantee.role,
        _people(team, members),
    )


def _whom(grantee: Grantee) -> str:
    """Whom it names, for the sentence that gives the reason."""
    named = grantee.organization or grantee.user or grantee.team
    if not grantee.role:
        return str(named or "")
    where = f" of {named}" if named else ""
    return f"each {Role(grantee.role).words.lower()}{where}"


def _members(teams: Iterable[Team | None], moment: datetime | None) -> Members:
    keys = {team.pk for team in teams if team is not None}
    return members_now(keys) if moment is None else members_at(keys, at=moment)


def _people(team: Team | None, members: Members) -> frozenset[int]:
    return frozenset() if team is None else members.get(team.pk, frozenset())


def facts_of_grants(
    grants: Sequence[Grant], *, moment: datetime | None = None
) -> tuple[GrantFacts, ...]:
    """The grants by value, in their order; teams as `facts_of_consents`. Select them `with_whom`.

    Whether the organizations that they came through are active is the caller's to say.
    """
    members = _members((grant.team for grant in grants), moment)
    return tuple(_grant_facts(grant, members) for grant in grants)


def _grant_facts(grant: Grant, members: Members) -> GrantFacts:
    team = grant.team
    grantee = Named(
        GranteeKind(grant.grantee_kind),
        team.organization_id if team else grant.organization_id,
        grant.user_id,
        str(grant.user or team or grant.organization or ""),
        members=_people(team, members),
        link=grant.share.public_id if grant.grantee_kind == GranteeKind.LINK else "",
    )
    return GrantFacts(
        key=grant.share.public_id,
        custodian_id=grant.custodian_id,
        patient_id=grant.patient_id,
        study_uid=grant.study_uid,
        grantee=grantee,
        purpose=Purpose(grant.purpose),
        actions=grant.action_set,
        starts_at=grant.starts_at,
        ends_at=grant.ends_at,
        shared_by=grant.share.shared_by.name,
        album=grant.share.album,
        revoked=grant.revoked_at is not None,
        review_by=grant.review_by,
        rooted_at=grant.rooted_at,
    )


def glass_facts(glass: Glass) -> GlassFacts:
    """An emergency access, by value."""
    return _glass_facts(glass, (each.patient_id for each in glass.patients.all()))


def open_glass_facts(row: GlassPatient) -> GlassFacts:
    """What an emergency access is about this one patient of it."""
    return _glass_facts(row.glass, (row.patient_id,))


def _glass_facts(glass: Glass, patients: Iterable[int]) -> GlassFacts:
    return GlassFacts(
        key=glass.public_id,
        user_id=glass.user_id,
        organization_id=glass.organization_id,
        patients=frozenset(patients),
        starts_at=glass.starts_at,
        ends_at=min(glass.ends_at, glass.ended_at or glass.ends_at),
    )


def relation_facts(row: Relationship) -> RelationFacts:
    """A tie of a person or an organization to a patient, by value."""
    return RelationFacts(
        words=Relationship.Kind(row.kind).label,
        custodian_id=row.custodian_id,
        patient_id=row.patient_id,
        study_uid=row.study_uid,
        whom=Named(row.grantee_kind, row.organization_id, row.user_id),
        starts_at=row.starts_at,
        ends_at=row.ends_at,
    )


def agreement_facts(row: Agreement) -> AgreementFacts:
    """What two organizations signed, by value; prefetch `modalities`."""
    return AgreementFacts(
        key=row.public_id,
        provider_id=row.provider_id,
        recipient_id=row.recipient_id,
        purposes=row.purpose_set,
        modalities=frozenset(each.value for each in row.modalities.all()),
        starts_at=row.starts_at,
        ends_at=row.ends_at,
    )


def use_facts(use: Use) -> UseFacts:
    """A use's row, by value."""
    return UseFacts(
        kind=UseKind(use.kind),
        actor_kind=use.actor_kind,
        actor_id=use.actor_id,
        organization_id=use.organization_id or 0,
        purpose=use.purpose,
        study_uid=use.study_uid,
        starts_at=use.starts_at,
        ends_at=use.ends_at,
    )
