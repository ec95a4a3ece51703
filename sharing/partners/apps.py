"""The partners room, registered under its own label so that migrations repeat the import graph."""

from django.apps import AppConfig


class PartnersConfig(AppConfig):
    name = "sharing.partners"
    label = "partners"
    default_auto_field = "django.db.models.BigAutoField"
