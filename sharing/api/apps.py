"""The api room, registered under its own label so that migrations repeat the import graph."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "sharing.api"
    label = "api"
    default_auto_field = "django.db.models.BigAutoField"
