"""The dicomweb room, registered under its own label so that migrations repeat the import graph."""

from django.apps import AppConfig


class DicomwebConfig(AppConfig):
    name = "sharing.dicomweb"
    label = "dicomweb"
    default_auto_field = "django.db.models.BigAutoField"
