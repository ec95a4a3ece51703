"""What roles may do, what the region decided, and the Actor. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from sharing.audit.rules import Who
from sharing.kernel import scope
from sharing.kernel.purposes import Action, Purpose

from .life import BEGINS as BEGINS
from .life import ENTERED as ENTERED
from .life import NEXT as NEXT
from .life import PREPARING as PREPARING
from .life import WORKING as WORKING
from .life import Hosting as Hosting
from .life import OrganizationEvent as OrganizationEvent
from .life import OrganizationState as OrganizationState
from .life import Tier as Tier
from .sittings import Limits
from .support import Support

ENGLISH = "en"
READ = (ENGLISH, "zh-hans")
"""The languages that the portal speaks to people."""


class Role(StrEnum):
    """What a member is at an organization.

    CLIENT is a partner's machine, BEARER whoever comes by a link, SUPPORT somebody of the operator
    while a support session lasts; nobody is invited as any of them.
    """

    ADMINISTRATOR = "administrator"
    PRIVACY_OFFICER = "privacy_officer"
    RADIOLOGIST = "radiologist"
    PHYSICIAN = "physician"
    TECHNOLOGIST = "technologist"
    CLERK = "clerk"
    AUDITOR = "auditor"
    OPERATOR = "operator"
    RESEARCHER = "researcher"
    SUPPORT = "support"
    CLIENT = "client"
    BEARER = "bearer"

    @property
    def words(self) -> str:
        """The role as pages say it."""
        return _WORDS[self]


_WORDS = {
    Role.ADMINISTRATOR: "Administrator",
    Role.PRIVACY_OFFICER: "Privacy officer",
    Role.RADIOLOGIST: "Radiologist",
    Role.PHYSICIAN: "Referring physician",
    Role.TECHNOLOGIST: "Technologist",
    Role.CLERK: "Clerk",
    Role.AUDITOR: "Auditor",
    Role.OPERATOR: "Operator",
    Role.RESEARCHER: "Researcher",
    Role.SUPPORT: "Support",
    Role.CLIENT: "Client",
    Role.BEARER: "Bearer",
}
TREATING = frozenset({Role.RADIOLOGIST, Role.PHYSICIAN, Role.TECHNOLOGIST})

PURPOSES: Mapping[Role, tuple[Purpose, ...]] = {
    Role.ADMINISTRATOR: (Purpose.OPERATIONS,),
    Role.PRIVACY_OFFICER: (Purpose.OPERATIONS,),
    Role.RADIOLOGIST: (Purpose.TREATMENT,),
    Role.PHYSICIAN: (Purpose.TREATMENT,),
    Role.TECHNOLOGIST: (Purpose.TREATMENT,),
    Role.CLERK: (Purpose.OPERATIONS,),
    Role.AUDITOR: (Purpose.OPERATIONS,),
    Role.OPERATOR: (Purpose.OPERATIONS,),
    Role.RESEARCHER: (Purpose.RESEARCH,),
    Role.SUPPORT: (Purpose.OPERATIONS,),
    Role.CLIENT: (Purpose.TREATMENT, Purpose.OPERATIONS),
    Role.BEARER: (Purpose.TREATMENT, Purpose.PATIENT_REQUEST),
}
"""Which purposes a role may declare; decided before consent."""

_LOOK = frozenset({Action.DISCOVER, Action.REPORT, Action.IMAGES})
ACTIONS: Mapping[Role, frozenset[Action]] = {
    Role.ADMINISTRATOR: frozenset(),
    Role.PRIVACY_OFFICER: frozenset({Action.DISCOVER}),
    Role.RADIOLOGIST: _LOOK | {Action.DOWNLOAD, Action.SEND, Action.RESHARE},
    Role.PHYSICIAN: _LOOK | {Action.DOWNLOAD, Action.RESHARE},
    Role.TECHNOLOGIST: _LOOK,
    Role.CLERK: _LOOK,
    Role.AUDITOR: frozenset(),
    Role.OPERATOR: frozenset(),
    Role.RESEARCHER: _LOOK | {Action.DOWNLOAD},
    Role.SUPPORT: _LOOK,
    Role.CLIENT: _LOOK | {Action.DOWNLOAD, Action.AI},
    Role.BEARER: _LOOK | {Action.DOWNLOAD},
}
"""What a role may ever do with a study, whatever was permitted."""


class Duty(StrEnum):
    """What a role may do that concerns no single study."""

    UPLOAD = "upload"
    RECORD_CONSENT = "record_consent"
    READ_LOG = "read_log"
    GUARD = "guard"
    MANAGE_MEMBERS = "manage_members"
    APPROVE_ORGANIZATIONS = "approve_organizations"
    SHARE = "share"
    DELETE = "delete"
    HOLD = "hold"
    REJECT = "reject"
    DECIDE = "decide"
    LABEL = "label"
    LIFT_LABEL = "lift_label"
    RULE_LABELS = "rule_labels"
    MANAGE_TEAMS = "manage_teams"
    SET_POLICY = "set_policy"
    SET_REGION = "set_region"
    RELATE = "relate"
    ASK_CONSULT = "ask_consult"
    RECORD_AGREEMENT = "record_agreement"
    READ_AGREEMENTS = "read_agreements"
    BREAK_GLASS = "break_glass"
    RUN_ORGANIZATION = "run_organization"
    NOTE = "note"
    MANAGE_CLIENTS = "manage_clients"
    MANAGE_WEBHOOKS = "manage_webhooks"


DUTIES: Mapping[Role, frozenset[Duty]] = {
    Role.ADMINISTRATOR: frozenset(
        {
            Duty.MANAGE_MEMBERS,
            Duty.MANAGE_TEAMS,
            Duty.READ_AGREEMENTS,
            Duty.RULE_LABELS,
            Duty.RUN_ORGANIZATION,
            Duty.MANAGE_CLIENTS,
            Duty.MANAGE_WEBHOOKS,
        }
    ),
    Role.PRIVACY_OFFICER: frozenset(
        {
            Duty.READ_LOG,
            Duty.GUARD,
            Duty.DELETE,
            Duty.HOLD,
            Duty.LABEL,
            Duty.LIFT_LABEL,
            Duty.RULE_LABELS,
            Duty.SET_POLICY,
            Duty.READ_AGREEMENTS,
        }
    ),
    Role.RADIOLOGIST: frozenset(
        {
            Duty.SHARE,
            Duty.REJECT,
            Duty.DECIDE,
            Duty.LABEL,
            Duty.BREAK_GLASS,
            Duty.NOTE,
            Duty.ASK_CONSULT,
        }
    ),
    Role.PHYSICIAN: frozenset({Duty.SHARE, Duty.LABEL, Duty.BREAK_GLASS, Duty.NOTE}),
    Role.TECHNOLOGIST: frozenset({Duty.UPLOAD, Duty.REJECT, Duty.DECIDE, Duty.NOTE}),
    Role.CLERK: frozenset({Duty.UPLOAD, Duty.RECORD_CONSENT, Duty.LABEL, Duty.RELATE}),
    Role.AUDITOR: frozenset({Duty.READ_LOG, Duty.READ_AGREEMENTS}),
    Role.OPERATOR: frozenset(
        {
            Duty.APPROVE_ORGANIZATIONS,
            Duty.SET_REGION,
            Duty.RULE_LABELS,
            Duty.RECORD_AGREEMENT,
            Duty.READ_AGREEMENTS,
        }
    ),
    Role.RESEARCHER: frozenset(),
    Role.SUPPORT: frozenset(),
    Role.CLIENT: frozenset({Duty.UPLOAD, Duty.DELETE, Duty.MANAGE_WEBHOOKS}),
    Role.BEARER: frozenset(),
}


class ImplicitPolicy(StrEnum):
    """What holds when nothing is on file, from the tightest to the widest.

    DENY: only what the patient permitted. BREAK_GLASS: the same, and an emergency opens it.
    TREATING: those who treat may look, for treatment. ALL_NORMAL: what is not labelled sensitive
    is open for treatment and operations. What is labelled sensitive is opened by none of them.
    """

    DENY = "deny"
    BREAK_GLASS = "break_glass"
    TREATING = "treating"
    ALL_NORMAL = "all_normal"

    @property
    def and_wider(self) -> frozenset["ImplicitPolicy"]:
        """This one and all that open more."""
        order = tuple(ImplicitPolicy)
        return frozenset(order[order.index(self) :])


def tightest(region: ImplicitPolicy, organization: ImplicitPolicy | None) -> ImplicitPolicy:
    """An organization may only tighten what the region says; None says nothing."""
    order = tuple(ImplicitPolicy)
    return min(region, organization or region, key=order.index)


class TeamKind(StrEnum):
    """What a named group of people is."""

    DEPARTMENT = "department"
    CARE_TEAM = "care_team"
    PROJECT = "project"


@dataclass(frozen=True)
class RegionSettings:
    """What the region decided for all."""

    policy: ImplicitPolicy = ImplicitPolicy.DENY
    implied: bool = False
    """Whether a referral, an open consult or a transfer opens the study that it names."""
    majority: int = 18
    """The age, in years, from which a patient speaks for themselves."""
    emergency_hours: int = 4
    """For how long an emergency access lasts at most."""
    review_days: int = 3
    """Working days within which an emergency access is reviewed."""
    emergencies_a_day: int = 3
    """How often one person may use emergency access within 24 hours."""
    agreements: bool = False
    """Whether two organizations need a signed agreement before anything else opens a study."""

    def widened_by(self, other: "RegionSettings") -> tuple[str, ...]:
        """What `other` opens that this one keeps closed: each is said before it is decided."""
        order = tuple(ImplicitPolicy)
        found = []
        if order.index(other.policy) > order.index(self.policy):
            found.append("policy")
        if other.implied and not self.implied:
            found.append("implied")
        if self.agreements and not other.agreements:
            found.append("agreements")
        return tuple(found)


@dataclass(frozen=True)
class Actor:
    """Who acts, for which organization, and for what purpose: one value, so none is forgotten."""

    kind: str
    id: str
    name: str
    organization_id: int
    organization_code: str
    organization_name: str
    organization_mark: str
    purpose: Purpose
    roles: frozenset[Role]
    active: bool = True
    assured: bool = True
    scopes: frozenset[str] = field(default_factory=frozenset)
    user_id: int | None = None
    limits: Limits = field(default=Limits(), compare=False)
    support: Support | None = None
    stage: OrganizationState = OrganizationState.ACTIVE
    token: int | None = None  # which one speaks; None for a session
    client: str = ""  # that speaks, for itself or for a person
    app: str = ""  # its name, where it speaks for a person

    @property
    def apart(self) -> bool:
        """Whether its organization is not one of the region's now: own studies at most."""
        return self.stage != OrganizationState.ACTIVE or Role.SUPPORT in self.roles

    @property
    def who(self) -> Who:
        """The actor as the access log names it."""
        return Who(
            kind=self.kind,
            id=self.id,
            name=self.name,
            organization=self.organization_code,
            organization_name=self.organization_name,
            purpose=self.purpose,
            client=self.client if self.app else "",
        )

    @property
    def by_token(self) -> bool:
        """Whether a token speaks, a machine's or that of a person's app."""
        return self.kind == "client" or self.token is not None

    def carries(self, scope: str) -> bool:
        """Whether the token that speaks was given that scope; a session needs none."""
        return not self.by_token or scope in self.scopes

    @property
    def scope(self) -> str:
        """In whose scope the database is asked for this actor (`kernel.scope`)."""
        if Role.BEARER in self.roles:
            return scope.of_link(self.id)
        return scope.of(self.organization_id, self.user_id)

    @property
    def treating(self) -> bool:
        """Whether a role of the actor's treats patients."""
        return bool(self.roles & TREATING)

    def may(self, duty: Duty) -> bool:
        """Whether the actor's roles include the duty, in good standing.

        What a suspended organization's machines send is kept: nobody sees it until it resumes.
        """
        held = any(duty in DUTIES[role] for role in self.roles)
        kept = self.stage == OrganizationState.SUSPENDED and duty == Duty.UPLOAD
        return held and (self.active or kept) and self.assured

    def may_ever(self, action: Action) -> bool:
        """Whether a role of the actor's that may act for this purpose may ever do this."""
        speaking = (role for role in self.roles if self.purpose in PURPOSES[role])
        return any(action in ACTIONS[role] for role in speaking)

    def may_declare(self) -> bool:
        """Whether any role of the actor's may act for the declared purpose."""
        return any(self.purpose in PURPOSES[role] for role in self.roles)


def purposes_of(roles: frozenset[Role]) -> tuple[Purpose, ...]:
    """The purposes that these roles may declare, the first being the default."""
    offered = {purpose for role in roles for purpose in PURPOSES[role]}
    return tuple(purpose for purpose in Purpose if purpose in offered)


def roles_in(state: OrganizationState, roles: frozenset[Role]) -> frozenset[Role]:
    """Which of the roles at an organization count in that state of it."""
    if state == OrganizationState.ACTIVE:
        return roles
    return roles & {Role.ADMINISTRATOR} if state in ENTERED else frozenset()


def mark_of(name: str) -> str:
    """Two capital letters for the organization's mark, from its Latin name."""
    words = [word for word in name.replace("-", " ").split() if word[0].isalnum()]
    letters = "".join(word[0] for word in words[:2]) if len(words) > 1 else name[:2]
    return letters.upper()
