"""What readers note on images: measurements and key images, kept as DICOM of their organization.

Who may see the images may note on them, except where looking leaves nothing behind: in an
emergency, by a link, for research. What is kept is an object of the author's own organization,
under the same Study Instance UID; who sees it is decided as for any study of theirs (ADR-014).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from django.db import transaction
from isal import isal_zlib

from sharing.access.rules import Decision, Rule
from sharing.access.services import decide_one
from sharing.archive.errors import NoteInvalid, NoteRefused
from sharing.archive.models import Instance, Study
from sharing.archive.rules import Door
from sharing.audit.rules import What
from sharing.audit.services import record
from sharing.dicom.errors import BadDicom
from sharing.dicom.measured import (
    COMPREHENSIVE,
    KEY_OBJECT,
    Author,
    Measure,
    Named,
    key_object,
    report,
)
from sharing.dicom.measured_reading import Kept, kept
from sharing.kernel.purposes import Action, Purpose
from sharing.tenants.rules import Actor, Duty
from sharing.tenants.services import find_organization

from .finding import open_study
from .intake import Incoming
from .receiving import receive
from .showing import peek

MOST = 200
"""Measurements, or key images, that one saving holds."""
_READ = (
    COMPREHENSIVE,
    KEY_OBJECT,
    "1.2.840.10008.5.1.4.1.1.88.22",
    "1.2.840.10008.5.1.4.1.1.88.34",
)
_WHY = {
    Rule.EMERGENCY: "Emergency access lets you look, and keeps nothing.",
}
_ROLE = "Your role, or what you act for now, keeps no notes."


@dataclass(frozen=True)
class Notes:
    """What is to be kept of one study."""

    measures: tuple[Measure, ...] = ()
    keys: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Noted:
    """A document that the actor may see, and whose it is."""

    kept: Kept
    custodian: str
    mark: str


def why_not(actor: Actor, decision: Decision) -> str:
    """Why this actor can keep no notes on a study that they see so; empty where they can."""
    if decision.basis.rule in _WHY:
        return _WHY[decision.basis.rule]
    if not actor.may(Duty.NOTE) or actor.purpose != Purpose.TREATMENT:
        return _ROLE
    return ""


@transaction.atomic
def keep_notes(
    actor: Actor, *, public_id: str, notes: Notes, at: datetime, request_id: str = ""
) -> int:
    """Keep them as objects of the actor's organization, in the log of both; how many objects.

    Raises StudyNotFound, NoteRefused, NoteInvalid, and what `receive` raises.
    """
    study = peek(actor, public_id=public_id, at=at, action=Action.IMAGES, request_id=request_id)
    decision = decide_one(actor, Action.IMAGES, study.subject, at=at)
    if why := why_not(actor, decision):
        raise NoteRefused(why)
    files = _files(actor, study, notes, at)
    organization = find_organization(actor.organization_code)
    receipt = receive(
        organization=organization,
        door=Door.VIEWER,
        sender=actor.name,
        files=files,
        by=actor.who,
        at=at,
        study_uid=study.study_uid,
    )
    if any(line.outcome != "stored" for line in receipt.items):
        raise NoteInvalid()
    _log(actor, study, decision, notes, at, request_id)
    return len(receipt.items)


def _log(
    actor: Actor, study: Study, decision: Decision, notes: Notes, at: datetime, request_id: str
) -> None:
    """For the custodian and the patient: the storing itself is in the author's own log."""
    detail = {"measures": len(notes.measures), "keys": len(notes.keys)}
    subject = study.subject.what
    what = What(subject.custodian, subject.patient, subject.study, subject.study_uid, detail)
    record(
        who=decision.who(actor),
        action="study.note",
        at=at,
        what=what,
        ground=decision.ground,
        request_id=request_id,
    )


def _files(actor: Actor, study: Study, notes: Notes, at: datetime) -> list[Incoming]:
    wanted = {each.sop for each in notes.measures} | {sop for sop, _ in notes.keys}
    if not wanted or max(len(notes.measures), len(notes.keys)) > MOST:
        raise NoteInvalid()
    images = _images(study, wanted)
    if len(images) < len(wanted):
        raise NoteInvalid()
    author, named = Author(actor.name, actor.organization_name, at), _named(actor, study)
    try:
        return list(_documents(notes, images, author, named))
    except BadDicom as wrong:
        raise NoteInvalid(wrong.reason) from wrong


def _documents(
    notes: Notes, images: Mapping[str, Any], author: Author, named: Named | None
) -> Iterable[Incoming]:
    if notes.measures:
        raw = report(notes.measures, images, author=author, named=named)
        yield Incoming("measurements.dcm", [raw])
    if notes.keys:
        raw = key_object(notes.keys, images, author=author, named=named)
        yield Incoming("key-images.dcm", [raw])


def _named(actor: Actor, study: Study) -> Named | None:
    """At another organization the custodian's identifier needs its issuer: it is no own one."""
    if study.organization_id == actor.organization_id:
        return None
    return Named(study.patient.identifier, study.patient.issuer)


def _images(study: Study, sops: Iterable[str]) -> dict[str, Any]:
    rows = Instance.objects.filter(series__study=study, sop_uid__in=list(sops), frames__gt=0)
    found = rows.values_list("sop_uid", "metadata")
    return {sop: orjson.loads(isal_zlib.decompress(metadata)) for sop, metadata in found}


def notes_on(actor: Actor, study: Study, *, at: datetime, request_id: str = "") -> list[Noted]:
    """The notes on an opened study that the actor may see, of every organization, oldest first.

    Only those of the same patient by the same issuer: a UID alone may be anybody's. That those of
    a third house were read is in its log.
    """
    patient = study.patient
    inside = Study.objects.visible_to(actor, at, Action.IMAGES).filter(
        study_uid=study.study_uid,
        patient__issuer=patient.issuer,
        patient__identifier=patient.identifier,
        patient__certain=patient.certain,
    )
    if not patient.certain:
        inside = inside.filter(patient=patient)
    rows = Instance.objects.filter(series__study__in=inside, sop_class_uid__in=_READ)
    found = rows.select_related("organization", "series__study").order_by("received_at", "pk")
    told = [(each.series.study, noted) for each in found if (noted := _noted(each))]
    known = {study.organization_id, actor.organization_id}
    for name in sorted({of.public_id for of, _ in told if of.organization_id not in known}):
        open_study(actor, public_id=name, at=at, action=Action.IMAGES, request_id=request_id)
    return [noted for _, noted in told]


def _noted(row: Instance) -> Noted | None:
    said = kept(orjson.loads(isal_zlib.decompress(row.metadata)))
    if not said.measures and not said.keys:
        return None
    return Noted(said, row.organization.name, row.organization.mark)
