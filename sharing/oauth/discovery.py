"""What the portal offers clients: SMART App Launch 2.2 (2) and RFC 8414. Public, and no secret."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from sharing.partners.rules import RESOURCES, SCOPES
from sharing.partners.services import ALGORITHMS

CAPABILITIES = (
    "launch-standalone",
    "client-public",
    "client-confidential-symmetric",
    "client-confidential-asymmetric",
    "permission-user",
    "permission-v1",
    "permission-v2",
)


def configuration() -> dict[str, Any]:
    """Where is what, and how clients prove who they are."""
    here = f"{settings.PUBLIC_URL}/oauth"
    methods = ["client_secret_basic", "client_secret_post", "private_key_jwt"]
    return {
        "authorization_endpoint": f"{here}/authorize",
        "token_endpoint": f"{here}/token",
        "revocation_endpoint": f"{here}/revoke",
        "introspection_endpoint": f"{here}/introspect",
        "grant_types_supported": ["authorization_code", "client_credentials", "refresh_token"],
        "response_types_supported": ["code"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": [*methods, "none"],
        "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        "revocation_endpoint_auth_methods_supported": methods,
        "introspection_endpoint_auth_methods_supported": methods,
        "authorization_response_iss_parameter_supported": True,
        "scopes_supported": [
            *SCOPES,
            *(f"{level}/{name}.rs" for level in ("user", "system") for name in ("*", *RESOURCES)),
        ],
    }


@require_safe
def smart(request: HttpRequest) -> JsonResponse:
    """`/.well-known/smart-configuration`. SMART's issuer is OpenID Connect's, which is not here."""
    return JsonResponse(configuration() | {"capabilities": list(CAPABILITIES)})


@require_safe
def server(request: HttpRequest) -> JsonResponse:
    """`/.well-known/oauth-authorization-server`."""
    return JsonResponse({"issuer": settings.PUBLIC_URL} | configuration())
