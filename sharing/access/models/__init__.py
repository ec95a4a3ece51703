"""Shares and the grants they made (`grants`), and the fence (`fencing`): `decide()` in SQL."""

from .asked import AccessRequest
from .fencing import shared_with, visible
from .glass import Glass, GlassPatient, Review
from .grants import Grant, GrantQuerySet, PassedOn, Share
from .relations import Relationship
from .renewals import RenewalAsk
from .uses import Use

__all__ = [
    "AccessRequest",
    "Glass",
    "GlassPatient",
    "Grant",
    "GrantQuerySet",
    "PassedOn",
    "Relationship",
    "RenewalAsk",
    "Review",
    "Share",
    "Use",
    "shared_with",
    "visible",
]
