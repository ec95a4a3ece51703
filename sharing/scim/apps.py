"""The scim room, registered under its own label so that migrations repeat the import graph."""

from django.apps import AppConfig


class ScimConfig(AppConfig):
    name = "sharing.scim"
    label = "scim"
    default_auto_field = "django.db.models.BigAutoField"
