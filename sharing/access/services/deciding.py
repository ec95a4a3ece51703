"""Deciding with the facts on file."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db.models import (
    Exists,
    Model,
    OuterRef,
    Prefetch,
    QuerySet,
    prefetch_related_objects,
)

from sharing.access.models import Glass, GlassPatient, Grant, Relationship, Use
from sharing.access.rules import (
    AgreementFacts,
    Ask,
    ConsentFacts,
    Decision,
    Facts,
    GlassFacts,
    GlassState,
    GrantFacts,
    Named,
    RelationFacts,
    Subject,
    UseFacts,
    UseKind,
    decide,
)
from sharing.consent.models import Consent, Grantee
from sharing.consent.rules import Axis, ConsentState, Force, GranteeKind
from sharing.consent.rules import Decision as Said
from sharing.kernel.purposes import Action, Purpose
from sharing.tenants.models import Agreement, Organization, Team, User
from sharing.tenants.rules import Actor, Role
from sharing.tenants.services import agreements_with, region_settings

NOBODY = 0
"""A key that no row has: what it asks for in vain is asked for all the same."""
Members = Mapping[int, frozenset[int]] | None
"""The people of teams at a moment, by the teams' keys; None: as they are now."""


def decide_one(
    actor: Actor, action: Action, subject: Subject, *, at: datetime, deidentified: bool = False
) -> Decision:
    """The decision about one study, with all that is on file now."""
    return decide(Ask(actor, action, subject, at, deidentified), facts_on_file([subject]))


def decide_many(
    actor: Actor,
    action: Action,
    subjects: Sequence[Subject],
    *,
    at: datetime,
    deidentified: bool = False,
) -> list[Decision]:
    """The decisions about many studies, in their order; the number of queries does not grow.

    `deidentified`: about copies of them that name nobody.
    """
    (decisions,) = decide_each(actor, (action,), subjects, at=at, deidentified=deidentified)
    return decisions


def decide_each(
    actor: Actor,
    actions: Sequence[Action],
    subjects: Sequence[Subject],
    *,
    at: datetime,
    deidentified: bool = False,
) -> list[list[Decision]]:
    """For each action what `decide_many` says of it, from facts that are read once."""
    if not subjects:
        return [[] for _ in actions]
    facts = facts_on_file(subjects)
    return [
        [decide(Ask(actor, action, subject, at, deidentified), facts) for subject in subjects]
        for action in actions
    ]


def facts_on_file(subjects: Sequence[Subject]) -> Facts:
    """All consents and grants in force about these patients, by value.

    As many statements whatever is on file: their number would tell a refused reader of it.
    """
    patients = {subject.patient_id for subject in subjects}
    consents, grants = _on_file(patients)
    region = region_settings()
    uses = uses_of(consents)
    return Facts(
        consents=tuple(
            consent_facts(consent, uses.get((consent.custodian_id, consent.number), ()))
            for consent in consents
        ),
        grants=tuple(
            replace(grant_facts(grant), through_active=grant.comes_through) for grant in grants
        ),
        region=region,
        relations=all_relations(patients) if region.implied else (),
        glasses=_glasses(patients),
        agreements=agreements_of(subjects) if region.agreements else (),
    )


def _on_file(patients: set[int]) -> tuple[list[Consent], list[Any]]:
    """The rows of the consents and the grants, with whom they name."""
    active = Consent.objects.filter(patient_id__in=patients, state=ConsentState.ACTIVE)
    consents = list(active.order_by("pk"))
    _fetch(consents, Consent, _WHOM, "terms")
    live = Grant.objects.filter(patient_id__in=patients, revoked_at=None)
    related = live.select_related("share__shared_by", "organization", "user", "team")
    through = Exists(Grant.objects.filter(pk=OuterRef("pk")).coming_through())
    grants: list[Any] = list(related.annotate(comes_through=through).order_by("pk"))
    grantees = (each for consent in consents for each in consent.grantees.all())
    teams = [*(each.team for each in grantees), *(grant.team for grant in grants)]
    _fetch([team for team in teams if team], Team, "members")
    return consents, grants


def _fetch(rows: Sequence[Model], kind: type[Model], *lookups: str | Prefetch) -> None:
    """What hangs on the rows; asked for as well where there are none."""
    prefetch_related_objects([*rows, kind(pk=NOBODY)], *lookups)


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
    _fetch(found, Agreement, "modalities")
    return tuple(
        AgreementFacts(
            key=row.public_id,
            provider_id=row.provider_id,
            recipient_id=row.recipient_id,
            purposes=row.purpose_set,
            modalities=frozenset(each.value for each in row.modalities.all()),
            starts_at=row.starts_at,
            ends_at=row.ends_at,
        )
        for row in found
    )


_WHOM = Prefetch(
    "grantees",
    Grantee.objects.select_related("organization", "user", "team").only(
        "consent", "kind", "role", "excepted", "organization__name", "user__name",
        "team__name", "team__organization",
    ),
)  # fmt: skip
"""Joined, not asked for apart: the number of queries would tell whom others' consents name. And
only what `_named` reads: a page of others' studies has a row for each of their consents.
"""


def with_what_they_say(consents: QuerySet[Consent]) -> QuerySet[Consent]:
    """Consents with all that `consent_facts` reads."""
    related = consents.select_related("custodian").prefetch_related(
        _WHOM, "grantees__team__members", "terms"
    )
    return related.order_by("pk")


def _glasses(patients: set[int]) -> tuple[GlassFacts, ...]:
    """The emergency accesses to these patients that nobody ended."""
    rows = GlassPatient.objects.filter(glass__state=GlassState.OPEN, patient_id__in=patients)
    return tuple(
        replace(_glass(row.glass), patients=frozenset({row.patient_id}))
        for row in rows.select_related("glass").order_by("pk")
    )


def glass_facts(glass: Glass) -> GlassFacts:
    """An emergency access, by value."""
    patients = frozenset(each.patient_id for each in glass.patients.all())
    return replace(_glass(glass), patients=patients)


def _glass(glass: Glass) -> GlassFacts:
    return GlassFacts(
        key=glass.public_id,
        user_id=glass.user_id,
        organization_id=glass.organization_id,
        patients=frozenset(),
        starts_at=glass.starts_at,
        ends_at=min(glass.ends_at, glass.ended_at or glass.ends_at),
    )


def all_relations(patients: set[int]) -> tuple[RelationFacts, ...]:
    """Who is or was tied to these patients, by value; each says from when until when."""
    rows = Relationship.objects.filter(patient_id__in=patients)
    return tuple(
        RelationFacts(
            words=Relationship.Kind(row.kind).label,
            custodian_id=row.custodian_id,
            patient_id=row.patient_id,
            study_uid=row.study_uid,
            whom=Named(row.grantee_kind, row.organization_id, row.user_id),
            starts_at=row.starts_at,
            ends_at=row.ends_at,
        )
        for row in rows.order_by("pk")
    )


def uses_of(consents: Iterable[Consent]) -> dict[tuple[int, int], list[UseFacts]]:
    """The uses of those that permit so many; asked for as well where none does."""
    limited = [consent for consent in consents if consent.maximum_uses is not None]
    found: dict[tuple[int, int], list[UseFacts]] = {}
    numbers = {NOBODY, *(consent.number for consent in limited)}
    places = {NOBODY, *(consent.custodian_id for consent in limited)}
    for use in Use.objects.filter(custodian__in=places, number__in=numbers):
        found.setdefault((use.custodian_id, use.number), []).append(use_facts(use))
    return found


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


def consent_facts(
    consent: Consent, uses: Sequence[UseFacts] = (), members: Members = None
) -> ConsentFacts:
    """A consent's row with its grantees and terms, by value; teams as they are, or `members`."""
    said: dict[str, set[str]] = {}
    for term in consent.terms.all():
        said.setdefault(term.axis, set()).add(term.value)
    return ConsentFacts(
        key=consent.key,
        decision=Said(consent.decision),
        custodian_id=consent.custodian_id,
        patient_id=consent.patient_id,
        starts_at=consent.starts_at,
        ends_at=consent.ends_at,
        grantees=_all_named(consent, members, excepted=False),
        exceptions=_all_named(consent, members, excepted=True),
        purposes=frozenset(said.get("purpose", ())),
        actions=frozenset(said.get("action", ())),
        state=ConsentState(consent.state),
        studies=frozenset(said.get(Axis.STUDY, ())),
        modalities=frozenset(said.get(Axis.MODALITY, ())),
        performers=frozenset(said.get(Axis.PERFORMING_ORGANIZATION, ())),
        data_from=consent.data_from,
        data_until=consent.data_until,
        series=frozenset(said.get(Axis.SERIES, ())),
        body_regions=frozenset(said.get(Axis.BODY_REGION, ())),
        labels=frozenset(said.get(Axis.LABEL, ())),
        force=Force(consent.force),
        since=consent.since,
        lapses_at=consent.lapses_at,
        obligations=frozenset(filter(None, consent.obligations.split("|"))),
        maximum_uses=consent.maximum_uses,
        used=consent.used,
        uses=tuple(uses),
    )


def _all_named(consent: Consent, members: Members, *, excepted: bool) -> tuple[Named, ...]:
    rows = (each for each in consent.grantees.all() if each.excepted == excepted)
    return tuple(_named(each, members) for each in rows)


def _named(grantee: Grantee, members: Members) -> Named:
    """A grantee by value, with the people that are in its team."""
    team = grantee.team
    return Named(
        GranteeKind(grantee.kind),
        team.organization_id if team else grantee.organization_id,
        grantee.user_id,
        _whom(grantee),
        grantee.role,
        _members(team, members),
    )


def _members(team: Team | None, members: Members) -> frozenset[int]:
    """Who is in it now, or as `members` say; prefetch `members`."""
    if team is None:
        return frozenset()
    if members is not None:
        return members.get(team.pk, frozenset())
    return frozenset(each.user_id for each in team.members.all() if each.ended_at is None)


def _whom(grantee: Grantee) -> str:
    """Whom it names, for the sentence that gives the reason."""
    named = grantee.organization or grantee.user or grantee.team
    if not grantee.role:
        return str(named or "")
    where = f" of {named}" if named else ""
    return f"each {Role(grantee.role).words.lower()}{where}"


def grant_facts(grant: Grant, members: Members = None) -> GrantFacts:
    """A grant's row, by value; its team as it is, or `members`."""
    team = grant.team
    grantee = Named(
        GranteeKind(grant.grantee_kind),
        team.organization_id if team else grant.organization_id,
        grant.user_id,
        str(grant.user or team or grant.organization or ""),
        members=_members(team, members),
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


def physician_of(
    organization: Organization,
    purpose: Purpose,
    *,
    roles: frozenset[Role] = frozenset({Role.PHYSICIAN}),
    user: User | None = None,
) -> Actor:
    """Anybody there who treats patients, or one of them: whom a preview asks for."""
    return Actor(
        kind="user",
        id="",
        name="",
        organization_id=organization.pk,
        organization_code=organization.code,
        organization_name=organization.name,
        organization_mark=organization.mark,
        purpose=purpose,
        roles=roles,
        user_id=user.pk if user else None,
    )
