"""Break-glass: its reasons, its life cycle, its review, and who may do it at all. Pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from sharing.kernel.purposes import Action, Purpose
from sharing.tenants.rules import Actor, Duty

from .facts import LOOKING

LEAST_WORDS = 20
"""Letters that the reason in one's own words has at least: "x" is no reason."""


class GlassReason(StrEnum):
    """Why somebody could not wait for a consent."""

    LIFE = "life"
    CANNOT_CONSENT = "cannot_consent"
    PATIENT_ASKS = "patient_asks"
    PUBLIC_HEALTH = "public_health"

    @property
    def words(self) -> str:
        """The reason as pages say it."""
        return _REASONS[self][0]

    @property
    def more(self) -> str:
        """When it is meant."""
        return _REASONS[self][1]


_REASONS = {
    GlassReason.LIFE: ("Life or limb at risk", "Needs a decision within the hour"),
    GlassReason.CANNOT_CONSENT: ("Patient can’t consent", "Unconscious, confused, sedated"),
    GlassReason.PATIENT_ASKS: (
        "Patient asks, now",
        "Present, and no time for the normal way",
    ),
    GlassReason.PUBLIC_HEALTH: ("Public health order", "Name the order below"),
}


class GlassState(StrEnum):
    """Where one emergency access stands. Only OPEN opens anything, and only until its end."""

    OPEN = "open"
    ENDED = "ended"
    CUT = "cut"
    EXPIRED = "expired"


class GlassEvent(StrEnum):
    """What moves it: its own person, a privacy officer, the clock."""

    END = "end"
    CUT = "cut"
    EXPIRE = "expire"


GLASS_NEXT: Mapping[tuple[GlassState, GlassEvent], GlassState] = {
    (GlassState.OPEN, GlassEvent.END): GlassState.ENDED,
    (GlassState.OPEN, GlassEvent.CUT): GlassState.CUT,
    (GlassState.OPEN, GlassEvent.EXPIRE): GlassState.EXPIRED,
}


class ReviewState(StrEnum):
    """What a privacy officer found."""

    WAITING = "waiting"
    JUSTIFIED = "justified"
    UNJUSTIFIED = "unjustified"
    INCONCLUSIVE = "inconclusive"


class ReviewEvent(StrEnum):
    """The verdict; a review is closed once."""

    JUSTIFY = "justify"
    FAULT = "fault"
    LEAVE_OPEN = "leave_open"


REVIEW_NEXT: Mapping[tuple[ReviewState, ReviewEvent], ReviewState] = {
    (ReviewState.WAITING, ReviewEvent.JUSTIFY): ReviewState.JUSTIFIED,
    (ReviewState.WAITING, ReviewEvent.FAULT): ReviewState.UNJUSTIFIED,
    (ReviewState.WAITING, ReviewEvent.LEAVE_OPEN): ReviewState.INCONCLUSIVE,
}


def may_break(actor: Actor) -> bool:
    """Whether this actor may open anything in an emergency: a person who treats, never a machine
    and never an app.

    The second factor and the account's standing are part of `Actor.may`.
    """
    person = actor.kind == "user" and not actor.by_token
    return person and actor.purpose == Purpose.TREATMENT and actor.may(Duty.BREAK_GLASS)


def glass_gives(actor: Actor, action: Action) -> bool:
    """Whether an open glass may give this action to this actor: to look, and no copy."""
    return action in LOOKING and may_break(actor)


def overdue(state: str, due_at: datetime, at: datetime) -> bool:
    """Whether a review should have been closed by now."""
    return state == ReviewState.WAITING and due_at <= at


def review_due(begun: datetime, days: int) -> datetime:
    """The end of that many working days (Monday to Friday) after the glass was broken."""
    due = begun
    while days > 0:
        due += timedelta(days=1)
        days -= due.weekday() < 5
    return due
