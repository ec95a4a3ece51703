"""Shares and the grants they made (`grants`), and the fence (`fencing`): `decide()` in SQL."""

from .asked import AccessRequest
from .fencing import shared_with, visible
from .grants import Grant, GrantQuerySet, Share
from .relations import Relationship

__all__ = [
    "AccessRequest",
    "Grant",
    "GrantQuerySet",
    "Relationship",
    "Share",
    "shared_with",
    "visible",
]
