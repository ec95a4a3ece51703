"""The office room, registered under its own label so that migrations repeat the import graph."""

from django.apps import AppConfig


class OfficeConfig(AppConfig):
    name = "sharing.office"
    label = "office"
    default_auto_field = "django.db.models.BigAutoField"
