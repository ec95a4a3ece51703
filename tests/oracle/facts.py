"""What is on file, as plain values: the facts of the independent model.

Imports nothing of the portal's, and no Django: tests/oracle/test_apart.py holds that.
"""

from dataclasses import dataclass, field
from datetime import date, datetime

Values = frozenset[str]
NONE: Values = frozenset()


@dataclass
class Organization:
    """A hospital or clinic; `policy` is its own tightening of the region's, or blank."""

    active: bool = True
    policy: str = ""
    second_factor: bool = False


@dataclass
class Person:
    """Roles by organization, as they are now."""

    active: bool = True
    roles: dict[str, set[str]] = field(default_factory=dict)


@dataclass
class Machine:
    """A partner's client: one organization, one purpose, a token that can end."""

    organization: str
    purpose: str = "TREAT"
    revoked: bool = False
    expires: datetime | None = None


@dataclass
class Team:
    """A department, care team or research project."""

    organization: str
    kind: str
    members: set[str] = field(default_factory=set)
    ended: bool = False


@dataclass
class Patient:
    """As one custodian knows them; uncertain: nothing says for sure who it is."""

    custodian: str
    certain: bool = True
    born: date | None = None


@dataclass
class Study:
    """A study with what scopes ask for."""

    custodian: str
    patient: str
    day: date | None = None
    modalities: Values = NONE
    regions: Values = NONE
    labels: Values = NONE
    series: Values = NONE
    quarantined: bool = False


@dataclass(frozen=True)
class Whom:
    """One whom a consent, share or relationship names."""

    kind: str  # practitioner organization team project role link custodian's-choice everyone
    organization: str = ""
    person: str = ""
    team: str = ""
    role: str = ""
    link: str = ""


@dataclass
class Speaker:
    """Who speaks for a patient, until when; a minor's parent or guardian, or a representative."""

    relation: str = "self"
    until: datetime | None = None


@dataclass
class Consent:
    """One version of what a patient said."""

    patient: str
    permits: bool
    whom: tuple[Whom, ...]
    purposes: Values
    actions: Values
    starts: datetime
    ends: datetime | None = None
    but: tuple[Whom, ...] = ()
    force: str = "ordinary"  # exclusion, opt_out
    studies: Values = NONE
    series: Values = NONE
    modalities: Values = NONE
    regions: Values = NONE
    performers: Values = NONE
    labels: Values = NONE
    data_from: date | None = None
    data_until: date | None = None
    obligations: Values = NONE
    speaker: Speaker = field(default_factory=Speaker)
    state: str = "active"
    since: datetime | None = None  # from when it permits without a break, over its versions


@dataclass
class Grant:
    """A share of one study, or, standing, of all of a patient's."""

    patient: str
    study: str | None
    whom: Whom
    purpose: str
    actions: Values
    starts: datetime
    ends: datetime
    review_by: datetime | None = None
    revoked: bool = False
    parent: "Grant | None" = None


@dataclass
class Tie:
    """A referral, an open consult or a transfer; without a study: all of the patient's."""

    patient: str
    study: str | None
    organization: str
    person: str
    starts: datetime
    ends: datetime


@dataclass
class Glass:
    """An emergency access of one person at one organization to some patients."""

    person: str
    organization: str
    patients: Values
    starts: datetime
    ends: datetime
    over: bool = False


@dataclass
class Agreement:
    """What a custodian and another organization signed; no modality: all of them."""

    provider: str
    recipient: str
    purposes: Values
    modalities: Values
    starts: datetime
    ends: datetime


@dataclass(frozen=True)
class Actor:
    """Who asks. Roles are looked up at the moment of asking."""

    kind: str  # user, client, link
    key: str
    organization: str
    purpose: str
    assured: bool = True


@dataclass
class World:
    """All that is on file."""

    organizations: dict[str, Organization] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    machines: dict[str, Machine] = field(default_factory=dict)
    teams: dict[str, Team] = field(default_factory=dict)
    patients: dict[str, Patient] = field(default_factory=dict)
    studies: dict[str, Study] = field(default_factory=dict)
    consents: list[Consent] = field(default_factory=list)
    grants: list[Grant] = field(default_factory=list)
    ties: list[Tie] = field(default_factory=list)
    glasses: list[Glass] = field(default_factory=list)
    agreements: list[Agreement] = field(default_factory=list)
    policy: str = "deny"
    implied: bool = False
    demands_agreements: bool = False
    majority: int = 18
