"""The project as an app: it brings the start-up checks and the `serve` command."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class PortalConfig(AppConfig):
    """Registers the start-up checks."""

    name = "portal"

    def ready(self) -> None:
        """Registers the checks and, the tasks in every process: a job runs where it is asked."""
        from portal import checks  # noqa: F401

        autodiscover_modules("tasks")
