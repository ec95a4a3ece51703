"""The access room, registered under its own label so that migrations repeat the import graph."""

from django.apps import AppConfig


class AccessConfig(AppConfig):
    name = "sharing.access"
    label = "access"
    default_auto_field = "django.db.models.BigAutoField"
