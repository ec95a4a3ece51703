"""What a decision is made of: the study, the consents, grants and relationships, by value. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from enum import StrEnum

from sharing.audit.rules import Ground, Who
from sharing.consent.rules import ConsentState, Force, GranteeKind
from sharing.consent.rules import Decision as Said
from sharing.kernel.purposes import LEAVING, Action, Obligation, Purpose
from sharing.tenants.rules import Actor, RegionSettings

from .axes import in_period, on_axis
from .parties import Named, Subject
from .uses import UseFacts

FOREVER = datetime.max.replace(tzinfo=UTC)
LOOKING = frozenset({Action.DISCOVER, Action.REPORT, Action.IMAGES})


class Rule(StrEnum):
    """The rung that decided, as the access log names it."""

    ACTOR_INACTIVE = "actor_inactive"
    SECOND_FACTOR_MISSING = "second_factor_missing"
    PURPOSE_NOT_OF_ROLE = "purpose_not_of_role"
    ACTION_NOT_OF_ROLE = "action_not_of_role"
    PERSON_EXCLUDED = "person_excluded"
    OWN_STAFF = "own_staff"
    SUPPORT_SESSION = "support_session"
    CUSTODIAN_INACTIVE = "custodian_inactive"
    NO_AGREEMENT = "no_agreement"
    IDENTITY_UNCERTAIN = "identity_uncertain"
    OPTED_OUT = "opted_out"
    EMERGENCY = "emergency"
    CONSENT_DENIES = "consent_denies"
    OBLIGATION_FORBIDS = "obligation_forbids"
    CONSENT_PERMITS = "consent_permits"
    SHARED_INSIDE_CONSENT = "shared_inside_consent"
    IMPLIED_RELATIONSHIP = "implied_relationship"
    IMPLICIT_POLICY = "implicit_policy"
    NOTHING_APPLIES = "nothing_applies"


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
    series: frozenset[str] = frozenset()
    body_regions: frozenset[str] = frozenset()
    labels: frozenset[str] = frozenset()
    exceptions: tuple[Named, ...] = ()
    force: Force = Force.ORDINARY
    since: datetime | None = None
    lapses_at: datetime | None = None
    obligations: frozenset[str] = frozenset()
    maximum_uses: int | None = None
    used: int = 0
    uses: tuple[UseFacts, ...] = ()

    def in_force(self, at: datetime) -> bool:
        """Active, within its own period, and said by who may still say it."""
        begun = self.state == ConsentState.ACTIVE and self.starts_at <= at
        ends = min(self.ends_at or FOREVER, self.lapses_at or FOREVER)
        return begun and at < ends

    def is_about(self, subject: Subject) -> bool:
        """Whether it is of the study's patient at the study's custodian."""
        return (self.custodian_id, self.patient_id) == (subject.custodian_id, subject.patient_id)

    def covers(self, subject: Subject) -> bool:
        """Whether the study lies in its scope: AND between axes, OR within one.

        What the study doesn't say is covered by a denial and not by a permit.
        """
        denies = self.decision == Said.DENY
        return (
            self.is_about(subject)
            and self._names_uids_of(subject)
            and on_axis(self.modalities, subject.modalities, denies)
            and on_axis(self.body_regions, subject.body_regions, denies)
            and on_axis(self.labels, subject.labels)
            and on_axis(self.performers, {subject.custodian})
            and in_period(self.data_from, self.data_until, subject.study_date, denies)
        )

    def _names_uids_of(self, subject: Subject) -> bool:
        """Studies and series are one axis: a consent that names both means each of them."""
        if not self.series:
            return on_axis(self.studies, {subject.study_uid})
        return subject.study_uid in self.studies or self._names_series_of(subject)

    def _names_series_of(self, subject: Subject) -> bool:
        """A study is decided as a whole: a permit must name all series, a denial one of them."""
        held = subject.series()
        if self.decision == Said.DENY:
            return not held or bool(held & self.series)
        return bool(held) and held <= self.series

    def speaks_of(self, ask: "Ask") -> bool:
        """Whether it is in force, about this study, purpose and action, and not used up."""
        return self.serves(ask) and self._is_of(ask.action)

    def _is_of(self, action: Action) -> bool:
        """A permit gives what it names. Who is refused an action is refused all that is more."""
        if self.decision == Said.DENY:
            return not self.actions.isdisjoint(action.ladder)
        return action in self.actions

    def serves(self, ask: "Ask") -> bool:
        """The same, whatever the action."""
        return (
            self.in_force(ask.at)
            and self.covers(ask.subject)
            and ask.actor.purpose in self.purposes
            and self.usable(ask)
        )

    def usable(self, ask: "Ask") -> bool:
        """Whether its obligations leave room for one more use of this kind, or one goes on."""
        left = self.maximum_uses is None or self.used < self.maximum_uses
        mine = (ask.actor, ask.action, ask.subject.study_uid, ask.at)
        inside = left or any(use.goes_on(*mine) for use in self.uses)
        return inside and (ask.deidentified or Obligation.DEIDENTIFY not in self.obligations)

    @property
    def is_counted(self) -> bool:
        """Whether each use of it is written down: it permits so many, or the patient is told."""
        return self.maximum_uses is not None or Obligation.NOTIFY_PATIENT in self.obligations

    def names(self, actor: Actor) -> Named | None:
        """The grantee by which it means this actor, unless it leaves the actor out."""
        if any(each.is_for(actor) for each in self.exceptions):
            return None
        return next((named for named in self.grantees if named.is_for(actor)), None)

    @property
    def through_custodian(self) -> bool:
        """Whether it lets the custodian name who may see."""
        return self.goes_by(GranteeKind.NAMED_BY_CUSTODIAN)

    def goes_by(self, kind: GranteeKind) -> bool:
        """Whether it names by way of somebody: the custodian, or whoever bears a link."""
        return any(named.kind == kind for named in self.grantees)


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
    rooted_at: datetime | None = None
    album: str = ""
    through_active: bool = True
    """Whether all through whom it came are active: one that is not shares nothing."""

    def speaks_of(self, ask: "Ask") -> bool:
        """Whether it is live and gives this actor this action on this study."""
        subject = ask.subject
        return (
            self.lives(ask.at)
            and self.through_active
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
class RelationFacts:
    """A referral, an open consult or a transfer; a blank `study_uid`: all of the patient's."""

    words: str
    custodian_id: int
    patient_id: int
    study_uid: str
    whom: Named
    starts_at: datetime
    ends_at: datetime

    def speaks_of(self, ask: "Ask") -> bool:
        """Whether it holds now, and ties this actor to this study."""
        subject = ask.subject
        return (
            self.starts_at <= ask.at < self.ends_at
            and (self.custodian_id, self.patient_id) == (subject.custodian_id, subject.patient_id)
            and self.study_uid in ("", subject.study_uid)
            and self.whom.is_for(ask.actor)
        )


@dataclass(frozen=True)
class GlassFacts:
    """An emergency access of one person, acting for one organization, to one patient."""

    key: str
    user_id: int
    organization_id: int
    patients: frozenset[int]
    starts_at: datetime
    ends_at: datetime

    def speaks_of(self, ask: "Ask") -> bool:
        """Whether it lasts, and is this actor's, about this study's patient."""
        mine = (self.user_id, self.organization_id) == (
            ask.actor.user_id,
            ask.actor.organization_id,
        )
        return (
            mine
            and ask.subject.patient_id in self.patients
            and self.starts_at <= ask.at < self.ends_at
        )


@dataclass(frozen=True)
class AgreementFacts:
    """What a custodian and another organization signed, by value; no modality: all of them."""

    key: str
    provider_id: int
    recipient_id: int
    purposes: frozenset[str]
    modalities: frozenset[str]
    starts_at: datetime
    ends_at: datetime

    def speaks_of(self, ask: "Ask") -> bool:
        """Whether it holds now, between these two, for this purpose and this study."""
        two = (self.provider_id, self.recipient_id)
        return (
            self.starts_at <= ask.at < self.ends_at
            and two == (ask.subject.custodian_id, ask.actor.organization_id)
            and ask.actor.purpose in self.purposes
            and on_axis(self.modalities, ask.subject.modalities)
        )


@dataclass(frozen=True)
class Ask:
    """Who wants to do what to which study, when; and whether without what names the patient."""

    actor: Actor
    action: Action
    subject: Subject
    at: datetime
    deidentified: bool = False


@dataclass(frozen=True)
class Facts:
    """All that is on file about the study's patient."""

    consents: tuple[ConsentFacts, ...] = ()
    grants: tuple[GrantFacts, ...] = ()
    region: RegionSettings = field(default_factory=RegionSettings)
    relations: tuple[RelationFacts, ...] = ()
    glasses: tuple[GlassFacts, ...] = ()
    agreements: tuple[AgreementFacts, ...] = ()


@dataclass(frozen=True)
class Basis:
    """The rung that decided, and the consent and grant it rested on."""

    rule: Rule
    consent: str = ""
    grant: str = ""
    until: datetime | None = None


@dataclass(frozen=True)
class Decision:
    """The answer with its ground; never a bare bool. `counted`: the consents whose uses are."""

    allowed: bool
    reason: str
    basis: Basis
    obligations: frozenset[str] = frozenset()
    counted: frozenset[str] = frozenset()

    @property
    def ground(self) -> Ground:
        """The decision as the access log keeps it."""
        return Ground(self.allowed, self.basis.rule, self.reason, self.basis.consent)

    def who(self, actor: Actor) -> Who:
        """The actor as the access log names them: in an emergency, for that purpose."""
        return in_emergency(actor) if self.basis.rule == Rule.EMERGENCY else actor.who


def in_emergency(actor: Actor) -> Who:
    """The actor as the access log names them while they use emergency access."""
    return replace(actor.who, purpose=Purpose.EMERGENCY)


def obligations_of(permits: Iterable[ConsentFacts]) -> frozenset[str]:
    """What all that permits obliges to: the union, of numbers of uses the smallest."""
    found: set[str] = set()
    left: list[int] = []
    for consent in permits:
        found |= consent.obligations
        if consent.maximum_uses is not None:
            left.append(consent.maximum_uses - consent.used)
    if left:
        found.add(f"{Obligation.MAXIMUM_USES}:{min(left)}")
    return frozenset(found)


def counted_of(permits: Iterable[ConsentFacts]) -> frozenset[str]:
    """The keys of those of which each use is written down."""
    return frozenset(consent.key for consent in permits if consent.is_counted)


def takes_a_copy(action: Action) -> bool:
    """Whether a copy leaves by it."""
    return action in LEAVING
