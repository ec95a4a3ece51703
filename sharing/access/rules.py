"""May this actor do this to this study now, and on what ground? Pure, and the only answer.

The precedence is a ladder: the first rung that has an answer decides. A later rule is one more
rung. `models.visible` says the same in SQL; tests hold the two equal.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum

from sharing.audit.rules import Ground, What
from sharing.consent.rules import ConsentState, GranteeKind
from sharing.consent.rules import Decision as Said
from sharing.kernel.purposes import Action, Purpose
from sharing.tenants.rules import Actor, ImplicitPolicy, RegionSettings


class Rule(StrEnum):
    """The rung that decided, as the access log names it."""

    ACTOR_INACTIVE = "actor_inactive"
    SECOND_FACTOR_MISSING = "second_factor_missing"
    PURPOSE_NOT_OF_ROLE = "purpose_not_of_role"
    ACTION_NOT_OF_ROLE = "action_not_of_role"
    OWN_STAFF = "own_staff"
    IDENTITY_UNCERTAIN = "identity_uncertain"
    CONSENT_DENIES = "consent_denies"
    CONSENT_PERMITS = "consent_permits"
    SHARED_INSIDE_CONSENT = "shared_inside_consent"
    IMPLICIT_POLICY = "implicit_policy"
    NOTHING_APPLIES = "nothing_applies"


OWN_STAFF_PURPOSES = frozenset({Purpose.TREATMENT, Purpose.OPERATIONS})


@dataclass(frozen=True)
class Subject:
    """The study by value: access knows patients and organizations, never studies."""

    custodian_id: int
    custodian: str
    patient_id: int
    patient: str
    study: str
    study_uid: str
    study_date: date | None = None
    modalities: frozenset[str] = frozenset()
    certain: bool = True

    @property
    def what(self) -> What:
        """The study as the access log names it."""
        return What(
            custodian=self.custodian,
            patient=self.patient,
            study=self.study,
            study_uid=self.study_uid,
        )


@dataclass(frozen=True)
class Named:
    """A grantee of a consent or a grant."""

    kind: GranteeKind
    organization_id: int | None = None
    user_id: int | None = None
    name: str = ""

    def is_for(self, actor: Actor) -> bool:
        """Whether the actor is meant, by the membership of this moment."""
        if self.kind == GranteeKind.ORGANIZATION:
            return self.organization_id == actor.organization_id
        return (
            self.kind == GranteeKind.PRACTITIONER
            and self.user_id == actor.user_id is not None
            and self.organization_id in (None, actor.organization_id)
        )


@dataclass(frozen=True)
class ConsentFacts:
    """One version of a consent, by value."""

    key: str
    decision: Said
    custodian_id: int
    patient_id: int
    starts_at: datetime
    ends_at: datetime | None
    grantees: tuple[Named, ...]
    purposes: frozenset[str]
    actions: frozenset[str]
    state: ConsentState = ConsentState.ACTIVE
    studies: frozenset[str] = frozenset()
    modalities: frozenset[str] = frozenset()
    performers: frozenset[str] = frozenset()
    data_from: date | None = None
    data_until: date | None = None

    def in_force(self, at: datetime) -> bool:
        """Active and within its own period."""
        begun = self.state == ConsentState.ACTIVE and self.starts_at <= at
        return begun and (self.ends_at is None or at < self.ends_at)

    def covers(self, subject: Subject) -> bool:
        """Whether the study lies in its scope: AND between axes, OR within one."""
        return (
            (self.custodian_id, self.patient_id) == (subject.custodian_id, subject.patient_id)
            and _on_axis(self.studies, {subject.study_uid})
            and _on_axis(self.modalities, subject.modalities)
            and _on_axis(self.performers, {subject.custodian})
            and _in_period(self.data_from, self.data_until, subject.study_date)
        )

    def speaks_of(self, ask: "Ask") -> bool:
        """Whether it is in force, about this study, purpose and action."""
        return (
            self.in_force(ask.at)
            and self.covers(ask.subject)
            and ask.actor.purpose in self.purposes
            and ask.action in self.actions
        )

    def names(self, actor: Actor) -> Named | None:
        """The grantee by which it means this actor."""
        return next((named for named in self.grantees if named.is_for(actor)), None)

    @property
    def through_custodian(self) -> bool:
        """Whether it lets the custodian name who may see."""
        return any(named.kind == GranteeKind.NAMED_BY_CUSTODIAN for named in self.grantees)


@dataclass(frozen=True)
class GrantFacts:
    """One study shared with one grantee, by value; a blank `study_uid`: all of the patient's."""

    key: str
    custodian_id: int
    patient_id: int
    study_uid: str
    grantee: Named
    purpose: Purpose
    actions: frozenset[str]
    starts_at: datetime
    ends_at: datetime
    shared_by: str
    revoked: bool = False
    review_by: datetime | None = None

    def speaks_of(self, ask: "Ask") -> bool:
        """Whether it is live and gives this actor this action on this study."""
        subject = ask.subject
        return (
            self.lives(ask.at)
            and (self.custodian_id, self.patient_id) == (subject.custodian_id, subject.patient_id)
            and self.study_uid in ("", subject.study_uid)
            and self.purpose == ask.actor.purpose
            and ask.action in self.actions
            and self.grantee.is_for(ask.actor)
        )

    def lives(self, at: datetime) -> bool:
        """Begun, not ended, not revoked, and not left without its review."""
        reviewed = self.review_by is None or at < self.review_by
        return not self.revoked and reviewed and self.starts_at <= at < self.ends_at


@dataclass(frozen=True)
class Ask:
    """Who wants to do what to which study, when."""

    actor: Actor
    action: Action
    subject: Subject
    at: datetime


@dataclass(frozen=True)
class Facts:
    """All that is on file about the study's patient."""

    consents: tuple[ConsentFacts, ...] = ()
    grants: tuple[GrantFacts, ...] = ()
    region: RegionSettings = field(default_factory=RegionSettings)


@dataclass(frozen=True)
class Basis:
    """The rung that decided, and the consent and grant it rested on."""

    rule: Rule
    consent: str = ""
    grant: str = ""
    until: datetime | None = None


@dataclass(frozen=True)
class Decision:
    """The answer with its ground; never a bare bool."""

    allowed: bool
    reason: str
    basis: Basis
    obligations: frozenset[str] = frozenset()

    @property
    def ground(self) -> Ground:
        """The decision as the access log keeps it."""
        return Ground(self.allowed, self.basis.rule, self.reason, self.basis.consent)


Rung = Callable[[Ask, Facts], Decision | None]


def decide(ask: Ask, facts: Facts) -> Decision:
    """May this actor do this to this study now, and on what ground?"""
    answers = (rung(ask, facts) for rung in LADDER)
    return next(answer for answer in answers if answer is not None)


def gates(ask: Ask, facts: Facts) -> Decision | None:
    """Rung 0: what must hold before any consent is read."""
    closed = closed_gate(ask.actor, ask.action)
    return _refuse(*closed) if closed else None


def closed_gate(actor: Actor, action: Action) -> tuple[Rule, str] | None:
    """The first gate that is closed to this actor and action, with its sentence."""
    if not actor.active:
        return Rule.ACTOR_INACTIVE, "The account or the organization is not active"
    if not actor.assured:
        return Rule.SECOND_FACTOR_MISSING, "The second factor was not used"
    if not actor.may_declare():
        return Rule.PURPOSE_NOT_OF_ROLE, "The role may not act for this purpose"
    if not actor.may_ever(action):
        return Rule.ACTION_NOT_OF_ROLE, "The role does not include this action"
    return None


def own_staff(ask: Ask, facts: Facts) -> Decision | None:
    """Rung 1: the custodian's own staff keep access to its own studies."""
    if ask.actor.organization_id != ask.subject.custodian_id:
        return None
    if ask.actor.purpose not in OWN_STAFF_PURPOSES:
        return None
    reason = "Your own organization holds this study"
    return Decision(allowed=True, reason=reason, basis=Basis(Rule.OWN_STAFF))


def uncertain_identity(ask: Ask, facts: Facts) -> Decision | None:
    """A patient of uncertain identity is visible to the custodian only."""
    if ask.subject.certain:
        return None
    return _refuse(Rule.IDENTITY_UNCERTAIN, "The patient's identity is not certain")


def denied(ask: Ask, facts: Facts) -> Decision | None:
    """Rung 3: any deny that names the actor, whatever else was permitted."""
    for consent in _speaking(ask, facts, Said.DENY):
        named = consent.names(ask.actor)
        if named:
            reason = f"Patient refused {named.name} for {ask.actor.purpose.words}"
            return _refuse(Rule.CONSENT_DENIES, reason, consent.key)
    return None


def permitted(ask: Ask, facts: Facts) -> Decision | None:
    """Rung 4a: a permit that names the actor's organization or the actor."""
    direct = [(c, c.names(ask.actor)) for c in _speaking(ask, facts, Said.PERMIT)]
    found = [(consent, named) for consent, named in direct if named]
    if not found:
        return None
    consent, named = max(found, key=lambda pair: _ends(pair[0].ends_at))
    until = f", until {_day(consent.ends_at)}" if consent.ends_at else ""
    reason = f"Patient permitted {named.name} for {ask.actor.purpose.words}{until}"
    basis = Basis(Rule.CONSENT_PERMITS, consent.key, until=consent.ends_at)
    return Decision(allowed=True, reason=reason, basis=basis)


def shared(ask: Ask, facts: Facts) -> Decision | None:
    """Rung 4b: a share that stays inside a permit which lets the custodian name who may see."""
    grants = [grant for grant in facts.grants if grant.speaks_of(ask)]
    permits = [c for c in _speaking(ask, facts, Said.PERMIT) if c.through_custodian]
    pairs = [(grant, consent) for grant in grants for consent in permits if carries(consent, grant)]
    if not pairs:
        return None
    grant, consent = max(pairs, key=_until)
    until = _until((grant, consent))
    reason = f"Shared by {grant.shared_by} as the patient permitted, until {_day(until)}"
    basis = Basis(Rule.SHARED_INSIDE_CONSENT, consent.key, grant.key, until)
    return Decision(allowed=True, reason=reason, basis=basis)


def carries(consent: ConsentFacts, grant: GrantFacts) -> bool:
    """Whether the consent was there when the share was made.

    What a patient withdrew stays withdrawn: a later consent wakes no share of before.
    """
    return consent.starts_at <= grant.starts_at


def _until(pair: tuple[GrantFacts, ConsentFacts]) -> datetime:
    grant, consent = pair
    return min(grant.ends_at, _ends(consent.ends_at))


def implicit_policy(ask: Ask, facts: Facts) -> Decision | None:
    """Rung 6: what the region says when nothing is on file."""
    if facts.region.policy == ImplicitPolicy.DENY:
        return _refuse(Rule.IMPLICIT_POLICY, "No consent is on file, and the region's rule is deny")
    return None


def nothing_applies(ask: Ask, facts: Facts) -> Decision:
    """Rung 7: deny."""
    return _refuse(Rule.NOTHING_APPLIES, "Nothing permits it")


LADDER: tuple[Rung, ...] = (
    gates,
    own_staff,
    uncertain_identity,
    denied,
    permitted,
    shared,
    implicit_policy,
    nothing_applies,
)


def _refuse(rule: Rule, reason: str, consent: str = "") -> Decision:
    return Decision(allowed=False, reason=reason, basis=Basis(rule, consent))


def _speaking(ask: Ask, facts: Facts, said: Said) -> list[ConsentFacts]:
    return [c for c in facts.consents if c.decision == said and c.speaks_of(ask)]


def _on_axis(limit: frozenset[str], values: Iterable[str]) -> bool:
    return not limit or bool(limit & set(values))


def _in_period(start: date | None, end: date | None, day: date | None) -> bool:
    if start is None and end is None:
        return True
    return day is not None and (start or day) <= day <= (end or day)


def _ends(moment: datetime | None) -> datetime:
    return moment or FOREVER


FOREVER = datetime.max.replace(tzinfo=UTC)


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%b %Y}"
