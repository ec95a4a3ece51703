"""What is told, in which words, and under which key so that nobody is told twice. Pure.

No patient data passes through here: texts are made of organizations, people and numbers.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
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
    "support": "The operator asks to look at studies of {organization}",
    "recall": "Copies are recalled from {organization}",
    "digest": "New for you at {organization}",
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
    "leave": "is leaving the region. It is closed to all but its administrators, who get "
    "everything that it brought.",
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
_WEIGHT = (RecallState.WAITING, RecallState.KEPT, RecallState.CLOSED, RecallState.DESTROYED)
ANSWERED_WITHIN = timedelta(days=14)
"""How long a recipient has to say what became of its copies."""


def state_of(copies: Iterable[str]) -> RecallState:
    """How it stands with several copies: it waits as long as one of them does."""
    return min((RecallState(each) for each in copies), key=_WEIGHT.index)


def recall_text(custodian: str, count: int) -> str:
    """`Riverside recalls 3 copies: a consent ended or was narrowed.`"""
    copies = "a copy" if count == 1 else f"{count} copies"
    return (
        f"{custodian} recalls {copies}: a consent ended or was narrowed. Say what became of them."
    )


class Way(StrEnum):
    """How somebody is told by e-mail; the notice in the portal comes in any case."""

    AT_ONCE = "at_once"
    DAILY = "daily"
    NEVER = "never"

    @property
    def words(self) -> str:
        """As the form says it."""
        return _WAYS[self]


_WAYS = {
    Way.AT_ONCE: "At once",
    Way.DAILY: "Once a day",
    Way.NEVER: "Not by e-mail",
}
CHOOSABLE = {
    "shared": "Studies are shared with you",
    "asked": "Somebody asks for access",
    "answered": "Your request is answered",
}
"""What one can choose about. All else waits for somebody's act, and is written at once."""
DAILY_AT = time(7)


def due_at(way: Way, quiet: tuple[time, time] | None, local: datetime) -> datetime:
    """When an e-mail of now is to leave: `local` itself, at the end of the quiet hours, or at seven
    in the morning. Quiet hours may go over midnight; both ends are of the portal's time zone.
    """
    leaves = _next(local, DAILY_AT) if way == Way.DAILY else local
    if quiet is None or not _is_quiet(leaves.time(), *quiet):
        return leaves
    return _next(leaves, quiet[1])


def _is_quiet(moment: time, begins: time, ends: time) -> bool:
    if begins <= ends:
        return begins <= moment < ends
    return moment >= begins or moment < ends


def _next(local: datetime, clock: time) -> datetime:
    today = local.replace(hour=clock.hour, minute=clock.minute, second=0, microsecond=0)
    return today if today > local else today + timedelta(days=1)


def support_text(asker: str, hours: int) -> str:
    """`Otto Lang of the operator asks to look at your studies for 2 hours.` Not the reason."""
    span = "an hour" if hours == 1 else f"{hours} hours"
    return f"{asker} of the region’s operator asks to look at your studies for {span}."


def due_text(count: int) -> str:
    """`The roles of 3 people wait for your word that they are still needed.`"""
    whose = "one person" if count == 1 else f"{count} people"
    return f"The roles of {whose} wait for your word that they are still needed."


class Kind(StrEnum):
    """What a webhook may be told."""

    STUDY_RECEIVED = "study.received"
    STUDY_SETTLED = "study.settled"
    STUDY_SHARED = "study.shared"
    CONSENT_CHANGED = "consent.changed"
    REQUEST_MADE = "request.made"
    REPORT_ADDED = "report.added"
    TEST = "webhook.test"

    @property
    def words(self) -> str:
        """As a page says it."""
        return KIND_WORDS[self]


KIND_WORDS = {
    Kind.STUDY_RECEIVED: "Images of a study arrived",
    Kind.STUDY_SETTLED: "A study is complete",
    Kind.STUDY_SHARED: "Studies were shared, by you or with you",
    Kind.CONSENT_CHANGED: "A consent was recorded, changed or ended",
    Kind.REQUEST_MADE: "Somebody asks you for access",
    Kind.REPORT_ADDED: "A report was added to a study",
    Kind.TEST: "A test",
}
SUBSCRIBED = tuple(kind for kind in Kind if kind != Kind.TEST)
LOGGED = {"study.receive": Kind.STUDY_RECEIVED} | dict.fromkeys(
    ("consent.record", "consent.amend", "consent.revoke", "consent.mark_error", "consent.lapse"),
    Kind.CONSENT_CHANGED,
)
"""What the access log says, and which kind of event that is."""
REPORTS = frozenset({"SR", "DOC"})
"""Modalities of reports."""


class DeliveryState(StrEnum):
    """Where a delivery stands. Dead: nobody took it for two days; a person may send it again."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    DEAD = "dead"


class DeliveryEvent(StrEnum):
    """What moves it."""

    TAKE = "take"
    FAIL = "fail"
    GIVE_UP = "give_up"
    AGAIN = "again"


_W, _V = DeliveryState, DeliveryEvent
DELIVERY_NEXT: Mapping[tuple[DeliveryState, DeliveryEvent], DeliveryState] = {
    (_W.WAITING, _V.TAKE): _W.DELIVERED,
    (_W.WAITING, _V.FAIL): _W.WAITING,
    (_W.WAITING, _V.GIVE_UP): _W.DEAD,
    (_W.WAITING, _V.AGAIN): _W.WAITING,
    (_W.DELIVERED, _V.AGAIN): _W.WAITING,
    (_W.DEAD, _V.AGAIN): _W.WAITING,
}
RESTS = tuple(
    timedelta(seconds=seconds)
    for seconds in (10, 60, 300, 900, 3600, 7200, 14400, 28800, 43200, 43200)
)
"""How long a delivery rests after each failure: about forty hours in all."""


def rest_after(tried: int) -> timedelta | None:
    """The rest before the next try; None: it is given up."""
    return RESTS[tried - 1] if 1 <= tried <= len(RESTS) else None


ROTATED_OVER = timedelta(hours=24)
"""How long deliveries are signed with the secret before a rotation, too."""
MOST_WEBHOOKS = 20
KEPT = timedelta(days=30)
"""How long deliveries stay in the log."""
