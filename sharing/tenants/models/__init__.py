"""Organizations of the region, the people in them, and the machines that call for them."""

from .listings import Listing
from .moves import Move
from .organizations import (
    Agreement,
    AgreementModality,
    Letter,
    Logo,
    Membership,
    Organization,
    Region,
    Team,
    TeamMember,
    User,
    UserManager,
)
from .posts import Post
from .realms import Realm, RealmDomain
from .sittings import Sitting
from .support import SupportSession

__all__ = [
    "Agreement",
    "AgreementModality",
    "Letter",
    "Listing",
    "Logo",
    "Membership",
    "Move",
    "Organization",
    "Post",
    "Realm",
    "RealmDomain",
    "Region",
    "Sitting",
    "SupportSession",
    "Team",
    "TeamMember",
    "User",
    "UserManager",
]
