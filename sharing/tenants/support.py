"""A support session: somebody of the operator looks at one hospital's studies, for hours. Pure.

Two persons make it: the operator's asks, and an officer of the hospital lets them in.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

LONGEST = timedelta(hours=4)
HOURS = (1, 2, 4)
WAITS = timedelta(days=2)
"""After which an answer comes too late."""


class SupportState(StrEnum):
    """Where it stands; one that is open is over by the clock too."""

    ASKED = "asked"
    OPEN = "open"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    ENDED = "ended"


class SupportEvent(StrEnum):
    """What moves it."""

    APPROVE = "approve"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"
    END = "end"


_S, _E = SupportState, SupportEvent
SUPPORT_NEXT: Mapping[tuple[SupportState, SupportEvent], SupportState] = {
    (_S.ASKED, _E.APPROVE): _S.OPEN,
    (_S.ASKED, _E.REFUSE): _S.REFUSED,
    (_S.ASKED, _E.WITHDRAW): _S.WITHDRAWN,
    (_S.OPEN, _E.END): _S.ENDED,
}


@dataclass(frozen=True)
class Support:
    """The session that an actor looks by: who let them in, and until when."""

    key: str
    approved_by: str
    until: datetime

    @property
    def words(self) -> str:
        """Its sentence, as decisions and the access log give it."""
        return f"Support session approved by {self.approved_by}, until {self.until:%H:%M} UTC"
