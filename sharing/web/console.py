"""The two consoles: which pages each has, for whom, and where one stands."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.urls import reverse

from sharing.tenants.services import Actor, Duty


@dataclass(frozen=True)
class Tab:
    """One word of a console's own navigation."""

    label: str
    url: str
    current: bool


Row = tuple[str, str, Duty]
ORGANIZATION: Sequence[Row] = (  # route, word, for whom
    ("web:organization", "Overview", Duty.RUN_ORGANIZATION),
    ("web:people", "People", Duty.MANAGE_MEMBERS),
    ("web:agreements", "Agreements", Duty.READ_AGREEMENTS),
    ("web:label-rules", "Labels", Duty.RULE_LABELS),
)
REGION: Sequence[Row] = (
    ("web:applications", "Organizations", Duty.APPROVE_ORGANIZATIONS),
    ("web:agreements", "Agreements", Duty.RECORD_AGREEMENT),
    ("web:region", "Rules", Duty.SET_REGION),
    ("web:label-rules", "Labels", Duty.RULE_LABELS),
)


def tabs(actor: Actor, rows: Sequence[Row], here: str) -> list[Tab]:
    """What of a console this actor may open; `here`: the route of the page."""
    return [
        Tab(word, reverse(route), route == here) for route, word, duty in rows if actor.may(duty)
    ]


def of_organization(actor: Actor, here: str) -> list[Tab]:
    """The organization's console."""
    return tabs(actor, ORGANIZATION, here)


def of_region(actor: Actor, here: str) -> list[Tab]:
    """The region's console."""
    return tabs(actor, REGION, here)
