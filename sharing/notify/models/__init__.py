"""Notices, mail and recalls; webhooks and what was delivered by them."""

from .hooks import Delivery, Webhook
from .telling import HouseWish, Mail, Notice, Quiet, Recall, RecalledCopy, Waiting, Wish

__all__ = [
    "Delivery",
    "HouseWish",
    "Mail",
    "Notice",
    "Quiet",
    "Recall",
    "RecalledCopy",
    "Waiting",
    "Webhook",
    "Wish",
]
