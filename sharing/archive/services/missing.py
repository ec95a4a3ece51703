"""Who asks for many studies that are not there, or not for them, guesses (reliability.md, A02).

Hidden and absent count alike, and what the actor may see is given as before: neither the count nor
its end tells which studies there are.
"""

from datetime import datetime

from django.conf import settings

from sharing.archive.errors import StudyNotFound, TooManyMisses
from sharing.audit.rules import Ground, What
from sharing.audit.services import record_read
from sharing.kernel.errors import DomainError
from sharing.tenants.rules import Actor

from .minutes import count_in_minute

_GUESSING = Ground(permitted=False, rule="guessing", reason="Too many were not found")


def missed(actor: Actor, at: datetime, request_id: str = "") -> DomainError:
    """What to raise: StudyNotFound, or TooManyMisses with a line in the log for the officers."""
    most = settings.MISSES_A_MINUTE
    if not most or count_in_minute("misses", f"{actor.kind}:{actor.id}", at) <= most:
        return StudyNotFound()
    what = What(custodian=actor.organization_code)
    record_read(
        who=actor.who, action="access.guess.refused", at=at, what=what, ground=_GUESSING,
        request_id=request_id,
    )  # fmt: skip
    return TooManyMisses()
