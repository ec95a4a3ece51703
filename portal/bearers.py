"""Whoever came by a link: an actor from the session's link, and the few doors it opens."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from sharing.exchange.services import bearer
from sharing.tenants.services import Actor, Role

Handler = Callable[[HttpRequest], HttpResponse]
SPACES = frozenset({"viewer", "dicomweb"})
DOORS = frozenset(
    {
        "web:open-link",
        "web:leave-link",
        "web:opened",
        "web:opened-study",
        "web:opened-download",
        "web:study-state",
        "web:series-thumbnail",
        "web:study-thumbnail",
    }
)
"""What a link opens: the rest of the portal knows its bearer as a stranger."""


def by_link(request: Any) -> Actor | None:
    """The bearer of the link that this browser used, while both last: asked at each request."""
    held = request.session.get("link")
    if held is None:
        return None
    now = timezone.now()
    actor = bearer(held["name"], at=now) if now.timestamp() < held["until"] else None
    request.link_ended = actor is None
    return actor


def forget_link(request: Any) -> None:
    """Who signs in leaves the link behind: nobody is two at once."""
    if "link" in request.session:
        del request.session["link"]


def is_bearer(actor: Actor | None) -> bool:
    """Whether the actor came by a link."""
    return actor is not None and Role.BEARER in actor.roles


class LinkDoors:
    """Makes a bearer a stranger at all doors but those of what the link opens."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Nothing on the way in: which door it is is not known yet."""
        return self.get_response(request)

    def process_view(self, request: Any, view: Any, args: Any, kwargs: Any) -> None:
        """The actor goes where the door is not one of theirs."""
        found = request.resolver_match
        if is_bearer(request.actor) and not (found.namespace in SPACES or found.view_name in DOORS):
            request.actor = None
