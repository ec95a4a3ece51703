"""All URLs of the portal: each face brings its own list and is mounted here, nowhere else."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from portal import accounts, errors, health, languages, oidc, saml

FACES = {  # where each face is mounted; the order is the order of matching
    "sharing.dicomweb": "dicomweb/",
    "sharing.api": "api/",
    "sharing.fhir": "fhir/",
    "sharing.scim": "scim/v2/",
    "sharing.viewer": "viewer/",
    "sharing.oauth": "",
    "sharing.web": "",
}


def closed(request: HttpRequest, **kwargs: str) -> HttpResponse:
    """allauth's pages that this portal doesn't have: accounts and addresses come by invitation."""
    return errors.absent(request)


urlpatterns = [
    path("healthz", health.alive, name="alive"),
    path("readyz", health.ready, name="ready"),
    path("language/", languages.choose, name="set_language"),
    path("accounts/signup/", closed, name="account_signup"),
    path("accounts/email/", closed, name="account_email"),
    path("accounts/confirm-email/", closed, name="account_email_verification_sent"),
    path("accounts/confirm-email/<str:key>/", closed, name="account_confirm_email"),
    path(
        "accounts/2fa/totp/activate/",
        login_required(accounts.ActivateSecondFactor.as_view()),
        name="mfa_activate_totp",
    ),
    path(
        "accounts/2fa/webauthn/add/",
        login_required(accounts.AddPasskey.as_view()),
        name="mfa_add_webauthn",
    ),
    *(
        path(f"accounts/3rdparty/{name}/", closed, name=f"socialaccount_{name}")
        for name in ("signup", "connections", "login_cancelled", "login_error")
    ),
    path("accounts/oidc/<slug:provider_id>/login/", oidc.login, name="openid_connect_login"),
    path(
        "accounts/oidc/<slug:provider_id>/login/callback/",
        oidc.callback,
        name="openid_connect_callback",
    ),
    path("accounts/saml/<slug:code>/login/", saml.login, name="saml_login"),
    path("accounts/saml/<slug:code>/acs/", saml.acs, name="saml_acs"),
    path("accounts/saml/<slug:code>/acs/finish/", saml.finish, name="saml_finish_acs"),
    path("accounts/saml/<slug:code>/metadata/", saml.metadata, name="saml_metadata"),
    path("accounts/", include("allauth.account.urls")),
    path("accounts/2fa/", include("allauth.mfa.urls")),
    path("accounts/sessions/", include("allauth.usersessions.urls")),
    *(path(prefix, include(f"{face}.urls")) for face, prefix in FACES.items()),
]
handler400 = "portal.errors.bad_request"
handler403 = "portal.errors.forbidden"
handler404 = "portal.errors.not_found"
handler500 = "portal.errors.server_error"
