"""The fhir room, registered under its own label so that migrations repeat the import graph."""

from django.apps import AppConfig


class FhirConfig(AppConfig):
    name = "sharing.fhir"
    label = "fhir"
    default_auto_field = "django.db.models.BigAutoField"
