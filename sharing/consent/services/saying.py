"""What a patient said, as forms and phones hand it over; and what a recorded version said."""

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from typing import IO, Any

from sharing.consent.models import Consent, Proxy
from sharing.consent.rules import (
    Axis,
    Decision,
    Extent,
    Force,
    GranteeKind,
    Performer,
    Verification,
)
from sharing.kernel.purposes import Action, Obligation, Purpose
from sharing.tenants.models import Organization, Team, User
from sharing.tenants.rules import Role


@dataclass(frozen=True)
class Whom:
    """One whom a consent names: what else is said follows from the kind."""

    kind: GranteeKind
    organization: Organization | None = None
    user: User | None = None
    team: Team | None = None
    role: Role | None = None

    @property
    def key(self) -> tuple[str, ...]:
        """The grantee by value, to compare versions."""
        rows = (self.organization, self.user, self.team)
        return (self.kind, *(str(row.pk if row else "") for row in rows), self.role or "")


EVERYONE = Whom(GranteeKind.EVERYONE)


@dataclass(frozen=True, kw_only=True)
class Told:
    """How it was told: who spoke, how it was made sure of, what was shown and what is kept."""

    performer: Performer = Performer.SELF
    performer_name: str = ""
    proxy: Proxy | None = None
    verification: Verification = Verification.PAPER
    verified_by: str = ""
    verified_at: datetime | None = None
    witness: str = ""
    language: str = "en"
    shown: str = ""
    evidence: IO[bytes] | None = field(default=None, compare=False)
    statement: bytes | None = field(default=None, compare=False)
    """The record of what was shown, as PDF: `documents.paper_of`."""

    @property
    def as_said(self) -> dict[str, Any]:
        """The same as keyword arguments of `Said`."""
        return {each.name: getattr(self, each.name) for each in fields(Told)}


@dataclass(frozen=True, kw_only=True)
class Said(Told):
    """What the patient said, as the form holds it, and how it was told."""

    decision: Decision
    starts_at: datetime
    ends_at: datetime | None
    purposes: frozenset[Purpose]
    actions: frozenset[Action]
    organizations: tuple[Organization, ...] = ()
    practitioners: tuple[User, ...] = ()
    named_by_custodian: bool = False
    others: tuple[Whom, ...] = ()
    """Teams, projects, roles, bearers of links, everyone: what the three before don't say."""
    excepted: tuple[Whom, ...] = ()
    """Of a denial: whom it leaves out."""
    force: Force = Force.ORDINARY
    studies: frozenset[str] = frozenset()
    series: frozenset[str] = frozenset()
    modalities: frozenset[str] = frozenset()
    body_regions: frozenset[str] = frozenset()
    performing_organizations: frozenset[str] = frozenset()
    labels: frozenset[str] = frozenset()
    data_from: date | None = None
    data_until: date | None = None
    obligations: frozenset[Obligation] = frozenset()
    maximum_uses: int | None = None

    @property
    def named(self) -> Iterator[Whom]:
        """All whom it names."""
        for organization in self.organizations:
            yield Whom(GranteeKind.ORGANIZATION, organization=organization)
        for user in self.practitioners:
            yield Whom(GranteeKind.PRACTITIONER, user=user)
        if self.named_by_custodian:
            yield Whom(GranteeKind.NAMED_BY_CUSTODIAN)
        yield from self.others

    @property
    def limits(self) -> dict[Axis, frozenset[str]]:
        """What it is limited to, by axis."""
        return {
            Axis.STUDY: self.studies,
            Axis.SERIES: self.series,
            Axis.MODALITY: self.modalities,
            Axis.BODY_REGION: self.body_regions,
            Axis.PERFORMING_ORGANIZATION: self.performing_organizations,
            Axis.LABEL: self.labels,
        }

    def _extent_of_limits(self) -> Iterator[frozenset[str]]:
        """Studies and series are one axis: what names both is wider than what names one."""
        yield self.studies | self.series
        yield from (v for axis, v in self.limits.items() if axis not in (Axis.STUDY, Axis.SERIES))

    @property
    def extent(self) -> Extent:
        """How far it goes, to compare versions."""
        uses = {f"{Obligation.MAXIMUM_USES}:{self.maximum_uses}"} if self.maximum_uses else set()
        return Extent(
            grantees=frozenset(whom.key for whom in self.named),
            purposes=self.purposes,
            actions=self.actions,
            limits=tuple(self._extent_of_limits()),
            ends_at=self.ends_at,
            data_from=self.data_from,
            data_until=self.data_until,
            obligations=frozenset({*map(str, self.obligations), *uses}),
        )


def said_by(consent: Consent) -> Said:
    """What a recorded version said, without its document."""
    said: dict[str, set[str]] = {}
    for term in consent.terms.all():
        said.setdefault(term.axis, set()).add(term.value)
    grantees = consent.grantees.select_related("organization", "user", "team")
    named: dict[bool, list[Whom]] = {False: [], True: []}
    for each in grantees.order_by("pk"):
        role = Role(each.role) if each.role else None
        named[each.excepted].append(
            Whom(GranteeKind(each.kind), each.organization, each.user, each.team, role)
        )
    return Said(
        decision=Decision(consent.decision),
        starts_at=consent.starts_at,
        ends_at=consent.ends_at,
        purposes=frozenset(map(Purpose, said.get("purpose", ()))),
        actions=frozenset(map(Action, said.get("action", ()))),
        others=tuple(named[False]),
        excepted=tuple(named[True]),
        force=Force(consent.force),
        studies=frozenset(said.get(Axis.STUDY, ())),
        series=frozenset(said.get(Axis.SERIES, ())),
        modalities=frozenset(said.get(Axis.MODALITY, ())),
        body_regions=frozenset(said.get(Axis.BODY_REGION, ())),
        performing_organizations=frozenset(said.get(Axis.PERFORMING_ORGANIZATION, ())),
        labels=frozenset(said.get(Axis.LABEL, ())),
        data_from=consent.data_from,
        data_until=consent.data_until,
        obligations=frozenset(map(Obligation, filter(None, consent.obligations.split("|")))),
        maximum_uses=consent.maximum_uses,
        performer=Performer(consent.performer),
        performer_name=consent.performer_name,
        proxy=consent.proxy,
        verification=Verification(consent.verification),
        language=consent.language,
        shown=consent.shown,
    )
