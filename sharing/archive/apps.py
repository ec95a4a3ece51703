"""The archive room, registered under its own label so that migrations repeat the import graph."""

from django.apps import AppConfig


class ArchiveConfig(AppConfig):
    name = "sharing.archive"
    label = "archive"
    default_auto_field = "django.db.models.BigAutoField"
