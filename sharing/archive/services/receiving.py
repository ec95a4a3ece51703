"""Receiving, whatever the door: spool, hash, scan, sync, rename, sync the folder, one transaction.

The order is the promise. Before the last line of `receive` nothing is acknowledged, and a crash
leaves at most a pack that no row names, which the reconciler finds (ADR-004).
"""

import errno
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction

from sharing.archive.errors import NoSpace
from sharing.archive.indexing import index_series, index_studies
from sharing.archive.models import (
    Batch,
    Conflict,
    Delivery,
    DeliveryItem,
    Instance,
    Series,
    Study,
)
from sharing.archive.rules import NEXT, REASONS, SETTLE_AFTER, Door, Outcome, StudyEvent, StudyState
from sharing.audit.rules import What, Who
from sharing.audit.services import record
from sharing.identity.models import Patient
from sharing.identity.services import identify, is_named
from sharing.kernel.lifecycle import step
from sharing.outbox.services import promise
from sharing.tenants.models import Organization
from sharing.tenants.rules import Actor, Duty
from sharing.tenants.services import find_organization, require

from .intake import Incoming, Intake, Item, New
from .refusing import refused

__all__ = ["Incoming", "Line", "Receipt", "receive", "receive_from"]


@dataclass(frozen=True)
class Line:
    """What became of one sent file; the UIDs are blank where it could not be read."""

    name: str
    outcome: Outcome
    code: str
    reason: str
    sop_class_uid: str
    sop_uid: str
    study_uid: str
    series_uid: str


@dataclass(frozen=True)
class Receipt:
    """A delivery as it was committed, and a line for every file of it, in the order sent."""

    delivery: Delivery
    items: tuple[Line, ...]


def receive_from(
    actor: Actor,
    *,
    door: Door,
    files: Iterable[Incoming],
    at: datetime,
    study_uid: str | None = None,
) -> Receipt:
    """Receive for the actor's own organization. Raises NotAllowed, and what `receive` raises."""
    require(actor, Duty.UPLOAD)
    return receive(
        organization=find_organization(actor.organization_code),
        door=door,
        sender=actor.name,
        files=files,
        by=actor.who,
        at=at,
        study_uid=study_uid,
    )


def receive(
    *,
    organization: Organization,
    door: Door,
    sender: str,
    files: Iterable[Incoming],
    by: Who,
    at: datetime,
    batch: Batch | None = None,
    study_uid: str | None = None,
    missing: Sequence[tuple[str, str]] = (),
) -> Receipt:
    """Take every file, store what is new, and return the receipt; durable when this returns.

    `study_uid` refuses objects of other studies (PS3.18 10.5.1.1). ZIPs are opened unless they
    came by STOW. `missing` names files that can't be received, each with its code, for the receipt.
    Raises NoSpace when the disk is full; then nothing is kept.
    """
    with ExitStack() as stack:
        intake = Intake(organization, study_uid, door != Door.STOW, stack)
        try:
            for file in files:
                intake.take(file)
            for name, code in missing:
                intake.refuse(name, code, REASONS[code])
            for key, pack in intake.packs.values():
                pack.keep(key)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise NoSpace() from error
            raise
    blank = Delivery(
        organization=organization,
        door=door,
        sender=sender[:200],
        batch=batch,
        received_at=at,
    )
    return Receipt(_commit(blank, intake.items, by), tuple(map(_line, intake.items)))


def _line(item: Item) -> Line:
    return Line(
        item.name, item.outcome, item.code, item.reason,
        item.sop_class_uid, item.sop_uid, item.study_uid, item.series_uid,
    )  # fmt: skip


def _commit(blank: Delivery, items: list[Item], by: Who) -> Delivery:
    """One transaction; once more when another delivery stored the same UID in the meantime."""
    try:
        return _write(blank, items, by)
    except IntegrityError:
        blank.pk = None
        return _write(blank, items, by)


@transaction.atomic
def _write(delivery: Delivery, items: list[Item], by: Who) -> Delivery:
    _compare_again(delivery.organization, items)
    delivery.save(force_insert=True)
    groups: dict[str, list[New]] = defaultdict(list)
    blobs: dict[str, str] = {}
    for item in items:
        if item.new and item.outcome == Outcome.STORED:
            groups[item.new.study_uid].append(item.new)
            blobs[item.new.study_uid] = item.blob
    _mend(delivery, items, by)
    studies = {study.study_uid: study for study in _studies(delivery, groups)}
    for uid, study in studies.items():
        own = _of_its_patient(study, items)
        if own:
            _add(study, own, blobs[uid], delivery, by)
    _keep_conflicts(delivery, items, by)
    _write_receipt(delivery, items, studies)
    return delivery


def _compare_again(organization: Organization, items: list[Item]) -> None:
    """Inside the transaction: a UID that was new while its bytes came may be known by now."""
    new = {item.new.sop_uid: item for item in items if item.new and item.outcome == Outcome.STORED}
    uids = list(new)
    for uid in refused(organization.pk, uids):  # rejected while its bytes came
        item = new[uid]
        item.outcome, item.code = Outcome.REJECTED, "rejected_before"
        item.reason = REASONS[item.code]
    for start in range(0, len(uids), 500):
        rows = Instance.objects.filter(
            organization=organization, sop_uid__in=uids[start : start + 500]
        )
        for uid, sha256 in rows.values_list("sop_uid", "sha256"):
            item = new[uid]
            same = item.new is not None and item.new.written.sha256 == sha256
            item.outcome = Outcome.DUPLICATE if same else Outcome.CONFLICT
            if not same:
                item.code, item.reason = "conflict", REASONS["conflict"]


def _mend(delivery: Delivery, items: Sequence[Item], by: Who) -> None:
    """Same bytes again of what the store had lost: the rows point to these from now on."""
    mended = 0
    for item in items:
        if item.mends and item.new:
            known = Instance.objects.filter(
                organization=delivery.organization,
                sop_uid=item.sop_uid,
                sha256=item.new.written.sha256,
            )
            mended += known.update(
                blob=item.blob, offset=item.new.written.offset, length=item.new.written.length
            )
    if mended:
        detail = {"instances": mended, "delivery": delivery.public_id}
        what = What(custodian=delivery.organization.code, detail=detail)
        record(who=by, action="study.mend", at=delivery.received_at, what=what)


def _studies(delivery: Delivery, groups: Mapping[str, Sequence[New]]) -> list[Study]:
    """The studies, locked, in the order of their UIDs so that two deliveries never cross."""
    organization = delivery.organization
    known = set(
        Study.objects.filter(organization=organization, study_uid__in=list(groups)).values_list(
            "study_uid", flat=True
        )
    )
    firsts = {uid: group[0] for uid, group in groups.items() if uid not in known}
    in_order = sorted(firsts.items(), key=lambda pair: (pair[1].facts.patient_id, pair[0]))
    patients = {uid: _patient(organization, new) for uid, new in in_order}
    return [_locked(delivery, uid, patients.get(uid), groups[uid][0]) for uid in sorted(groups)]


def _patient(organization: Organization, new: New) -> Patient:
    facts = new.facts
    return identify(
        organization=organization,
        identifier=facts.patient_id,
        issuer=facts.issuer_of_patient_id,
        name=facts.patient_name,
        birth_date=facts.patient_birth_date,
        sex=facts.patient_sex,
    )


def _locked(delivery: Delivery, uid: str, patient: Patient | None, new: New) -> Study:
    if patient is not None:
        facts = new.facts
        Study.objects.get_or_create(
            organization=delivery.organization,
            study_uid=uid,
            defaults={
                "patient": patient,
                "study_date": facts.study_date,
                "study_time": facts.study_time[:16],
                "accession_number": facts.accession_number[:64],
                "study_id": facts.study_id[:64],
                "description": facts.study_description[:200],
                "referring_physician": facts.referring_physician[:324],
                "received_at": delivery.received_at,
                "changed_at": delivery.received_at,
            },
        )
    return (
        Study.objects.select_for_update(of=("self",))
        .select_related("organization", "patient")
        .get(organization=delivery.organization, study_uid=uid)
    )


def _of_its_patient(study: Study, items: Iterable[Item]) -> list[New]:
    """The new instances that name the study's patient; those of another one wait for a person.

    Whoever may see the study would see the other patient's images too.
    """
    own = []
    for item in items:
        new = item.new
        if new is None or item.outcome != Outcome.STORED or new.study_uid != study.study_uid:
            continue
        if _is_of(study.patient, study.organization, new):
            own.append(new)
        else:
            item.outcome = Outcome.CONFLICT
            item.code, item.reason = "other_patient", REASONS["other_patient"]
    return own


def _add(study: Study, group: list[New], blob: str, delivery: Delivery, by: Who) -> None:
    """New instances of one locked study, its counts, its event, and the promise to settle it."""
    at = delivery.received_at
    series, made = _series(study, group)
    Instance.objects.bulk_create(
        [_instance(study, series[new.series_uid], new, blob, at) for new in group], batch_size=200
    )
    study.series_count += made
    study.instance_count += len(group)
    study.modalities = _modalities(study, group)
    study.warnings = _warnings(study, group)
    study.state = step(NEXT, StudyState(study.state), StudyEvent.RECEIVE)
    study.changed_at = at
    study.save(
        update_fields=[
            "series_count", "instance_count", "modalities", "warnings", "state", "changed_at",
        ]
    )  # fmt: skip
    index_studies([study])
    detail = {"instances": len(group), "door": delivery.door, "delivery": delivery.public_id}
    what = study.subject.what
    what = What(what.custodian, what.patient, what.study, what.study_uid, detail)
    record(who=by, action="study.receive", at=at, what=what)
    promise("archive.settle_study", at=at, delay=SETTLE_AFTER, study_id=study.pk)


def _series(study: Study, group: Sequence[New]) -> tuple[dict[str, Series], int]:
    """The series of the new instances with their counts raised, and how many were made."""
    uids = {new.series_uid for new in group}
    found = {row.series_uid: row for row in study.series.filter(series_uid__in=list(uids))}
    made = {new.series_uid: _new_series(study, new) for new in group if new.series_uid not in found}
    series = found | made
    for new in group:
        series[new.series_uid].instance_count += 1
        series[new.series_uid].frame_count += new.facts.frames
    Series.objects.bulk_update(found.values(), ["instance_count", "frame_count"], batch_size=200)
    Series.objects.bulk_create(made.values())
    firsts = {new.series_uid: new.metadata for new in reversed(group) if new.series_uid in made}
    index_series([(made[uid].pk, metadata) for uid, metadata in firsts.items()])
    return series, len(made)


def _new_series(study: Study, new: New) -> Series:
    facts = new.facts
    return Series(
        study=study,
        series_uid=new.series_uid,
        modality=new.modality,
        number=facts.series_number,
        description=facts.series_description[:200],
        body_part=facts.body_part[:64],
        laterality=facts.laterality[:16],
    )


def _instance(study: Study, series: Series, new: New, blob: str, at: datetime) -> Instance:
    return Instance(
        organization_id=study.organization_id,
        series=series,
        sop_uid=new.sop_uid,
        sop_class_uid=new.sop_class_uid,
        transfer_syntax=new.transfer_syntax,
        number=new.facts.instance_number,
        rows=new.facts.rows or None,
        columns=new.facts.columns or None,
        frames=new.facts.frames,
        blob=blob,
        offset=new.written.offset,
        length=new.written.length,
        sha256=new.written.sha256,
        layout=new.layout,
        sound=new.sound,
        metadata=new.metadata,
        received_at=at,
    )


def _modalities(study: Study, group: Sequence[New]) -> str:
    words = dict.fromkeys([*study.modality_list, *(new.modality for new in group if new.modality)])
    kept = "|"
    for word in words:
        if len(kept) + len(word) + 1 <= 120:
            kept += f"{word}|"
    return kept


def _warnings(study: Study, group: Sequence[New]) -> list[str]:
    found = [word for new in group for word in new.warnings]
    return list(dict.fromkeys([*study.warnings, *found]))[:20]


def _is_of(patient: Patient, organization: Organization, new: New) -> bool:
    return is_named(
        patient,
        organization=organization,
        identifier=new.facts.patient_id,
        issuer=new.facts.issuer_of_patient_id,
        name=new.facts.patient_name,
        birth_date=new.facts.patient_birth_date,
    )


def _keep_conflicts(delivery: Delivery, items: Sequence[Item], by: Who) -> None:
    """The other bytes wait, once each, with their sender told."""
    kept = 0
    for item in items:
        if item.outcome == Outcome.CONFLICT and item.new is not None:
            _, made = Conflict.objects.get_or_create(
                organization=delivery.organization,
                sop_uid=item.sop_uid,
                sha256=item.new.written.sha256,
                defaults={
                    "blob": item.blob,
                    "offset": item.new.written.offset,
                    "length": item.new.written.length,
                    "delivery": delivery,
                    "received_at": delivery.received_at,
                    "code": item.code,
                    "study_uid": item.new.study_uid,
                    "series_uid": item.new.series_uid,
                },
            )
            kept += made
    if kept:
        detail = {"instances": kept, "delivery": delivery.public_id}
        what = What(custodian=delivery.organization.code, detail=detail)
        record(who=by, action="study.conflict", at=delivery.received_at, what=what)


def _write_receipt(delivery: Delivery, items: Sequence[Item], studies: Mapping[str, Study]) -> None:
    known = _studies_of_duplicates(delivery, items)
    DeliveryItem.objects.bulk_create(
        [
            DeliveryItem(
                delivery=delivery,
                name=item.name[:255],
                outcome=item.outcome,
                code=item.code[:40],
                reason=item.reason[:300],
                sop_class_uid=item.sop_class_uid[:64],
                sop_uid=item.sop_uid[:64],
                study_id=studies[item.new.study_uid].pk
                if item.new and item.outcome == Outcome.STORED
                else known.get(item.sop_uid),
            )
            for item in items
        ],
        batch_size=500,
    )


def _studies_of_duplicates(delivery: Delivery, items: Sequence[Item]) -> dict[str, int]:
    uids = [item.sop_uid for item in items if item.outcome == Outcome.DUPLICATE]
    found: dict[str, int] = {}
    for start in range(0, len(uids), 500):
        rows = Instance.objects.filter(
            organization=delivery.organization, sop_uid__in=uids[start : start + 500]
        )
        found.update(rows.values_list("sop_uid", "series__study_id"))
    return found
