"""The project as an app: it brings the start-up checks and the `serve` command."""

from django.apps import AppConfig


class PortalConfig(AppConfig):
    """Registers the start-up checks."""

    name = "portal"

    def ready(self) -> None:
        """Importing the module registers its checks."""
        from portal import checks  # noqa: F401
