"""The audit room, registered under its own label so that migrations repeat the import graph."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "sharing.audit"
    label = "audit"
    default_auto_field = "django.db.models.BigAutoField"
