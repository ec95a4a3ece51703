"""What a consent says, in sentences. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sharing.access.obligations import asked_of_all
from sharing.consent.rules import Decision, Force, GranteeKind, Performer, Verification
from sharing.kernel.purposes import Action, Obligation, Purpose

from . import words

MODALITIES = {  # Modality (0008,0060), PS3.3 C.7.3.1.1.1, as people say it
    "CR": "X-ray (CR)",
    "CT": "CT",
    "DX": "X-ray (DX)",
    "MG": "Mammography",
    "MR": "MR",
    "NM": "Nuclear medicine",
    "PT": "PET",
    "RF": "Fluoroscopy",
    "US": "Ultrasound",
    "XA": "Angiography",
}
LADDER = (  # rung, word on the form, phrase after "may", the same after "may not"
    (Action.DISCOVER, "Find it", "find {what}", "find it"),
    (Action.REPORT, "Read report", "read its reports", "read reports"),
    (Action.IMAGES, "View images", "view its images", "view images"),
    (Action.DOWNLOAD, "Download", "download them", "download"),
    (Action.SEND, "Send to PACS", "send them to an archive", "send to an archive"),
    (Action.RESHARE, "Share on", "share them on", "share on"),
)


@dataclass(frozen=True)
class Wording:
    """What a consent says, in parts from which sentences are made."""

    decision: Decision
    whom: str
    actions: frozenset[str]
    purposes: frozenset[str]
    modalities: Sequence[str]
    starts: datetime
    ends: datetime | None
    custodian: str
    patient: str
    force: Force = Force.ORDINARY
    unnamed: bool = False
    studies: int = 0
    asks: Sequence[str] = ()


def and_list(names: Sequence[str], last: str = "and") -> str:
    """`CT`, `CT and MR`, `CT, MR and US`."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} {last} {names[-1]}"


def modality_word(code: str) -> str:
    """`Mammography` for MG; the code itself where we have no word."""
    return MODALITIES.get(code, code)


def wording_of(consent: Any) -> Wording:
    """A recorded consent's parts."""
    said: dict[str, list[str]] = {}
    for term in consent.terms.all():
        said.setdefault(term.axis, []).append(term.value)
    return Wording(
        decision=Decision(consent.decision),
        whom=whom(consent.grantees.all(), consent.custodian.name),
        actions=frozenset(said.get("action", ())),
        purposes=frozenset(said.get("purpose", ())),
        modalities=sorted(said.get("modality", ())),
        starts=consent.starts_at,
        ends=consent.ends_at,
        custodian=consent.custodian.name,
        patient=name_of(consent.patient),
        force=Force(consent.force),
        unnamed=f"|{Obligation.DEIDENTIFY}|" in consent.obligations,
        studies=len(said.get("study", ())),
        asks=asked_of_all(consent.obligations.split("|"), consent.maximum_uses, consent.used),
    )


def whom(grantees: Iterable[Any], custodian: str) -> str:
    """Those whom a consent of `custodian` names."""
    named = [each for each in grantees if not getattr(each, "excepted", False)]
    ordered = sorted(named, key=lambda each: bool(each.kind == GranteeKind.NAMED_BY_CUSTODIAN))
    return and_list([_named(each, custodian) for each in ordered])


def _named(grantee: Any, custodian: str) -> str:
    if grantee.kind == GranteeKind.ROLE:
        where = grantee.organization.name if grantee.organization else "the region"
        return f"all {ROLES.get(grantee.role, grantee.role)} of {where}"
    if grantee.team is not None:
        return f"{grantee.team.name}, {grantee.team.organization.name}"
    row = grantee.organization or grantee.user
    return row.name if row is not None else _UNNAMED[grantee.kind].format(custodian=custodian)


ROLES = {"physician": "physicians", "radiologist": "radiologists", "researcher": "researchers"}
_UNNAMED = {
    GranteeKind.NAMED_BY_CUSTODIAN: "those whom {custodian} names",
    GranteeKind.LINK: "whoever has a link",
    GranteeKind.EVERYONE: "anybody outside {custodian}",
}


def name_of(patient: Any) -> str:
    """A patient's name in one line of text."""
    parts = (words.latin_name(patient.latin or ""), words.native_name(patient.native or ""))
    return " ".join(part for part in parts if part) or "a patient without a name"


def in_words(said: Wording) -> str:
    """The consent as one may read it to the patient."""
    named = imaging(said.modalities, said.studies) if said.modalities or said.studies else ""
    what = f"all imaging of {said.patient} held by {said.custodian}"
    if named:
        what = f"the {named} of {said.patient} held by {said.custodian}"
    period = _period(said.starts, said.ends)
    if said.decision == Decision.DENY:
        whom = capital(said.whom)
        refused = f"{whom} may not find or view {what}, {_refused(said)}, {period}."
        return " ".join([refused, "This wins over every permit."])
    may = [rung[2].format(what=what) for rung in LADDER if rung[0] in said.actions]
    never = [rung[3] for rung in LADDER if rung[0] not in said.actions]
    reasons = _purposes(said.purposes)
    first = f"{capital(said.whom)} may {and_list(may)}, for {reasons}, {period}."
    last = [f"They may not {and_list(never, 'or')}."] if never else []
    return " ".join([first, *last, *(f"{each}." for each in said.asks)])


def _refused(said: Wording) -> str:
    """For what a refusal holds."""
    if said.force != Force.ORDINARY:
        return "not in an emergency either"
    return f"for {_purposes(said.purposes)}" if len(said.purposes) == 1 else _BUT_EMERGENCIES


_BUT_EMERGENCIES = "for any purpose but an emergency"


def in_short(said: Wording) -> str:
    """The same in one line, for cards: `All imaging, to Hilltop, for treatment: view images.`"""
    limited = bool(said.modalities or said.studies)
    what = capital(imaging(said.modalities, said.studies)) if limited else "All imaging"
    if said.decision == Decision.DENY:
        return f"{what}, not to {said.whom}, {_refused(said)}."
    rungs = [rung[3] for rung in LADDER if rung[0] in said.actions]
    may = ", ".join(rungs[1:] or rungs)
    return f"{what}, to {said.whom}, for {_purposes(said.purposes)}: {may}."


def imaging(modalities: Sequence[str], studies: int = 0) -> str:
    """`imaging`, `CT and MR imaging`, or `imaging (1 study)`."""
    kinds = [modality_word(code) for code in modalities]
    if not kinds:
        return f"imaging ({words.span(studies, 'study', 'studies')})" if studies else "imaging"
    what = f"{and_list(kinds)} imaging"
    return f"{what} ({words.span(studies, 'study', 'studies')})" if studies else what


SPEAKERS = {
    Performer.PARENT: "a parent",
    Performer.GUARDIAN: "a guardian",
    Performer.REPRESENTATIVE: "a representative",
}


def verified(consent: Any) -> str:
    """How it was agreed, in words. Whole sentences: an empty part would fit no pattern."""
    speaker = SPEAKERS.get(consent.performer, "")
    if consent.verification == Verification.VERBAL:
        witness = consent.witness
        if not speaker:
            return f"Spoken, witnessed by {witness}"
        return f"Spoken by {speaker}, witnessed by {witness}"
    if consent.verification == Verification.QR:
        if not speaker:
            return "Signed on the patient’s phone"
        return f"Signed by {speaker} on the patient’s phone"
    return f"Signed on paper by {speaker}" if speaker else "Signed on paper"


def capital(text: str) -> str:
    """The text with a capital first letter."""
    return text[:1].upper() + text[1:]


def _purposes(purposes: Iterable[str]) -> str:
    wanted = set(purposes)
    return and_list([purpose.words for purpose in Purpose if purpose in wanted])


def _period(starts: datetime, ends: datetime | None) -> str:
    start = words.day(starts)
    return f"from {start} to {words.day(ends)}" if ends else f"from {start} without an end"


def effect(
    *,
    losing_people: int,
    losing_studies: int,
    gaining_people: int,
    gaining_studies: int,
    stops: int,
) -> str:
    """`Shows 14 studies to 3 people; hides none; stops 1 open viewer.`"""

    gained, lost = (words.span(n, "study", "studies") for n in (gaining_studies, losing_studies))
    gain, lose = (words.span(n, "person", "people") for n in (gaining_people, losing_people))
    shows = f"Shows {gained} to {gain}" if gaining_studies else "Shows none"
    hides = f"hides {lost} from {lose}" if losing_studies else "hides none"
    open_now = words.span(stops, "open viewer or download", "open viewers or downloads")
    return f"{shows}; {hides}; stops {open_now if stops else 'nothing that is open'}."
