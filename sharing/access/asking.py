"""A request for access: its states and what moves it. Pure."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum


class RequestState(StrEnum):
    """Where a request stands. All but the first are final."""

    ASKED = "asked"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class RequestEvent(StrEnum):
    """What moves it."""

    APPROVE = "approve"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"
    EXPIRE = "expire"


_S, _E = RequestState, RequestEvent
NEXT: Mapping[tuple[RequestState, RequestEvent], RequestState] = {
    (_S.ASKED, _E.APPROVE): _S.APPROVED,
    (_S.ASKED, _E.REFUSE): _S.REFUSED,
    (_S.ASKED, _E.WITHDRAW): _S.WITHDRAWN,
    (_S.ASKED, _E.EXPIRE): _S.EXPIRED,
}

ANSWERED_WITHIN = timedelta(days=14)
REMINDED_AFTER = timedelta(days=7)
ASKS_A_DAY = 20
"""So many requests one person may make in 24 hours: nobody asks their way through a list."""
