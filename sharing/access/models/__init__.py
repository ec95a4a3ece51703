"""Shares and the grants they made (`grants`), and the fence (`fencing`): `decide()` in SQL."""

from .asked import AccessRequest
from .fencing import shared_with, visible
from .glass import Glass, GlassPatient, Review
from .grants import Grant, GrantQuerySet, Share
from .relations import Relationship

__all__ = [
    "AccessRequest",
    "Glass",
    "GlassPatient",
    "Grant",
    "GrantQuerySet",
    "Relationship",
    "Review",
    "Share",
    "shared_with",
    "visible",
]
