"""Who knocks at the viewer: the first of a view's four moves."""

from django.http import HttpRequest

from sharing.tenants.errors import NoActor
from sharing.tenants.services import Actor


def actor_of(request: HttpRequest) -> Actor:
    """The request's actor. Raises NoActor, which leads a stranger to the sign-in page."""
    actor: Actor | None = getattr(request, "actor", None)
    if actor is None:
        raise NoActor()
    return actor
