"""Copies that leave: links that open studies to whoever has them, and albums of studies."""

from django.apps import AppConfig


class ExchangeConfig(AppConfig):
    """Links and albums."""

    name = "sharing.exchange"
    label = "exchange"
