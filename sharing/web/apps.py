"""The pages, registered under their own label."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "sharing.web"
    label = "web"
