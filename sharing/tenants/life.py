"""The life of an organization as a table, and what kinds of organization there are. Pure.

Part of this room's rules, which say these names too.
"""

from collections.abc import Mapping
from enum import StrEnum


class OrganizationState(StrEnum):
    """Where an organization stands on its way into the region, in it, and out of it."""

    APPLIED = "applied"
    VERIFIED = "verified"
    ASKED = "asked"
    CHECKED = "checked"
    SIGNED = "signed"
    TESTED = "tested"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    OFFBOARDING = "offboarding"
    REFUSED = "refused"
    CLOSED = "closed"

    @property
    def words(self) -> str:
        """Where it stands, as its history says it."""
        return _WORDS[self]


_WORDS = {
    OrganizationState.APPLIED: "Applied",
    OrganizationState.VERIFIED: "Address confirmed",
    OrganizationState.ASKED: "Asked for more",
    OrganizationState.CHECKED: "Documents checked",
    OrganizationState.SIGNED: "Terms signed",
    OrganizationState.TESTED: "Connection tested",
    OrganizationState.ACTIVE: "Active",
    OrganizationState.SUSPENDED: "Suspended",
    OrganizationState.OFFBOARDING: "Leaving",
    OrganizationState.REFUSED: "Refused",
    OrganizationState.CLOSED: "Closed",
}


class OrganizationEvent(StrEnum):
    """What moves it."""

    VERIFY = "verify"
    ASK = "ask"
    ANSWER = "answer"
    CHECK = "check"
    SIGN = "sign"
    TEST = "test"
    ACTIVATE = "activate"
    REFUSE = "refuse"
    SUSPEND = "suspend"
    RESUME = "resume"
    LEAVE = "leave"
    STAY = "stay"
    CLOSE = "close"


_S, _E = OrganizationState, OrganizationEvent
NEXT: Mapping[tuple[OrganizationState, OrganizationEvent], OrganizationState] = {
    (_S.APPLIED, _E.VERIFY): _S.VERIFIED,
    (_S.VERIFIED, _E.ASK): _S.ASKED,
    (_S.ASKED, _E.ANSWER): _S.VERIFIED,
    (_S.VERIFIED, _E.CHECK): _S.CHECKED,
    (_S.CHECKED, _E.SIGN): _S.SIGNED,
    (_S.SIGNED, _E.TEST): _S.TESTED,
    (_S.TESTED, _E.ACTIVATE): _S.ACTIVE,
    (_S.VERIFIED, _E.REFUSE): _S.REFUSED,
    (_S.ASKED, _E.REFUSE): _S.REFUSED,
    (_S.CHECKED, _E.REFUSE): _S.REFUSED,
    (_S.SIGNED, _E.REFUSE): _S.REFUSED,
    (_S.TESTED, _E.REFUSE): _S.REFUSED,
    (_S.ACTIVE, _E.SUSPEND): _S.SUSPENDED,
    (_S.SUSPENDED, _E.RESUME): _S.ACTIVE,
    (_S.ACTIVE, _E.LEAVE): _S.OFFBOARDING,
    (_S.SUSPENDED, _E.LEAVE): _S.OFFBOARDING,
    (_S.OFFBOARDING, _E.STAY): _S.SUSPENDED,
    (_S.OFFBOARDING, _E.CLOSE): _S.CLOSED,
}
BEGINS = "apply"
"""What stands first in each history; there is no state before it."""
PREPARING = frozenset({_S.CHECKED, _S.SIGNED, _S.TESTED})
"""Its administrators sign in and its machines try the line; for all others it isn't there yet."""
ENTERED = PREPARING | {_S.ACTIVE, _S.OFFBOARDING}
"""Somebody of it may sign in; in all but ACTIVE its administrators only."""
WORKING: Mapping[str, frozenset[OrganizationState]] = {
    "user": ENTERED,
    "client": PREPARING | {_S.ACTIVE},
}
"""In which states whom of it the gates let through, by kind of actor."""


class Tier(StrEnum):
    """What an organization is for whom, from the village to the specialists."""

    VILLAGE = "village"
    COUNTY = "county"
    TERTIARY = "tertiary"
    IMAGING = "imaging"
    PRIVATE = "private"

    @property
    def words(self) -> str:
        """As pages say it."""
        return _TIER_WORDS[self]


_TIER_WORDS = {
    Tier.VILLAGE: "Village or family practice",
    Tier.COUNTY: "County hospital",
    Tier.TERTIARY: "Tertiary hospital",
    Tier.IMAGING: "Imaging centre",
    Tier.PRIVATE: "Private practice",
}


class Hosting(StrEnum):
    """Where an organization's pixels lie."""

    REGION = "region"
    INDEX = "index"
