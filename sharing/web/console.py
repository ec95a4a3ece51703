"""The two consoles: which pages each has, for whom, and where one stands."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.urls import NoReverseMatch, reverse

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
    ("web:profile", "Profile", Duty.RUN_ORGANIZATION),
    ("web:people", "People", Duty.MANAGE_MEMBERS),
    ("web:teams", "Departments", Duty.MANAGE_TEAMS),
    ("web:devices", "Devices", Duty.RUN_ORGANIZATION),
    ("web:connection", "Connection", Duty.RUN_ORGANIZATION),
    ("web:clients", "API clients", Duty.RUN_ORGANIZATION),
    ("web:webhooks", "Webhooks", Duty.RUN_ORGANIZATION),
    ("web:consent-texts", "Consent texts", Duty.RUN_ORGANIZATION),
    ("web:usage", "Usage", Duty.RUN_ORGANIZATION),
    ("web:agreements", "Agreements", Duty.READ_AGREEMENTS),
    ("web:label-rules", "Labels", Duty.RULE_LABELS),
)
REGION: Sequence[Row] = (
    ("web:region-console", "Overview", Duty.SET_REGION),
    ("web:applications", "Organizations", Duty.APPROVE_ORGANIZATIONS),
    ("web:agreements", "Agreements", Duty.RECORD_AGREEMENT),
    ("web:region", "Rules", Duty.SET_REGION),
    ("web:label-rules", "Labels", Duty.RULE_LABELS),
    ("web:region-work", "Work", Duty.SET_REGION),
    ("web:region-usage", "Usage", Duty.SET_REGION),
)


def tabs(actor: Actor, rows: Sequence[Row], here: str) -> list[Tab]:
    """What of a console this actor may open; `here`: the route of the page."""
    offered = ((route, word) for route, word, duty in rows if actor.may(duty))
    found = ((route, word, _address(route)) for route, word in offered)
    return [Tab(word, url, route == here) for route, word, url in found if url]


def _address(route: str) -> str:
    """Empty for a page that this installation does not serve."""
    try:
        return reverse(route)
    except NoReverseMatch:
        return ""


def of_organization(actor: Actor, here: str) -> list[Tab]:
    """The organization's console."""
    return tabs(actor, ORGANIZATION, here)


def of_region(actor: Actor, here: str) -> list[Tab]:
    """The region's console."""
    return tabs(actor, REGION, here)
