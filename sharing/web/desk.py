"""An administrator's desk: what the organization did this month, and what waits for them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse

from sharing.office import services as office
from sharing.tenants import services
from sharing.tenants.services import Actor

from . import charts, words

MONTHS = 12
TOLD = (("studies", "Studies received"), ("views", "Views"), ("shares", "Shares"))

FAILED = ("hdd-network", "The connection failed its last test", "Each step says what to do.")
QUEUED = ("hourglass-split", "A delivery waits to be taken in", "It should take minutes.")
CONFIRM = ("person-badge", "Roles to confirm", "A month after the day they rest.")
FACTOR = ("shield-lock", "Without a second factor", "They set it up at their next sign-in.")
INVITED = ("envelope", "Invitations not followed yet", "A link lasts 14 days.")
UNTRIED = ("hdd-network", "The connection was never tested", "A test takes a few seconds.")
"""Icon, words, and why it matters."""


@dataclass(frozen=True)
class Task:
    """Something that waits: in words, why it matters, and where it is done."""

    icon: str
    text: str
    why: str
    url: str
    people: str = ""


def desk_of(actor: Actor, own: Any, *, at: datetime) -> dict[str, Any]:
    """What the overview of an active organization shows."""
    card = office.own_card(actor, at=at)
    return {
        "stats": [_held(own), *_stats(office.own_usage(actor, months=MONTHS, at=at))],
        "tasks": _tasks(actor, card, at),
        "days": card.days,
        "chart": charts.days(card.days),
    }


def _held(own: Any) -> dict[str, Any]:
    """How much it holds, of how much."""
    return {"word": "Images held", "size": office.held_bytes(own), "quota": own.quota_bytes}


def _stats(used: office.Usage) -> list[dict[str, Any]]:
    """This month beside the one before, with a bar for each of the year."""
    before = words.month(used.months[-2].month)
    return [_stat(word, used.sums(name), before) for name, word in TOLD]


def _stat(word: str, values: list[int], before: str) -> dict[str, Any]:
    return {
        "word": word,
        "value": f"{values[-1]:,}",
        "bars": charts.spark(values),
        "spoken": f"{words.span(len(values), 'month')}, last {values[-1]:,}",
        "more": f"this month, {values[-2]:,} in {before}",
    }


def _tasks(actor: Actor, card: office.Card, at: datetime) -> list[Task]:
    """What only an administrator can do, the most pressing first."""
    connection, people = reverse("web:connection"), reverse("web:people")
    due = services.posts_due(actor, at=at).count()
    letters = services.open_invitations(actor.organization_id, at=at).count()
    failed = bool(card.tests) and not card.tests[0].passed
    waits = (
        (failed, FAILED, connection),
        (card.waiting_since, QUEUED, connection),
        (due, CONFIRM, people),
        (card.without_second_factor, FACTOR, people),
        (letters, INVITED, people),
        (not card.tests, UNTRIED, connection),
    )
    return [_task(said, many, url) for many, said, url in waits if many]


def _task(said: tuple[str, str, str], many: Any, url: str) -> Task:
    """With the number of people, where it is about some."""
    icon, text, why = said
    people = words.span(many, "person", "people") if type(many) is int else ""
    return Task(icon, text, why, url, people)
