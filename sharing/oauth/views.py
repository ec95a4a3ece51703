"""Tokens for clients and apps. What the toolkit's views do is theirs; who may and what is ours."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from oauth2_provider.exceptions import OAuthToolkitError
from oauth2_provider.http import OAuth2ResponseRedirect
from oauth2_provider.views.base import RevokeTokenView, TokenView
from oauth2_provider.views.mixins import OAuthLibMixin
from oauthlib.common import Request, add_params_to_uri

from sharing.kernel.errors import BadValue
from sharing.partners.rules import in_words
from sharing.partners.services import introspected
from sharing.tenants.errors import NoActor
from sharing.tenants.services import Actor

ASKED = (
    "client_id",
    "redirect_uri",
    "response_type",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
)


class Token(TokenView):
    """POST: a token for a code, a refresh token, or a client's own credentials."""

    def authorization_flow_token_response(self, request: Any, *args: Any, **kw: Any) -> Any:
        """As JSON, also where the toolkit only notices at the end that a code is gone."""
        response = super().authorization_flow_token_response(request, *args, **kw)
        response["Content-Type"] = "application/json"
        return response


class Revoke(RevokeTokenView):
    """POST: a token is over (RFC 7009)."""


@method_decorator(never_cache, name="dispatch")
class Authorize(LoginRequiredMixin, OAuthLibMixin, View):
    """A person allows an app of their organization to act as they may, or does not."""

    def get(self, request: Any) -> HttpResponse:
        """Which app asks for what, in words."""
        try:
            scopes, credentials = self.validate_authorization_request(request)
            client = _client(credentials, request.actor)
        except OAuthToolkitError as error:
            return self._refused(request, error)
        context = {
            "client": client,
            "wanted": [in_words(scope) for scope in scopes],
            "asked": {name: request.GET.get(name, "") for name in ASKED},
        }
        page = render(request, "oauth/authorize.html", context)
        page["Content-Security-Policy"] = _policy(credentials["redirect_uri"])
        return page

    def post(self, request: Any) -> HttpResponse:
        """Back to the app, with a code or with a no."""
        request.META["QUERY_STRING"] = ""
        try:
            scopes, credentials = self.validate_authorization_request(request)
            client = _client(credentials, request.actor)
            credentials["acting"] = (str(request.actor.purpose), request.actor.assured)
            uri, *_ = self.create_authorization_response(
                request=request,
                scopes=" ".join(scopes),
                credentials=credentials,
                allow=request.POST.get("answer") == "allow",
            )
        except OAuthToolkitError as error:
            return self._refused(request, error)
        return OAuth2ResponseRedirect(uri, client.get_allowed_schemes())

    def _refused(self, request: HttpRequest, error: OAuthToolkitError) -> HttpResponse:
        """Back to an app that is known, else a page: never to an address that nobody registered.

        A no says whose it is, as a yes does (RFC 9207).
        """
        redirect, told = self.error_response(error)
        if redirect:
            named = add_params_to_uri(told["url"], [("iss", settings.PUBLIC_URL)])
            return OAuth2ResponseRedirect(named, ["https", "http"])
        return render(request, "oauth/refused.html", status=400)


def _client(credentials: Any, actor: Actor | None) -> Any:
    """The app, of the organization that the person acts for. Raises NoActor or BadValue.

    Who was let in to look, for hours, lets no app act: its token would come back with another day.
    """
    if actor is None:
        raise NoActor()
    if actor.support is not None:
        raise BadValue("In a support session no app acts for you.")
    client = credentials["request"].client
    if client.organization_id != actor.organization_id or not actor.active:
        raise BadValue("This app belongs to another organization than the one you act for.")
    return client


def _policy(redirect: str) -> str:
    """The house's own, and the form may lead back to the app."""
    parts = urlsplit(redirect)
    back = {"form-action": ["'self'", f"{parts.scheme}://{parts.netloc}"]}
    directives = settings.SECURE_CSP | back
    return "; ".join(f"{name} {' '.join(values)}" for name, values in directives.items())


@csrf_exempt
@require_POST
def introspect(request: HttpRequest) -> JsonResponse:
    """What a token says (RFC 7662), to a client that proved who it is."""
    asked = Request(
        request.build_absolute_uri(), "POST", request.POST.urlencode(), _headers(request)
    )
    asked.client = None
    if not _validator().authenticate_client(asked):
        return JsonResponse({"error": "invalid_client"}, status=401)
    token = request.POST.get("token", "")
    answer = introspected(token, by=asked.client, at=timezone.now())
    response = JsonResponse(answer)
    response["Cache-Control"] = "no-store"
    return response


def _headers(request: HttpRequest) -> dict[str, str]:
    given = request.META.get("HTTP_AUTHORIZATION", "")
    return {"HTTP_AUTHORIZATION": given} if given else {}


def _validator() -> Any:
    return OAuthLibMixin.get_validator_class()()
