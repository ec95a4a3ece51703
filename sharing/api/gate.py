"""Who may use the uploads: people with their session, machines with the scope for it."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpResponseBase
from rest_framework.permissions import SAFE_METHODS, BasePermission

from sharing.tenants.errors import NoActor
from sharing.tenants.rules import Actor, Duty

View = Callable[..., HttpResponseBase]


def uploads(view: View) -> View:
    """401 for strangers, 403 for those whose role or token does not include uploading."""

    @wraps(view)
    def guarded(request: Any, **path: str) -> HttpResponseBase:
        actor: Actor | None = request.actor
        if actor is None:
            raise NoActor()
        if not actor.carries("uploads.write") or not actor.may(Duty.UPLOAD):
            raise PermissionDenied
        return view(request, **path)

    return guarded


class ReadsStudies(BasePermission):
    """Somebody asks, and a token carries `studies.read`; what is seen is the fence's answer."""

    def has_permission(self, request: Any, view: Any) -> bool:
        """False for strangers and for tokens without the scope."""
        actor = request._request.actor
        return actor is not None and actor.carries("studies.read")


class Shares(BasePermission):
    """People, also by an app with the scope; machines with `shares.read` read what came to them."""

    def has_permission(self, request: Any, view: Any) -> bool:
        """False for strangers, for tokens without the scope, and for machines that would write."""
        actor = request._request.actor
        if actor is None or (actor.kind == "client" and request.method not in SAFE_METHODS):
            return False
        return actor.carries(_by_method(request, "shares"))


class People(BasePermission):
    """A person speaks, by a session or an app with the scope of `view.about`; no machine does."""

    def has_permission(self, request: Any, view: Any) -> bool:
        """False for strangers, for machines whatever they carry, and for apps without the scope."""
        actor = request._request.actor
        if actor is None or actor.kind == "client":
            return False
        return actor.carries(_by_method(request, getattr(view, "about", "")))


class Scoped(BasePermission):
    """Somebody who by their role may, and a token with the scope of `view.about`."""

    def has_permission(self, request: Any, view: Any) -> bool:
        """False for strangers, tokens without the scope, and who is of a suspended organization."""
        actor = request._request.actor
        if actor is None or not actor.active:
            return False
        return actor.carries(_by_method(request, getattr(view, "about", "")))


def _by_method(request: Any, about: str) -> str:
    return f"{about}.{'read' if request.method in SAFE_METHODS else 'write'}"


class Witnesses(BasePermission):
    """A machine with the scope for it, or a privacy officer."""

    def has_permission(self, request: Any, view: Any) -> bool:
        """False for strangers, other roles, and tokens without the scope."""
        actor = request._request.actor
        if actor is None or not actor.carries("log.witness"):
            return False
        return actor.kind == "client" or actor.may(Duty.READ_LOG)


class ReadsOrDeletesStudies(ReadsStudies):
    """The same, and for DELETE `studies.delete`; whose study it is, is the service's answer."""

    def has_permission(self, request: Any, view: Any) -> bool:
        """False for strangers and for tokens without the scope of the method."""
        actor = request._request.actor
        if request.method != "DELETE":
            return super().has_permission(request, view)
        return actor is not None and actor.carries("studies.delete")
