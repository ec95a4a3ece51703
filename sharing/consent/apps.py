"""The consent room, registered under its own label so that migrations repeat the import graph."""

from django.apps import AppConfig


class ConsentConfig(AppConfig):
    name = "sharing.consent"
    label = "consent"
    default_auto_field = "django.db.models.BigAutoField"
