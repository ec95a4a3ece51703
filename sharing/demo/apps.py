"""The demonstration region: no tables of its own, one command."""

from django.apps import AppConfig


class DemoConfig(AppConfig):
    name = "sharing.demo"
    label = "demo"
