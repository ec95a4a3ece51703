"""The tenants room, registered under its own label so that migrations repeat the import graph."""

from django.apps import AppConfig


class TenantsConfig(AppConfig):
    name = "sharing.tenants"
    label = "tenants"
    default_auto_field = "django.db.models.BigAutoField"
