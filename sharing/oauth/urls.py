"""Where clients find out what the portal offers, get tokens, and give them back."""

from django.urls import path

from . import discovery, views

app_name = "oauth"

urlpatterns = [
    path(".well-known/smart-configuration", discovery.smart, name="smart"),
    path("fhir/.well-known/smart-configuration", discovery.smart, name="smart-of-fhir"),
    path(".well-known/oauth-authorization-server", discovery.server, name="server"),
    path("oauth/authorize", views.Authorize.as_view(), name="authorize"),
    path("oauth/token", views.Token.as_view(), name="token"),
    path("oauth/revoke", views.Revoke.as_view(), name="revoke"),
    path("oauth/introspect", views.introspect, name="introspect"),
]
