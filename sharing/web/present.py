"""Turns what the rooms know into what the partials say. Pure: no request, no query of its own."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.urls import reverse

from sharing.access.rules import Decision, Rule
from sharing.archive.services.showing import Shown
from sharing.kernel.purposes import Action
from sharing.kernel.saying import said

from .wording import in_short, verified, wording_of

WARNINGS = {  # code of the archive -> what it means for a reader
    "bad_date": "A date can’t be read as one; it is shown as unknown.",
    "bad_number": "A number can’t be read as one; it is shown as unknown.",
    "bad_time": "A time can’t be read as one; it is shown as unknown.",
    "charset_unknown": "The character set is unknown; some letters are shown as a replacement.",
    "duplicate_element": "An element stands twice in a file; the first one counts.",
    "executable_preamble": "A file begins like a program; it leaves with an empty beginning.",
    "frames_unusable": "The frames of a file can’t be shown.",
    "meta_mismatch": "A file’s header contradicts its data set; the data set counts.",
    "overlong_value": "A text is longer than allowed; it is shown cut.",
    "pixels_not_encapsulated": "A file’s pixels are not packed as its header says.",
    "private_sequence_damaged": "A private sequence is damaged; it is kept as it came.",
    "trailing_bytes": "Bytes follow the end of a file; they are kept.",
    "transfer_syntax_missing": "A file does not say how it is encoded; the usual way is assumed.",
}
GROUND_KINDS = {
    Rule.OWN_STAFF: "own",
    Rule.SUPPORT_SESSION: "emergency",
    Rule.CONSENT_PERMITS: "consent",
    Rule.SHARED_INSIDE_CONSENT: "shared",
    Rule.EMERGENCY: "emergency",
    Rule.IMPLIED_RELATIONSHIP: "referrer",
}


@dataclass(frozen=True)
class GroundLine:
    """Why something may be seen, for `ground_line.html`."""

    kind: str
    sentence: str
    until: datetime | None = None


@dataclass(frozen=True)
class StudyRow:
    """One study, for `study_row.html` and `study_table.html`."""

    public_id: str
    title: str
    modalities: list[str]
    study_date: date | None
    custodian: Any
    patient: Any
    series_count: int
    instance_count: int
    state: str
    url: str
    viewer_url: str
    thumbnail_url: str
    ground: GroundLine
    own: bool
    unread: bool = False


@dataclass(frozen=True)
class ConsentCard:
    """One version of a consent, for `consent_card.html`."""

    number: str
    version: int
    decision: str
    state: str
    sentence: str
    starts: datetime
    ends: datetime | None
    verified: str
    url: str
    patient: Any
    whom: str
    revoked_at: datetime | None = None
    public_id: str = ""
    scan_url: str = ""


def title_of(study: Any) -> str:
    """What the study is called: its description, or what can be said without one, which is the
    portal's own and in the reader's language.
    """
    if study.description:
        return str(study.description)
    kinds = " and ".join(study.modality_list)
    return said(f"{kinds} study" if kinds else "Study without description")


def may_words(actions: Iterable[Action]) -> str:
    """`View`, `View, download`, `Reports`: the short word of a chip."""
    held = set(actions)
    if Action.IMAGES in held:
        return "View, download" if Action.DOWNLOAD in held else "View"
    return "Reports" if Action.REPORT in held else "Find" if held else ""


def warning_words(codes: Iterable[str]) -> list[str]:
    """What was odd in the files of a study, for the custodian's people."""
    return [WARNINGS.get(code, code.replace("_", " ").capitalize()) for code in codes]


def ground(decision: Decision) -> GroundLine:
    """The decision in words."""
    kind = GROUND_KINDS.get(Rule(decision.basis.rule), "policy") if decision.allowed else "refused"
    until = None if kind == "emergency" else decision.basis.until  # hours stand in the sentence
    return GroundLine(kind, decision.reason, until)


def study_row(shown: Shown, *, organization_id: int, new: Collection[str] = ()) -> StudyRow:
    """A study in sight, with the addresses that may be offered; `new`: ids of those not opened."""
    study = shown.study
    viewer = reverse("viewer:study", args=[study.public_id]) if shown.viewable else ""
    picture = reverse("web:study-thumbnail", args=[study.public_id]) if shown.pictured else ""
    return StudyRow(
        public_id=study.public_id,
        title=title_of(study),
        modalities=study.modality_list,
        study_date=study.study_date,
        custodian=study.organization,
        patient=study.patient,
        series_count=study.series_count,
        instance_count=study.instance_count,
        state=study.state,
        url=reverse("web:study", args=[study.public_id]),
        viewer_url=viewer,
        thumbnail_url=picture,
        ground=ground(shown.decision),
        own=study.organization_id == organization_id,
        unread=study.public_id in new,
    )


def rows(
    found: Iterable[Shown], *, organization_id: int, new: Collection[str] = ()
) -> list[StudyRow]:
    """Many of them."""
    return [study_row(shown, organization_id=organization_id, new=new) for shown in found]


def state_of(consent: Any, at: datetime) -> str:
    """Its state now: the clock ends a consent before anybody marks it."""
    over = consent.state == "active" and consent.ends_at and consent.ends_at <= at
    return "expired" if over else str(consent.state)


def consent_card(consent: Any, *, at: datetime) -> ConsentCard:
    """One version of a consent."""
    said = wording_of(consent)
    return ConsentCard(
        number=consent.reference,
        version=consent.version,
        decision=consent.decision,
        state=state_of(consent, at),
        sentence=in_short(said),
        starts=consent.starts_at,
        ends=consent.ends_at,
        verified=verified(consent),
        url=reverse("web:consent", args=[consent.public_id]),
        patient=consent.patient,
        whom=said.whom,
        public_id=consent.public_id,
        revoked_at=consent.ended_at if consent.state == "revoked" else None,
    )
