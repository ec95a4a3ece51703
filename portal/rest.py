"""Django REST framework's hooks: the actor as its authentication, our errors as its errors."""

from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from rest_framework import exceptions
from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from portal import errors
from sharing.kernel.errors import DomainError


class ActorAuthentication(SessionAuthentication):
    """Takes over what the middleware found; a cookie needs a CSRF token too, a bearer doesn't."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        """(user, actor), or None for a stranger."""
        inner: Any = request._request
        actor = inner.actor
        if actor is None:
            return None
        if not inner.by_token:
            self.enforce_csrf(request)
        return (AnonymousUser() if inner.by_token else inner.user), actor

    def authenticate_header(self, request: Request) -> str:
        """Makes a stranger's answer 401, not 403."""
        return 'Bearer realm="portal"'


class HasActor(BasePermission):
    """Somebody is asking: a person in an organization, or a partner's client."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """True when the request has an actor; what it may see is the services' answer."""
        return getattr(request._request, "actor", None) is not None


def exception_response(exc: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """REST framework's EXCEPTION_HANDLER: its own errors in our shape, ours by the table."""
    request = context["request"]._request
    if isinstance(exc, DomainError):
        return errors.response_for(request, exc)
    if isinstance(exc, Http404):
        return errors.absent(request)
    if isinstance(exc, PermissionDenied | exceptions.PermissionDenied):
        return errors.forbidden(request, exc)
    if isinstance(exc, exceptions.APIException):
        return errors.problem(
            request, exc.status_code, code=str(exc.default_code), detail=str(exc.default_detail)
        )
    return None
