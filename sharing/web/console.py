"""The two consoles: which pages each has, for whom, and where one stands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.urls import NoReverseMatch, reverse

from sharing.office import services as office
from sharing.tenants.services import Actor, Duty


@dataclass(frozen=True)
class Tab:
    """One word of a console's own navigation, with how many stand behind it."""

    label: str
    url: str
    current: bool
    count: int | None = None


@dataclass(frozen=True)
class Console:
    """The navigation that stands beside each page of a console."""

    label: str
    tabs: list[Tab]


Row = tuple[str, str, Duty]
ORGANIZATION: Sequence[Row] = (  # route, word, for whom
    ("web:organization", "Overview", Duty.RUN_ORGANIZATION),
    ("web:profile", "Profile", Duty.RUN_ORGANIZATION),
    ("web:people", "People", Duty.MANAGE_MEMBERS),
    ("web:teams", "Departments", Duty.MANAGE_TEAMS),
    ("web:devices", "Devices", Duty.RUN_ORGANIZATION),
    ("web:connection", "Connection", Duty.RUN_ORGANIZATION),
    ("web:clients", "API clients", Duty.MANAGE_CLIENTS),
    ("web:webhooks", "Webhooks", Duty.MANAGE_WEBHOOKS),
    ("web:telling", "Notifications", Duty.RUN_ORGANIZATION),
    ("web:consent-texts", "Consent texts", Duty.RUN_ORGANIZATION),
    ("web:agreements", "Agreements", Duty.READ_AGREEMENTS),
    ("web:label-rules", "Labels", Duty.RULE_LABELS),
    ("web:usage", "Usage", Duty.RUN_ORGANIZATION),
    ("web:audit", "Audit", Duty.RUN_ORGANIZATION),
)
REGION: Sequence[Row] = (
    ("web:region-console", "Overview", Duty.SET_REGION),
    ("web:applications", "Organizations", Duty.APPROVE_ORGANIZATIONS),
    ("web:domains", "Domains", Duty.APPROVE_ORGANIZATIONS),
    ("web:agreements", "Agreements", Duty.RECORD_AGREEMENT),
    ("web:region", "Rules", Duty.SET_REGION),
    ("web:label-rules", "Labels", Duty.RULE_LABELS),
    ("web:region-work", "Jobs and health", Duty.SET_REGION),
    ("web:region-usage", "Usage and storage", Duty.SET_REGION),
)
counted_as = {  # route -> how its number is called in the office
    "web:people": "people",
    "web:teams": "departments",
    "web:devices": "devices",
    "web:clients": "clients",
    "web:agreements": "agreements",
    "web:applications": "waiting",
}


def beside(actor: Actor, path: str) -> Console | None:
    """The console that this page belongs to, for this actor; None for all other pages."""
    offered, label = _offered(actor), _rows(actor)[1]
    here = _here(offered, path)
    if not here:
        return None
    counts = office.counts(actor)
    tabs = [Tab(word, url, url == here, _count(counts, route)) for route, word, url in offered]
    return Console(label, tabs)


def overview_over(actor: Actor, path: str) -> str:
    """The console's first page where this page belongs to a console, else blank."""
    offered = _offered(actor)
    return offered[0][2] if _here(offered, path) else ""


def _offered(actor: Actor) -> list[tuple[str, str, str]]:
    """(route, word, address) of what the actor may open."""
    rows, _ = _rows(actor)
    return [
        (route, word, url)
        for route, word, duty in rows
        if actor.may(duty) and (url := _address(route))
    ]


def _here(offered: list[tuple[str, str, str]], path: str) -> str:
    return max((url for _, _, url in offered if path.startswith(url)), key=len, default="")


def _rows(actor: Actor) -> tuple[Sequence[Row], str]:
    if actor.may(Duty.SET_REGION):
        return REGION, "Pages of the region"
    if actor.may(Duty.RUN_ORGANIZATION):
        return ORGANIZATION, "Pages of this organization"
    return (), ""


def stands_in_console(actor: Actor, route: str) -> bool:
    """Whether the word for a page stands in the actor's console, and so not above it."""
    rows, _ = _rows(actor)
    return any(each == route for each, _, _ in rows[1:])


def _count(counts: Mapping[str, int], route: str) -> int | None:
    """A number beside the word, unless it is none."""
    return counts.get(counted_as.get(route, "")) or None


def _address(route: str) -> str:
    """Empty for a page that this installation does not serve."""
    try:
        return reverse(route)
    except NoReverseMatch:
        return ""
