"""Whose is a study that waits? Somebody looks at both sides, and says (ADR-018).

The files are believed, a known patient gets it (its objects say what stood there before), or it is
refused. Until then it is no study: nobody finds it, no consent reaches it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Count, QuerySet

from sharing.archive.errors import HeldNotFound, HeldUndecided
from sharing.archive.models import Conflict, HeldStudy, Study
from sharing.archive.rules import HELD_NEXT, Door, HeldEvent, HeldState
from sharing.audit.rules import Ground, What
from sharing.audit.services import record, record_read
from sharing.dicom.coerce import coerced
from sharing.dicom.errors import BadDicom
from sharing.identity.models import Patient
from sharing.identity.services import Person, namesakes, own_patient, own_patients
from sharing.kernel.lifecycle import step
from sharing.tenants.rules import Actor, Duty
from sharing.tenants.services import require

from .leaving import owe_erasure
from .receiving import Incoming, receive
from .rejecting import stored_pieces

MOST_CANDIDATES = 8
SYSTEM = "Imaging Exchange"
_ACTIONS = {
    HeldEvent.TRUST: "study.trust",
    HeldEvent.GIVE: "study.give",
    HeldEvent.REFUSE: "study.refuse",
}


@dataclass(frozen=True)
class Sides:
    """What somebody compares: the study as its files name it, and whose it may be."""

    held: HeldStudy
    count: int
    candidates: Sequence[Patient]


def waiting_for_patient(actor: Actor) -> QuerySet[HeldStudy]:
    """The own organization's studies that wait, oldest first. Raises NotAllowed."""
    require(actor, Duty.UPLOAD)
    found = HeldStudy.objects.filter(organization_id=actor.organization_id, state=HeldState.WAITING)
    counted = found.annotate(count=Count("objects_held"))
    return counted.select_related("delivery", "chosen").order_by("held_at", "pk")


def sides_of(
    actor: Actor, *, public_id: str, query: str = "", at: datetime, request_id: str = ""
) -> Sides:
    """Both sides; that the actor saw them is in the log. Raises NotAllowed, HeldNotFound."""
    held = _waiting(actor, public_id)
    record_read(
        who=actor.who,
        action="study.compare",
        at=at,
        what=What(custodian=actor.organization_code, study_uid=held.study_uid),
        ground=Ground(rule="own_staff", reason="Says whose an uploaded study is"),
        request_id=request_id,
    )
    return Sides(held, held.objects_held.count(), _candidates(actor, held, query))


def _candidates(actor: Actor, held: HeldStudy, query: str) -> list[Patient]:
    """Whom it may belong to: the one chosen, who has its identifier, its namesakes; or who is
    looked for."""
    if query:
        return list(own_patients(actor, query=query).filter(certain=True)[:MOST_CANDIDATES])
    person = Person(held.identifier, held.issuer, held.name, held.birth_date, held.sex)
    same = own_patients(actor).filter(identifier=held.identifier, certain=True)
    found = [*([held.chosen] if held.chosen else []), *same[:2]]
    found += namesakes(held.organization, person)[:MOST_CANDIDATES]
    return list(dict.fromkeys(found))[:MOST_CANDIDATES]


@transaction.atomic
def trust_files(actor: Actor, *, public_id: str, at: datetime) -> Study:
    """The files are right: the study is of whom they name, byte for byte as it came.

    Raises NotAllowed, HeldNotFound, BlobUnavailable.
    """
    held = _locked(actor, public_id)
    rows = list(held.objects_held.order_by("pk"))
    study = _receive(held, actor, [_as_it_came(row) for row in rows], at)
    _forget(held, rows, at)
    _decide(held, HeldEvent.TRUST, actor, at)
    return study


@transaction.atomic
def give_to(
    actor: Actor, *, public_id: str, patient: str, accession_number: str = "", at: datetime
) -> Study:
    """It is that patient's: its objects get the patient's name and identifier, and keep their own
    in the Original Attributes Sequence. The bytes that came are kept as long as what was rejected.

    Raises NotAllowed, HeldNotFound, PatientNotFound, HeldUndecided, BlobUnavailable.
    """
    held = _locked(actor, public_id)
    whose = own_patient(actor, public_id=patient)
    values = _values_of(whose, accession_number)
    source = held.delivery.sender
    files = (_coerced(row, values, source, at) for row in held.objects_held.order_by("pk"))
    study = _receive(held, actor, files, at)
    if study.patient_id != whose.pk:
        raise HeldUndecided()
    held.objects_held.update(decided_at=at, decision="taken", decided_by=actor.name)
    held.given_to = whose
    _decide(held, HeldEvent.GIVE, actor, at, patient=whose.public_id)
    return study


@transaction.atomic
def refuse_held(actor: Actor, *, public_id: str, at: datetime) -> None:
    """It is not for here: its bytes go. It may be sent again. Raises NotAllowed, HeldNotFound."""
    held = _locked(actor, public_id)
    _forget(held, list(held.objects_held.all()), at)
    _decide(held, HeldEvent.REFUSE, actor, at)


def _waiting(actor: Actor, public_id: str) -> HeldStudy:
    rows = waiting_for_patient(actor).select_related("organization")
    found = rows.filter(public_id=public_id).first()
    if found is None:
        raise HeldNotFound()
    return found


def _locked(actor: Actor, public_id: str) -> HeldStudy:
    held = _waiting(actor, public_id)
    rows = HeldStudy.objects.select_for_update(of=("self",)).select_related(
        "organization", "delivery", "chosen"
    )
    found = rows.filter(pk=held.pk, state=HeldState.WAITING).first()
    if found is None:
        raise HeldNotFound()
    return found


def _values_of(patient: Patient, accession_number: str) -> dict[str, str]:
    born = f"{patient.birth_date:%Y%m%d}" if patient.birth_date else ""
    values = {
        "PatientName": patient.name,
        "PatientID": patient.identifier,
        "IssuerOfPatientID": patient.issuer,
        "PatientBirthDate": born,
        "PatientSex": patient.sex,
    }
    return values | ({"AccessionNumber": accession_number} if accession_number else {})


def _as_it_came(row: Conflict) -> Incoming:
    return Incoming(row.sop_uid, stored_pieces(row.blob, row.offset, row.length))


def _coerced(row: Conflict, values: dict[str, str], source: str, at: datetime) -> Incoming:
    pieces = (bytes(piece) for piece in stored_pieces(row.blob, row.offset, row.length))
    try:
        made = coerced(pieces, values, system=SYSTEM, source=source, at=at)
    except BadDicom as wrong:
        raise HeldUndecided() from wrong
    return Incoming(row.sop_uid, [made])


def _receive(held: HeldStudy, actor: Actor, files: Iterable[Incoming], at: datetime) -> Study:
    """By the door of what was here already. Raises HeldUndecided where not all of it is stored."""
    made = receive(
        organization=held.organization,
        door=Door.AGAIN,
        sender=actor.name,
        files=files,
        by=actor.who,
        at=at,
    )
    if not all(line.outcome in ("stored", "duplicate") for line in made.items):
        raise HeldUndecided()
    own = Study.objects.filter(organization=held.organization, study_uid=held.study_uid)
    study = own.select_related("patient").first()
    if study is None:
        raise HeldUndecided()
    return study


def _forget(held: HeldStudy, rows: Sequence[Conflict], at: datetime) -> None:
    packs = {row.blob for row in rows}
    held.objects_held.all().delete()
    owe_erasure(held.organization_id, packs, at)


def _decide(
    held: HeldStudy, event: HeldEvent, actor: Actor, at: datetime, *, patient: str = ""
) -> None:
    held.state = step(HELD_NEXT, HeldState(held.state), event)
    held.decided_at, held.decided_by = at, actor.name
    held.save(update_fields=["state", "decided_at", "decided_by", "given_to"])
    what = What(
        custodian=held.organization.code,
        patient=patient,
        study_uid=held.study_uid,
        detail={"doubt": held.doubt, "delivery": held.delivery.public_id},
    )
    record(who=actor.who, action=_ACTIONS[event], at=at, what=what)
