"""The outbox room, registered under its own label so that migrations repeat the import graph."""

from django.apps import AppConfig


class OutboxConfig(AppConfig):
    name = "sharing.outbox"
    label = "outbox"
    default_auto_field = "django.db.models.BigAutoField"
