"""Shares and the grants they made (`grants`), and the fence (`fencing`): `decide()` in SQL."""

from .fencing import shared_with, visible
from .grants import Grant, GrantQuerySet, Share

__all__ = ["Grant", "GrantQuerySet", "Share", "shared_with", "visible"]
