"""The notify room, registered under its own label so that migrations repeat the import graph."""

from django.apps import AppConfig


class NotifyConfig(AppConfig):
    name = "sharing.notify"
    label = "notify"
    default_auto_field = "django.db.models.BigAutoField"
