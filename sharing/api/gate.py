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


def may(actor: Actor, scope: str) -> bool:
    """A person by role alone, a machine by its token's scope."""
    return actor.kind != "client" or scope in actor.scopes


def uploads(view: View) -> View:
    """401 for strangers, 403 for those whose role or token does not include uploading."""

    @wraps(view)
    def guarded(request: Any, **path: str) -> HttpResponseBase:
        actor: Actor | None = request.actor
        if actor is None:
            raise NoActor()
        if not may(actor, "uploads.write") or not actor.may(Duty.UPLOAD):
            raise PermissionDenied
        return view(request, **path)

    return guarded


class ReadsStudies(BasePermission):
    """Somebody asks, and a token carries `studies.read`; what is seen is the fence's answer."""

    def has_permission(self, request: Any, view: Any) -> bool:
        """False for strangers and for tokens without the scope."""
        actor = request._request.actor
        return actor is not None and may(actor, "studies.read")


class ReadsShares(BasePermission):
    """People; of machines those whose token carries `shares.read`, to read what came to them."""

    def has_permission(self, request: Any, view: Any) -> bool:
        """False for strangers, for tokens without the scope, and for machines that would write."""
        actor = request._request.actor
        if actor is None or actor.kind != "client":
            return actor is not None
        return request.method in SAFE_METHODS and may(actor, "shares.read")


class People(BasePermission):
    """Who asks, answers and records what a patient said is a person."""

    def has_permission(self, request: Any, view: Any) -> bool:
        """False for strangers and for machines, whatever their token carries."""
        actor = request._request.actor
        return actor is not None and actor.kind != "client"


class Witnesses(BasePermission):
    """A machine with the scope for it, or a privacy officer."""

    def has_permission(self, request: Any, view: Any) -> bool:
        """False for strangers, other roles, and tokens without the scope."""
        actor = request._request.actor
        if actor is None:
            return False
        return actor.may(Duty.READ_LOG) if actor.kind != "client" else may(actor, "log.witness")


class ReadsOrDeletesStudies(ReadsStudies):
    """The same, and for DELETE `studies.delete`; whose study it is, is the service's answer."""

    def has_permission(self, request: Any, view: Any) -> bool:
        """False for strangers and for tokens without the scope of the method."""
        actor = request._request.actor
        if request.method != "DELETE":
            return super().has_permission(request, view)
        return actor is not None and may(actor, "studies.delete")
