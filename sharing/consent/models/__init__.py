"""What patients said (`said`), and the codes for their phones (`phones`)."""

from .phones import PhoneSession
from .said import (
    Consent,
    ConsentQuerySet,
    Evidence,
    Grantee,
    GranteeQuerySet,
    Proxy,
    Statement,
    Term,
    refuses,
    serves,
)

__all__ = [
    "Consent",
    "ConsentQuerySet",
    "Evidence",
    "Grantee",
    "GranteeQuerySet",
    "PhoneSession",
    "Proxy",
    "Statement",
    "Term",
    "refuses",
    "serves",
]
