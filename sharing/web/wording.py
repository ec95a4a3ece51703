"""What a consent says, in sentences. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sharing.consent.rules import Decision, GranteeKind, Performer, Verification
from sharing.kernel.purposes import Action, Purpose

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
    grantees = consent.grantees.all()
    names = [(each.organization or each.user).name for each in grantees if _is_named(each)]
    by_custodian = any(not _is_named(each) for each in grantees)
    return Wording(
        decision=Decision(consent.decision),
        whom=whom(names, consent.custodian.name if by_custodian else ""),
        actions=frozenset(said.get("action", ())),
        purposes=frozenset(said.get("purpose", ())),
        modalities=sorted(said.get("modality", ())),
        starts=consent.starts_at,
        ends=consent.ends_at,
        custodian=consent.custodian.name,
        patient=name_of(consent.patient),
    )


def _is_named(grantee: Any) -> bool:
    return bool(grantee.kind != GranteeKind.NAMED_BY_CUSTODIAN)


def whom(names: Sequence[str], custodian: str = "") -> str:
    """Those whom a consent names; `custodian` when it may name others."""
    named = [f"those whom {custodian} names"] if custodian else []
    return and_list([*names, *named])


def name_of(patient: Any) -> str:
    """A patient's name in one line of text."""
    parts = (words.latin_name(patient.latin or ""), words.native_name(patient.native or ""))
    return " ".join(part for part in parts if part) or "a patient without a name"


def in_words(said: Wording) -> str:
    """The consent as one may read it to the patient."""
    what = f"{said.patient}’s {imaging(said.modalities)} held by {said.custodian}"
    period = _period(said.starts, said.ends)
    if said.decision == Decision.DENY:
        return (
            f"{capital(said.whom)} may not find or view {what}, for any purpose but an emergency, "
            f"{period}. This wins over every permit."
        )
    may = [rung[2].format(what=what) for rung in LADDER if rung[0] in said.actions]
    never = [rung[3] for rung in LADDER if rung[0] not in said.actions]
    last = f" They may not {and_list(never, 'or')}." if never else ""
    reasons = _purposes(said.purposes)
    return f"{capital(said.whom)} may {and_list(may)}, for {reasons}, {period}.{last}"


def in_short(said: Wording) -> str:
    """The same in one line, for cards: `All imaging, to Hilltop, for treatment: view images.`"""
    what = capital(imaging(said.modalities)) if said.modalities else "All imaging"
    if said.decision == Decision.DENY:
        return f"{what}, not to {said.whom}, for any purpose but an emergency."
    rungs = [rung[3] for rung in LADDER if rung[0] in said.actions]
    may = ", ".join(rungs[1:] or rungs)
    return f"{what}, to {said.whom}, for {_purposes(said.purposes)}: {may}."


def imaging(modalities: Sequence[str]) -> str:
    """`imaging`, or `CT and MR imaging`."""
    kinds = [modality_word(code) for code in modalities]
    return f"{and_list(kinds)} imaging" if kinds else "imaging"


def verified(consent: Any) -> str:
    """How it was agreed, in words."""
    speaker = "" if consent.performer == Performer.SELF else f" by the {consent.performer}"
    if consent.verification == Verification.VERBAL:
        return f"Spoken{speaker}, witnessed by {consent.witness}"
    return f"Signed on paper{speaker}"


def capital(text: str) -> str:
    """The text with a capital first letter."""
    return text[:1].upper() + text[1:]


def _purposes(purposes: Iterable[str]) -> str:
    wanted = set(purposes)
    return and_list([purpose.words for purpose in Purpose if purpose in wanted])


def _period(starts: datetime, ends: datetime | None) -> str:
    until = f" to {words.day(ends)}" if ends else " without an end"
    return f"from {words.day(starts)}{until}"
