"""Deciding with the facts on file, and sharing inside what was permitted.

One module per kind of act: `deciding`, `sharing`, `ending`.
"""

from .deciding import (
    consent_facts,
    decide_many,
    decide_one,
    facts_on_file,
    grant_facts,
    physician_of,
)
from .ending import revoke_share, share_made, shares_made
from .sharing import (
    REVIEWED_EVERY,
    SHARED_ACTIONS,
    Preview,
    Wanted,
    end_shares,
    notes_for,
    preview_share,
    share,
    shares_of_study,
    treating_person,
)

__all__ = [
    "REVIEWED_EVERY",
    "SHARED_ACTIONS",
    "Preview",
    "Wanted",
    "consent_facts",
    "decide_many",
    "decide_one",
    "end_shares",
    "facts_on_file",
    "grant_facts",
    "notes_for",
    "physician_of",
    "preview_share",
    "revoke_share",
    "share",
    "share_made",
    "shares_made",
    "shares_of_study",
    "treating_person",
]
