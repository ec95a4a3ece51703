"""Links: their codes, their limits, and where one stands; the limits of albums. Pure."""

import hmac
import re
import secrets
from datetime import datetime, timedelta
from enum import StrEnum

from sharing.kernel.tokens import fingerprint

ALPHABET = "ABCDEFGHJKMNPQRSTVWXYZ23456789"
"""Letters and digits that nobody mistakes for others when they are read over the telephone."""
CODE_LENGTH = 8
LEAST_CODE = 6
VISIT_LASTS = timedelta(hours=4)
"""So long a browser that gave the code stays inside, while the link lasts."""
LONGEST = timedelta(days=92)
MOST_USES = 50
TRIES_OF_ONE = 5
TRIED_WITHIN = timedelta(minutes=15)
"""So many wrong codes an address may give for a link in that time: then it alone waits."""
TRIES_OF_ALL = 50
TRIES_COUNTED = timedelta(days=1)
"""So many wrong codes all addresses together may give for a link in that time."""
LONGEST_ALBUM = timedelta(days=366)
MOST_IN_ALBUM = 100
MOST_MEMBERS = 30


class LinkState(StrEnum):
    """Where a link stands. Whoever came in before it was used up stays for their visit."""

    WAITING = "waiting"
    OPEN = "open"
    USED_UP = "used_up"
    EXPIRED = "expired"
    REVOKED = "revoked"


def link_state(
    *,
    at: datetime,
    not_before: datetime,
    expires_at: datetime,
    left: int,
    revoked: bool,
) -> LinkState:
    """The state at a moment, by what the link says and what became of it."""
    if revoked:
        return LinkState.REVOKED
    if expires_at <= at:
        return LinkState.EXPIRED
    if at < not_before:
        return LinkState.WAITING
    return LinkState.OPEN if left > 0 else LinkState.USED_UP


def new_code() -> str:
    """A code to be told by another way: 39 bits, in two groups of four."""
    return "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))


def as_typed(code: str) -> str:
    """The code without what people add: spaces, dashes, small letters."""
    return re.sub(r"[^A-Z0-9]", "", code.upper())


def good_code(code: str) -> bool:
    """Whether somebody's own code is one that is not guessed at once."""
    said = as_typed(code)
    return LEAST_CODE <= len(said) <= 32 and len(set(said)) >= LEAST_CODE // 2


def in_groups(code: str) -> str:
    """`K7QM 2XRD`: as it is read out."""
    return " ".join(code[start : start + 4] for start in range(0, len(code), 4))


def proof_of(secret: str, code: str) -> str:
    """How a code is kept: nobody finds it in a copy of the database, which lacks the secret."""
    return fingerprint(f"{secret}:{as_typed(code)}")


def same(kept: str, given: str) -> bool:
    """Whether two proofs are one, in a time that tells nothing."""
    return hmac.compare_digest(kept, given)
