"""What a consent is: its states, its kinds, its axes, and what it says in words. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from sharing.kernel.purposes import LEAVING, Action, Obligation, Purpose


class ConsentState(StrEnum):
    """Where one version of a consent stands. Revoked is terminal: to permit again, a new one."""

    DRAFT = "draft"
    ACTIVE = "active"
    NEEDS_REAFFIRMATION = "needs_reaffirmation"
    REVOKED = "revoked"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"
    ENTERED_IN_ERROR = "entered_in_error"


class ConsentEvent(StrEnum):
    """What moves it."""

    ACTIVATE = "activate"
    REVOKE = "revoke"
    EXPIRE = "expire"
    SUPERSEDE = "supersede"
    MARK_ERROR = "mark_error"
    LAPSE = "lapse"


_S, _E = ConsentState, ConsentEvent
NEXT: Mapping[tuple[ConsentState, ConsentEvent], ConsentState] = {
    (_S.DRAFT, _E.ACTIVATE): _S.ACTIVE,
    (_S.DRAFT, _E.MARK_ERROR): _S.ENTERED_IN_ERROR,
    (_S.ACTIVE, _E.REVOKE): _S.REVOKED,
    (_S.ACTIVE, _E.EXPIRE): _S.EXPIRED,
    (_S.ACTIVE, _E.SUPERSEDE): _S.SUPERSEDED,
    (_S.ACTIVE, _E.MARK_ERROR): _S.ENTERED_IN_ERROR,
    (_S.ACTIVE, _E.LAPSE): _S.NEEDS_REAFFIRMATION,
    (_S.NEEDS_REAFFIRMATION, _E.REVOKE): _S.REVOKED,
    (_S.NEEDS_REAFFIRMATION, _E.EXPIRE): _S.EXPIRED,
    (_S.NEEDS_REAFFIRMATION, _E.SUPERSEDE): _S.SUPERSEDED,
    (_S.NEEDS_REAFFIRMATION, _E.MARK_ERROR): _S.ENTERED_IN_ERROR,
}
"""LAPSE: who spoke for the patient may no longer. Only a new version, by who may, is in force."""


class Decision(StrEnum):
    """What the patient said."""

    PERMIT = "permit"
    DENY = "deny"


class Force(StrEnum):
    """How far a denial goes.

    EXCLUSION keeps a person out, own staff and emergencies included; OPT_OUT keeps everybody out,
    emergencies included, but the custodian's own staff.
    """

    ORDINARY = "ordinary"
    EXCLUSION = "exclusion"
    OPT_OUT = "opt_out"


class GranteeKind(StrEnum):
    """Whom a consent names. Membership is resolved at the time of access."""

    ORGANIZATION = "organization"
    PRACTITIONER = "practitioner"
    NAMED_BY_CUSTODIAN = "named_by_custodian"
    TEAM = "team"
    PROJECT = "project"
    ROLE = "role"
    LINK = "link"
    EVERYONE = "everyone"


class Axis(StrEnum):
    """What a consent is limited to: AND between axes, OR within one, no row is no limit.

    Where the study doesn't say (no date, no body region), a permit does not cover it and a denial
    does. A study is decided as a whole: a permit for series covers it when all its series are
    named, a denial when one is. STUDY and SERIES are one axis in two rows: either names.
    """

    STUDY = "study"
    SERIES = "series"
    MODALITY = "modality"
    BODY_REGION = "body_region"
    PERFORMING_ORGANIZATION = "performing_organization"
    LABEL = "label"


class Verification(StrEnum):
    """How it was made sure that the patient agreed."""

    PAPER = "paper"
    VERBAL = "verbal"
    ESIGNATURE = "esignature"
    CODE = "code"
    QR = "qr"


WITHOUT_DOCUMENT = frozenset({Verification.VERBAL, Verification.CODE})
"""The kinds that leave no signed document; all others keep one."""


class Performer(StrEnum):
    """Who spoke for the patient."""

    SELF = "self"
    PARENT = "parent"
    GUARDIAN = "guardian"
    REPRESENTATIVE = "representative"


GUARDIANS = frozenset({Performer.PARENT, Performer.GUARDIAN})
"""Those who speak for a minor, and no longer when the patient is of age."""


def of_age_on(born: date, majority: int) -> datetime:
    """The moment from which a patient speaks for themselves: midnight UTC of the birthday.

    Who was born on 29 February is of age on 1 March where that year has none.
    """
    year = born.year + majority
    try:
        day = born.replace(year=year)
    except ValueError:
        day = date(year, 3, 1)
    return datetime.combine(day, time(), UTC)


@dataclass(frozen=True)
class Extent:
    """How far a permit goes, to compare one version with the next."""

    grantees: frozenset[tuple[str, ...]]
    purposes: frozenset[Purpose]
    actions: frozenset[Action]
    limits: tuple[frozenset[str], ...]
    ends_at: datetime | None
    data_from: date | None
    data_until: date | None
    obligations: frozenset[str]


def no_narrower(new: Extent, old: Extent) -> bool:
    """Whether all that the old version permitted stays permitted.

    Only then do shares made under the old one go on: what was withdrawn stays withdrawn, also
    when a third version permits it again.
    """
    wide = (
        new.grantees >= old.grantees
        and new.purposes >= old.purposes
        and new.actions >= old.actions
        and new.obligations <= old.obligations
    )
    limits = zip(new.limits, old.limits, strict=True)
    scoped = all(not later or (earlier and later >= earlier) for later, earlier in limits)
    return wide and scoped and _no_shorter(new, old)


def _no_shorter(new: Extent, old: Extent) -> bool:
    starts = new.data_from is None or (old.data_from is not None and new.data_from <= old.data_from)
    ends = new.data_until is None or (
        old.data_until is not None and new.data_until >= old.data_until
    )
    lasts = new.ends_at is None or (old.ends_at is not None and new.ends_at >= old.ends_at)
    return starts and ends and lasts


def is_term(value: str) -> bool:
    """Whether this can be one value of an axis: a bar parts the values of a study's columns."""
    return 0 < len(value) <= TERM_LONGEST and "|" not in value


def contradicts(actions: frozenset[Action], obligations: frozenset[Obligation]) -> bool:
    """Whether a permit gives by an action what it forbids by an obligation."""
    return Obligation.NO_DOWNLOAD in obligations and bool(actions & LEAVING)


TERM_LONGEST = 64
EVIDENCE_MAX_BYTES = 20 * 1024 * 1024

_SIGNATURES = {b"%PDF-": "application/pdf", b"\x89PNG\r\n\x1a\n": "image/png"}


def media_type_of(head: bytes) -> str | None:
    """The type of an evidence document by its first bytes, or None when it is no such thing."""
    if head[:3] == b"\xff\xd8\xff":
        return "image/jpeg"
    return next((kind for mark, kind in _SIGNATURES.items() if head.startswith(mark)), None)


Stroke = tuple[tuple[int, int], ...]
"""A line that a finger drew: points on a field of 1000 by 400."""

FIELD = (1000, 400)
STROKES_MOST, POINTS_MOST, POINTS_LEAST, PATH_LONGEST = 60, 3000, 5, 40_000


def strokes_of(path: str) -> tuple[Stroke, ...] | None:
    """A drawn signature: `12,30 14,33;80,20 81,25`, or None when it is nothing of the kind.

    Lines are kept apart by semicolons, points by blanks. Only numbers on the field come in: what
    is kept and printed is drawn by us, never an image from outside.
    """
    if len(path) > PATH_LONGEST or not set(path) <= set("0123456789,; "):
        return None
    lines = [line.split(" ") for line in path.split(";")]
    total = sum(map(len, lines))
    if len(lines) > STROKES_MOST or not POINTS_LEAST <= total <= POINTS_MOST:
        return None
    drawn = [[_point(each) for each in line] for line in lines]
    if any(point is None for line in drawn for point in line):
        return None
    return tuple(tuple(point for point in line if point is not None) for line in drawn)


def side_by_side(first: tuple[Stroke, ...], second: tuple[Stroke, ...]) -> tuple[Stroke, ...]:
    """Two signatures on one field: the first on its left half, the second on its right."""
    wide, high = FIELD
    halves = ((first, 0), (second, wide // 2))
    return tuple(
        tuple((start + x // 2, high // 4 + y // 2) for x, y in line)
        for lines, start in halves
        for line in lines
    )


def _point(text: str) -> tuple[int, int] | None:
    x, comma, y = text.partition(",")
    if not comma or not (x.isdecimal() and y.isdecimal()) or max(len(x), len(y)) > 4:
        return None
    point = (int(x), int(y))
    return point if point[0] <= FIELD[0] and point[1] <= FIELD[1] else None


class PhoneState(StrEnum):
    """Where the code for a patient's own phone stands."""

    WAITING = "waiting"
    OPENED = "opened"
    SIGNED = "signed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    CANCELLED = "cancelled"
    LOCKED = "locked"


class PhoneEvent(StrEnum):
    """What moves it."""

    OPEN = "open"
    SIGN = "sign"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"
    CANCEL = "cancel"
    LOCK = "lock"


_P, _D = PhoneState, PhoneEvent
PHONE_NEXT: Mapping[tuple[PhoneState, PhoneEvent], PhoneState] = {
    (_P.WAITING, _D.OPEN): _P.OPENED,
    (_P.WAITING, _D.LOCK): _P.LOCKED,
    (_P.WAITING, _D.CANCEL): _P.CANCELLED,
    (_P.OPENED, _D.CANCEL): _P.CANCELLED,
    (_P.OPENED, _D.SIGN): _P.SIGNED,
    (_P.OPENED, _D.REFUSE): _P.REFUSED,
    (_P.OPENED, _D.WITHDRAW): _P.WITHDRAWN,
}
"""A code is opened once, and ends by one word of the patient's; the clock ends it too."""

LIVING = frozenset({PhoneState.WAITING, PhoneState.OPENED})
PHONE_MINUTES, TRIES_MOST = 15, 5
SECOND_WITHIN = timedelta(days=14)
"""So long after the first guardian's signature the second one may sign."""


class PhoneKind(StrEnum):
    """What the patient decides on the phone."""

    CONSENT = "consent"
    WITHDRAWAL = "withdrawal"
