"""The life of a post: one person's place at one organization, whatever roles come with it. Pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum


class PostState(StrEnum):
    """Where a person stands at an organization."""

    INVITED = "invited"
    ACTIVE = "active"
    ON_LEAVE = "on_leave"
    LAPSED = "lapsed"
    DEACTIVATED = "deactivated"
    WITHDRAWN = "withdrawn"

    @property
    def words(self) -> str:
        """As pages say it."""
        return self.value.replace("_", " ").capitalize()


class PostEvent(StrEnum):
    """What moves it. ENROL: the organization's own directory or the operator makes the post."""

    INVITE = "invite"
    ACCEPT = "accept"
    ENROL = "enrol"
    WITHDRAW = "withdraw"
    LEAVE = "leave"
    RETURN = "return"
    LAPSE = "lapse"
    CONFIRM = "confirm"
    DEACTIVATE = "deactivate"


_S, _E = PostState, PostEvent
POST_NEXT: Mapping[tuple[PostState, PostEvent], PostState] = {
    (_S.INVITED, _E.INVITE): _S.INVITED,
    (_S.INVITED, _E.ACCEPT): _S.ACTIVE,
    (_S.INVITED, _E.ENROL): _S.ACTIVE,
    (_S.INVITED, _E.WITHDRAW): _S.WITHDRAWN,
    (_S.ACTIVE, _E.INVITE): _S.ACTIVE,  # to further roles
    (_S.ACTIVE, _E.ACCEPT): _S.ACTIVE,
    (_S.ACTIVE, _E.ENROL): _S.ACTIVE,
    (_S.ACTIVE, _E.CONFIRM): _S.ACTIVE,
    (_S.ACTIVE, _E.LEAVE): _S.ON_LEAVE,
    (_S.ACTIVE, _E.LAPSE): _S.LAPSED,
    (_S.ACTIVE, _E.DEACTIVATE): _S.DEACTIVATED,
    (_S.ON_LEAVE, _E.RETURN): _S.ACTIVE,
    (_S.ON_LEAVE, _E.DEACTIVATE): _S.DEACTIVATED,
    (_S.LAPSED, _E.CONFIRM): _S.ACTIVE,
    (_S.LAPSED, _E.DEACTIVATE): _S.DEACTIVATED,
    (_S.DEACTIVATED, _E.INVITE): _S.INVITED,
    (_S.DEACTIVATED, _E.ENROL): _S.ACTIVE,
    (_S.WITHDRAWN, _E.INVITE): _S.INVITED,
    (_S.WITHDRAWN, _E.ENROL): _S.ACTIVE,
}

CONFIRMED_EVERY = timedelta(days=91)
"""A quarter: so long somebody's word holds that a person still needs their roles."""
GRACE = timedelta(days=30)
"""After it the roles of who was not confirmed rest; an administrator's never do."""


def due_at(confirmed_at: datetime) -> datetime:
    """When somebody must say again that the roles are needed."""
    return confirmed_at + CONFIRMED_EVERY


def is_due(confirmed_at: datetime, at: datetime) -> bool:
    """Whether that day has come."""
    return at >= due_at(confirmed_at)


def lapses_at(confirmed_at: datetime) -> datetime:
    """When the roles begin to rest if nobody says so."""
    return due_at(confirmed_at) + GRACE
