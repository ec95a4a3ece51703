"""Organizations of the region, the people in them, and the machines that call for them."""

from .moves import Move
from .organizations import (
    Agreement,
    AgreementModality,
    Letter,
    Membership,
    Organization,
    PartnerToken,
    Region,
    Team,
    TeamMember,
    User,
    UserManager,
)
from .posts import Post

__all__ = [
    "Agreement",
    "AgreementModality",
    "Letter",
    "Membership",
    "Move",
    "Organization",
    "PartnerToken",
    "Post",
    "Region",
    "Team",
    "TeamMember",
    "User",
    "UserManager",
]
