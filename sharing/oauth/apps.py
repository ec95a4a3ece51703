"""The OAuth face: where clients and apps get their tokens, registered under its own label."""

from django.apps import AppConfig


class OAuthConfig(AppConfig):
    name = "sharing.oauth"
    label = "oauth"
