"""What is told, in which words, and under which key so that nobody is told twice. Pure.

No patient data passes through here: texts are made of organizations, people and numbers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

SUBJECTS = {
    "verify": "Confirm the address of {organization}",
    "answer": "A question about the registration of {organization}",
    "join": "{organization} invites you to Imaging Exchange",
    "application": "{organization} waits for your decision",
    "welcome": "{organization} is registered: how to begin",
    "moved": "{organization}: what changed",
    "refusal": "The registration of {organization} was refused",
    "shared": "Studies were shared with {organization}",
    "asked": "A request for access waits at {organization}",
    "answered": "Your request for access was answered",
    "glass": "Emergency access: a review waits at {organization}",
    "recall": "Copies are recalled from {organization}",
}
"""The subject of each e-mail, by its template in templates/mail/."""

LETTER_PAGES = {
    "verify": "web:verify-application",
    "answer": "web:answer-question",
    "join": "web:accept-invitation",
}
"""Where the link of each kind of letter leads."""

MOVED = {
    "sign": "signed the region’s terms. Next, the connection is tested.",
    "test": "is ready: the operator can let it begin.",
    "activate": "is active. Its people can be invited and can sign in.",
    "suspend": "is suspended. Nobody of it can sign in, nothing that it holds is open to others, "
    "and what its machines send is kept until it resumes.",
    "resume": "is active again, with what came in meanwhile.",
    "leave": "is leaving the region. It is closed to all but its administrators.",
    "stay": "does not leave. It is suspended until the operator lets it resume.",
    "close": "has left the region. What it brought was exported and deleted.",
}
"""What happened to an organization, after its name; other moves have e-mails of their own."""
OPERATORS_TOLD = frozenset({"sign", "test", "leave", "close"})

REVOKED = "A consent ended. Studies left your list."


@dataclass(frozen=True)
class Addressee:
    """Whom an e-mail is for."""

    email: str
    name: str


def subject_of(template: str, organization: str) -> str:
    """One line, whatever line breaks a name came with: a header must not gain another."""
    return " ".join(SUBJECTS[template].format(organization=organization).split())


def shared_text(sharer: str, custodian: str, count: int) -> str:
    """`Dr Ada Brandt of Riverside shared 2 studies with you.`"""
    studies = "a study" if count == 1 else f"{count} studies"
    return f"{sharer} of {custodian} shared {studies} with you."


def asked_text(asker: str, organization: str) -> str:
    """`Ben Hartley of Hilltop asks for access.` Neither the patient nor the reason."""
    return f"{asker} of {organization} asks for access to a patient's studies."


def renewal_text(asker: str, organization: str) -> str:
    """`Ben Hartley of Hilltop asks that a share goes on.` Neither the patient nor the study."""
    return f"{asker} of {organization} asks that a share goes on."


def ending_text(whom: str, until: str) -> str:
    """For who shared: `Your share with Hilltop ends on 12 Dec 2026.`"""
    return f"Your share with {whom} ends on {until}."


def leaving_text(sharer: str, until: str) -> str:
    """For whom it came to: `What Ada Brandt shared with you ends on 12 Dec 2026.`"""
    return f"What {sharer} shared with you ends on {until}."


def review_text(whom: str, until: str) -> str:
    """`Say until 12 Dec 2026 whether Hilltop still needs what you share. Else it rests.`"""
    return f"Say until {until} whether {whom} still needs what you share. Else it rests."


def day_of(moment: datetime) -> str:
    """`12 Dec 2026`, in the notice's own words."""
    return f"{moment.day} {moment:%b %Y}"


ANSWERED = "Your request for access was answered."


def glass_text(person: str, organization: str, hours: int) -> str:
    """`Dr Ben Hartley of Hilltop used emergency access for 2 hours.`"""
    span = "an hour" if hours == 1 else f"{hours} hours"
    return f"{person} of {organization} used emergency access for {span}."


def application_text(organization: str) -> str:
    """What an operator reads in the portal."""
    return f"{organization} waits for your decision."


class RecallState(StrEnum):
    """Where a recall stands. All but the first are final."""

    WAITING = "waiting"
    DESTROYED = "destroyed"
    KEPT = "kept"
    CLOSED = "closed"


class RecallEvent(StrEnum):
    """What moves it: the recipient's answer, or the custodian who wrote to somebody without one."""

    DESTROY = "destroy"
    KEEP = "keep"
    CLOSE = "close"


_S, _E = RecallState, RecallEvent
RECALL_NEXT: Mapping[tuple[RecallState, RecallEvent], RecallState] = {
    (_S.WAITING, _E.DESTROY): _S.DESTROYED,
    (_S.WAITING, _E.KEEP): _S.KEPT,
    (_S.WAITING, _E.CLOSE): _S.CLOSED,
}
ANSWERED_WITHIN = timedelta(days=14)
"""How long a recipient has to say what became of its copies."""


def recall_text(custodian: str, count: int) -> str:
    """`Riverside recalls 3 copies: a consent ended.`"""
    copies = "a copy" if count == 1 else f"{count} copies"
    return f"{custodian} recalls {copies}: a consent ended. Say what became of them."
