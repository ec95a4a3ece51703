"""Deciding with the facts on file, and sharing inside what was permitted.

One module per kind of act: `asking`, `deciding`, `ending`, `sharing`.
"""

from .asking import (
    approve_request,
    ask_access,
    expire_requests,
    my_requests,
    refuse_request,
    remind_requests,
    request_to_answer,
    requests_to_answer,
    withdraw_request,
)
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
    "approve_request",
    "ask_access",
    "consent_facts",
    "decide_many",
    "decide_one",
    "end_shares",
    "expire_requests",
    "facts_on_file",
    "grant_facts",
    "my_requests",
    "notes_for",
    "physician_of",
    "preview_share",
    "refuse_request",
    "remind_requests",
    "request_to_answer",
    "requests_to_answer",
    "revoke_share",
    "share",
    "share_made",
    "shares_made",
    "shares_of_study",
    "treating_person",
    "withdraw_request",
]
