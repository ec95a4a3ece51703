from django.apps import AppConfig


class ViewerConfig(AppConfig):
    """The viewer shell and its launch."""

    name = "sharing.viewer"
    label = "viewer"
