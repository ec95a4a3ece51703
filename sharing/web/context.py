"""What the frame of every page needs: who acts, where they may go, what is new."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from sharing.access.rules import may_break
from sharing.access.services import lasting_glasses
from sharing.kernel.purposes import Purpose
from sharing.notify.services import unread_count
from sharing.tenants import services as tenants
from sharing.tenants.services import Actor, Duty

from . import console
from .doors import realm_of

Shown = Callable[[Actor], bool]


@dataclass(frozen=True)
class Place:
    """One word of the navigation."""

    label: str
    url: str
    icon: str
    current: bool = False


def _sees_studies(actor: Actor) -> bool:
    return (
        actor.support is not None
        or actor.treating
        or actor.may(Duty.UPLOAD)
        or actor.may(Duty.RECORD_CONSENT)
    )


def _meets_support(actor: Actor) -> bool:
    return any(map(actor.may, (Duty.APPROVE_ORGANIZATIONS, Duty.GUARD, Duty.MANAGE_MEMBERS)))


PLACES: tuple[tuple[str, str, str, Shown], ...] = (  # route, word, icon, for whom
    ("web:home", "Home", "house", lambda actor: True),
    ("web:patients", "Patients", "people", _sees_studies),
    ("web:consents", "Consents", "shield-check", lambda a: a.may(Duty.RECORD_CONSENT)),
    ("web:upload", "Upload", "cloud-upload", lambda actor: actor.may(Duty.UPLOAD)),
    ("web:studies", "Studies", "collection", _sees_studies),
    ("web:copies", "Copies", "file-earmark-zip", lambda a: a.purpose == Purpose.RESEARCH),
    ("web:requests", "Requests", "envelope", lambda a: a.may(Duty.SHARE)),
    ("web:shares", "Shares", "share", lambda a: a.may(Duty.SHARE)),
    ("web:conflicts", "Conflicts", "intersect", lambda a: a.may(Duty.DECIDE)),
    ("web:privacy", "Privacy", "graph-up", lambda a: a.may(Duty.READ_LOG)),
    ("web:log", "Access log", "journal-text", lambda a: a.may(Duty.READ_LOG)),
    ("web:organization", "Organization", "building", lambda a: a.may(Duty.RUN_ORGANIZATION)),
    ("web:people", "People", "person-badge", lambda a: a.may(Duty.MANAGE_MEMBERS)),
    ("web:clients", "Clients", "hdd-network", lambda a: a.may(Duty.MANAGE_CLIENTS)),
    ("web:label-rules", "Labels", "shield-lock", lambda a: a.may(Duty.RULE_LABELS)),
    ("web:agreements", "Agreements", "file-earmark-text", lambda a: a.may(Duty.READ_AGREEMENTS)),
    ("web:support", "Support", "life-preserver", _meets_support),
    ("web:domains", "Domains", "globe", lambda a: a.may(Duty.APPROVE_ORGANIZATIONS)),
    ("web:region-console", "Region", "sliders", lambda a: a.may(Duty.SET_REGION)),
    ("web:applications", "Organizations", "buildings", lambda a: a.may(Duty.APPROVE_ORGANIZATIONS)),
)


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context processor: `nav`, `search_url`, `acting_choices`, `notices_count`, if known."""
    actor = getattr(request, "actor", None)
    user: Any = request.user
    if actor is None or not user.is_authenticated:
        nobody: dict[str, Any] = {"nav": [], "search_url": None, "acting_choices": []}
        return nobody | {"notices_count": 0, "console": None}
    breaks = may_break(actor)
    return {
        "nav": places(actor, request.path),
        "search_url": _address("web:studies") if _sees_studies(actor) else None,
        "acting_choices": SimpleLazyObject(
            lambda: tenants.acting_choices(user, only=realm_of(request))
        ),
        "notices_count": SimpleLazyObject(lambda: unread_count(actor)),
        "may_break": breaks,
        "console": SimpleLazyObject(lambda: console.beside(actor, request.path)),
        "glasses": SimpleLazyObject(lambda: lasting_glasses(actor, at=timezone.now())),
    }


def places(actor: Actor, path: str) -> list[Place]:
    """The navigation for this actor; a page that this installation does not serve has no word."""
    offered = [
        Place(word, address, drawing)
        for route, word, drawing, shown in PLACES
        if shown(actor)
        and not console.stands_in_console(actor, route)
        and (address := _address(route)) is not None
    ]
    under = max((p.url for p in offered if _is_under(path, p.url)), key=len, default=None)
    here = console.overview_over(actor, path) or under
    return [Place(p.label, p.url, p.icon, p.url == here) for p in offered]


def _is_under(path: str, url: str) -> bool:
    return path == url if url == "/" else path.startswith(url)


def _address(route: str) -> str | None:
    try:
        return reverse(route)
    except NoReverseMatch:
        return None
