"""How long somebody may sit at the portal, idle or at all: each organization's own. Pure."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Over(StrEnum):
    """Why a session ended."""

    IDLE = "idle"
    LONG = "long"


@dataclass(frozen=True)
class Limits:
    """Minutes without a request, minutes at a shared workstation, hours in all."""

    idle_minutes: int = 30
    shared_minutes: int = 5
    longest_hours: int = 12

    def idle(self, *, shared: bool) -> timedelta:
        """For how long nothing may come."""
        minutes = min(self.idle_minutes, self.shared_minutes) if shared else self.idle_minutes
        return timedelta(minutes=minutes)


def over(limits: Limits, *, began: float, seen: float, now: float, shared: bool) -> Over | None:
    """Whether a session that began and was last used at those seconds is over now, and why."""
    if now - began >= limits.longest_hours * 3600:
        return Over.LONG
    if now - seen >= limits.idle(shared=shared).total_seconds():
        return Over.IDLE
    return None
