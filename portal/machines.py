"""The short way of machines: what serves browsers only is not asked when a token speaks.

A viewer or a PACS reads images by the hundred each second, and sessions, forms, messages and pages
cost more than an image. The order of things is the same: a host name that is ours, an actor, a
view, and a domain error's answer.
"""

from typing import cast

from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest, HttpResponse
from django.urls import resolve

from portal import errors
from portal.middleware import Handler, RequestActor, bearer_token
from sharing.kernel.errors import DomainError

MOUNT = "/dicomweb/"


class MachinesPassBy:
    """Leads requests with a token at the DICOMweb mount past all middleware below this one."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response
        self.short = _caught(RequestActor(_caught(_answer)))

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The short way, or the way of all others."""
        if not request.path_info.startswith(MOUNT) or bearer_token(request) is None:
            return self.get_response(request)
        request.get_host()  # raises DisallowedHost, as CommonMiddleware does
        response = self.short(request)
        if not response.streaming and not response.has_header("Content-Length"):
            response.headers["Content-Length"] = str(len(response.content))
        return response


def _caught(handler: Handler) -> Handler:
    """The same, with any exception turned into its answer and its line in the log."""
    return cast(Handler, convert_exception_to_response(handler))


def _answer(request: HttpRequest) -> HttpResponse:
    match = request.resolver_match = resolve(request.path_info)
    try:
        return match.func(request, *match.args, **match.kwargs)
    except DomainError as error:
        return errors.response_for(request, error)
