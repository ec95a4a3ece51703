"""A study's life from first byte to complete, and what a receipt can say. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class StudyState(StrEnum):
    """Where a study stands: images arriving, facts being made, complete."""

    RECEIVING = "receiving"
    SETTLING = "settling"
    COMPLETE = "complete"


class StudyEvent(StrEnum):
    """What moves it."""

    RECEIVE = "receive"
    SETTLE = "settle"
    FINISH = "finish"


_S, _E = StudyState, StudyEvent
NEXT: Mapping[tuple[StudyState, StudyEvent], StudyState] = {
    (_S.RECEIVING, _E.RECEIVE): _S.RECEIVING,
    (_S.RECEIVING, _E.SETTLE): _S.SETTLING,
    (_S.SETTLING, _E.RECEIVE): _S.RECEIVING,
    (_S.SETTLING, _E.SETTLE): _S.SETTLING,
    (_S.SETTLING, _E.FINISH): _S.COMPLETE,
    (_S.COMPLETE, _E.RECEIVE): _S.RECEIVING,
}

SETTLE_AFTER = timedelta(seconds=2)
"""How long no new image arrives before a study's facts are made."""

DRAW_AFTER = timedelta(seconds=75)
"""How long the pictures of many studies wait: longer than a bell is rung, so that the sweep brings
their jobs a few at a time, after the senders' rush."""


class Outcome(StrEnum):
    """What became of one sent file; a receipt counts all of them."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    HELD = "held"
    REJECTED = "rejected"
    IGNORED = "ignored"


class Doubt(StrEnum):
    """Why a study that was sent in from a browser waits for somebody to say whose it is."""

    NOT_CHOSEN = "not_chosen"
    TWO_PATIENTS = "two_patients"
    OTHER_PERSON = "other_person"
    SAME_PERSON = "same_person"

    @property
    def words(self) -> str:
        """The doubt as pages say it."""
        return DOUBTS[self]


DOUBTS = {
    Doubt.NOT_CHOSEN: "The files name another patient than the one who was chosen.",
    Doubt.TWO_PATIENTS: "The disc holds images of more than one patient.",
    Doubt.OTHER_PERSON: "The identifier is another patient’s here.",
    Doubt.SAME_PERSON: "A patient with this name and birth date has another identifier here.",
}


@dataclass(frozen=True)
class Claim:
    """What speaks about whose a study is: each a fact that the organization's patients tell."""

    chosen: bool | None = None
    """Whether the files name the patient who was chosen; None: nobody was."""
    alone: bool = True
    """Whether the disc names one patient only."""
    contradicted: bool = False
    """Whether the identifier is held by somebody of another name and birth date."""
    known: bool = False
    """Whether the organization knows the identifier."""
    namesake: bool = False
    """Whether it knows the name and birth date, under another identifier."""


def doubt_of(claim: Claim) -> Doubt | None:
    """Why the study waits; None: it is whose its files say. A choice that fits settles it."""
    if claim.chosen is not None:
        return None if claim.chosen else Doubt.NOT_CHOSEN
    if not claim.alone:
        return Doubt.TWO_PATIENTS
    if claim.contradicted:
        return Doubt.OTHER_PERSON
    return Doubt.SAME_PERSON if claim.namesake and not claim.known else None


class HeldState(StrEnum):
    """Where a held study stands. All but the first are final."""

    WAITING = "waiting"
    TRUSTED = "trusted"
    GIVEN = "given"
    REFUSED = "refused"


class HeldEvent(StrEnum):
    """What moves it: the files are believed, a known patient gets it, or it is refused."""

    TRUST = "trust"
    GIVE = "give"
    REFUSE = "refuse"


HELD_NEXT: Mapping[tuple[HeldState, HeldEvent], HeldState] = {
    (HeldState.WAITING, HeldEvent.TRUST): HeldState.TRUSTED,
    (HeldState.WAITING, HeldEvent.GIVE): HeldState.GIVEN,
    (HeldState.WAITING, HeldEvent.REFUSE): HeldState.REFUSED,
}


class Door(StrEnum):
    """By which door something came."""

    UPLOAD = "upload"
    STOW = "stow"
    VIEWER = "viewer"  # what a reader noted on images
    DEMO = "demo"
    AGAIN = "archive"  # out of the archive itself: a rejection taken back, a conflict decided


class RemovalKind(StrEnum):
    """How something left: a line of the journal."""

    DELETED = "deleted"  # a whole study; it may be sent again, and is then a new one
    REJECTED = "rejected"  # images; their identifiers are refused when they come again
    SUPERSEDED = "superseded"  # an image, by other bytes under its identifier
    RETURNED = "returned"  # a rejection was taken back


class Why(StrEnum):
    """Why something is removed, as the journal and the log keep it."""

    MISTAKE = "mistake"
    WRONG_PATIENT = "wrong_person"
    RETENTION = "retention"
    REQUEST = "request"
    QUALITY = "quality"
    SAFETY = "safety"
    WORKLIST = "worklist"
    NEWER = "newer"
    OTHER = "other"

    @property
    def words(self) -> str:
        """The reason as pages say it."""
        return _WHY_WORDS[self]


_WHY_WORDS = {
    Why.MISTAKE: "Sent by mistake",
    Why.WRONG_PATIENT: "Images of another person",
    Why.RETENTION: "Retention period is over",
    Why.REQUEST: "Erasure was asked for and granted",
    Why.QUALITY: "Not of diagnostic quality",
    Why.SAFETY: "A danger to the patient",
    Why.WORKLIST: "Made under a wrong worklist entry",
    Why.NEWER: "Replaced by newer content",
    Why.OTHER: "Another reason",
}
WHY_DELETE = (Why.MISTAKE, Why.WRONG_PATIENT, Why.RETENTION, Why.REQUEST, Why.OTHER)
WHY_REJECT = (Why.QUALITY, Why.SAFETY, Why.WORKLIST, Why.WRONG_PATIENT, Why.OTHER)
"""What rejecting may say; the first three are DCM 113001, 113037 and 113038 (PS3.16 CID 7011)."""

VERIFY_EVERY = timedelta(days=30)
"""How long a pack may go unread before scrub reads it."""

LINGER = timedelta(hours=1)
"""How long a rewritten pack stays for readers who still have its name."""

MAX_FILE_BYTES = 4 * 1024**3
MAX_ARCHIVE_BYTES = 16 * 1024**3
MAX_FILES_AT_ONCE = 20_000
MAX_PART_HEADER_BYTES = 16 * 1024
MAX_METADATA_BYTES = 8 * 1024**2
"""What one request may hold: bytes of a file, bytes and files of all, bytes of one part's headers,
bytes of JSON or XML metadata."""
MAX_PACK_BYTES = 256 * 1024**2
"""A pack that has grown past this takes no more objects; the delivery goes on in another one."""
IDLE_BATCH = timedelta(hours=24)
"""After this long without a byte, an open batch is closed and what came is received."""

SCRATCH_AGE = timedelta(hours=1)
"""How long after its last write a temporary file may belong to somebody."""

GRACE = timedelta(hours=24)
"""How old a blob must be before it may be called an orphan."""

STUCK_AFTER = timedelta(hours=1)
"""How long a study or a batch may stand still before its job is promised again."""

REASONS: Mapping[str, str] = {
    **{doubt.value: words for doubt, words in DOUBTS.items()},
    "wrong_study": "The object belongs to another study than the one it was sent to.",
    "conflict": "An object with this identifier but other content is stored already; "
    "the stored one stays, and this one waits for a decision.",
    "other_patient": "The object names another patient than its study; "
    "it is kept aside and waits for a decision.",
    "rejected_before": "The object was rejected by the custodian; it is not accepted again.",
    "incomplete": "The file was never sent completely.",
    "lost": "The file was sent, but the portal lost it before it was stored. Send it again.",
}

FAILURE_REASONS: Mapping[str, int] = {
    "conflict": 0x0111,
    "unsupported_transfer_syntax": 0xC122,
    "bulk_media_type": 0xC122,
    "dicomdir": 0x0122,
    "other_patient": 0x0110,
    "wrong_study": 0x0110,
    **dict.fromkeys(("too_large", "too_deep", "too_many_elements"), 0xA700),
    **dict.fromkeys(
        ("missing_study_uid", "missing_series_uid", "missing_sop_uid", "missing_sop_class"), 0xA900
    ),
    "rejected_before": 0xA770,
}
"""Failure Reason (0008,1197) by our reason code (PS3.18 I.2.2; PS3.4 B.2.3); else 0xC000."""

CANNOT_UNDERSTAND = 0xC000
COERCED = 0xB000
"""Warning Reason (0008,1196): what leaves is corrected, the file meta information at least."""
