"""What one use of a permit is, and for how long it goes on. Pure.

A permit may be given for so many uses, or ask that the patient is told of each. One use is one
opening: the same actor, for the same purpose, with the same study, for a quarter of an hour from
the first image or report on. A copy that leaves is a use of its own. Finding a study is none.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sharing.kernel.purposes import Action
from sharing.tenants.rules import Actor

LASTS = timedelta(minutes=15)


class UseKind(StrEnum):
    """Looking, or taking a copy."""

    LOOK = "look"
    COPY = "copy"


_KINDS: Mapping[Action, UseKind] = {
    Action.REPORT: UseKind.LOOK,
    Action.IMAGES: UseKind.LOOK,
    Action.DOWNLOAD: UseKind.COPY,
    Action.SEND: UseKind.COPY,
    Action.AI: UseKind.COPY,
}


def kind_of(action: Action) -> UseKind | None:
    """Which kind of use it is; None for what uses nothing: to find, to share on."""
    return _KINDS.get(action)


def kinds_that_let(action: Action) -> frozenset[UseKind]:
    """The kinds of use under way that this action belongs to; to find belongs to each."""
    if action == Action.DISCOVER:
        return frozenset(UseKind)
    kind = kind_of(action)
    return frozenset({kind}) if kind else frozenset()


@dataclass(frozen=True)
class UseFacts:
    """One use, by value: who opened which study, until when it goes on."""

    kind: UseKind
    actor_kind: str
    actor_id: str
    organization_id: int
    purpose: str
    study_uid: str
    starts_at: datetime
    ends_at: datetime

    def goes_on(self, actor: Actor, action: Action, study_uid: str, at: datetime) -> bool:
        """Whether what the actor does now belongs to it."""
        mine = (self.actor_kind, self.actor_id, self.organization_id, self.purpose)
        return (
            mine == (actor.kind, actor.id, actor.organization_id, actor.purpose)
            and self.kind in kinds_that_let(action)
            and self.study_uid == study_uid
            and self.starts_at <= at < self.ends_at
        )
