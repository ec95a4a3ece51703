"""Deciding with the facts on file, and sharing inside what was permitted.

One module per kind of act: `deciding`, `sharing`, ...
"""

from .deciding import (
    consent_facts,
    decide_many,
    decide_one,
    facts_on_file,
    grant_facts,
    physician_of,
)
from .sharing import (
    SHARED_ACTIONS,
    Preview,
    end_shares,
    notes_for,
    preview_share,
    share,
    shares_of_study,
)

__all__ = [
    "SHARED_ACTIONS",
    "Preview",
    "consent_facts",
    "decide_many",
    "decide_one",
    "end_shares",
    "facts_on_file",
    "grant_facts",
    "notes_for",
    "physician_of",
    "preview_share",
    "share",
    "shares_of_study",
]
