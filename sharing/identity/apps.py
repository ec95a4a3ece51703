"""The identity room, registered under its own label so that migrations repeat the import graph."""

from django.apps import AppConfig


class IdentityConfig(AppConfig):
    name = "sharing.identity"
    label = "identity"
    default_auto_field = "django.db.models.BigAutoField"
