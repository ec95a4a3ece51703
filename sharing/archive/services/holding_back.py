"""New studies whose patient is in doubt: held back before they are studies (ADR-018).

Only what a person uploads: a machine's identifiers are its organization's own.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from sharing.archive.models import Conflict, Delivery, HeldStudy, Study
from sharing.archive.rules import Claim, Doubt, HeldState, Outcome, doubt_of
from sharing.audit.rules import What, Who
from sharing.audit.services import record
from sharing.identity.services import Person, is_named, known_as, namesakes, standing_of
from sharing.kernel.sql import chunks

from .intake import Item
from .leaving import owe_erasure

_OPEN = (Outcome.STORED, Outcome.HELD)


def hold_back(delivery: Delivery, items: Sequence[Item], by: Who) -> None:
    """In the transaction of a delivery: its new studies of doubtful patients wait, whole."""
    if delivery.batch is None:
        return
    groups = _new_studies(delivery, items)
    people = {uid: {person_of(item) for item in group} for uid, group in groups.items()}
    everybody = {(p.issuer, p.identifier) for some in people.values() for p in some}
    disc = any(item.code == "dicomdir" for item in items)
    alone = len(everybody) < 2 or not disc
    for uid, persons in people.items():
        doubt = _doubt(delivery, persons, alone)
        if doubt is not None:
            _hold(delivery, uid, groups[uid], doubt, by)


def person_of(item: Item) -> Person:
    """The patient as the file names them."""
    facts = item.facts
    return Person(
        facts.patient_id,
        facts.issuer_of_patient_id,
        facts.patient_name,
        facts.patient_birth_date,
        facts.patient_sex,
    )


def _new_studies(delivery: Delivery, items: Iterable[Item]) -> Mapping[str, list[Item]]:
    groups: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        if item.new and item.outcome in _OPEN:
            groups[item.study_uid].append(item)
    for some in chunks(sorted(groups)):
        here = Study.objects.filter(organization=delivery.organization, study_uid__in=some)
        for uid in here.values_list("study_uid", flat=True):
            del groups[uid]  # its own patient is known; others' images are conflicts of it
    return groups


def _doubt(delivery: Delivery, persons: Iterable[Person], alone: bool) -> Doubt | None:
    """The first doubt about anybody whom the files of a study name."""
    found = (doubt_of(_claim(delivery, person, alone)) for person in sorted(persons, key=repr))
    return next((doubt for doubt in found if doubt), None)


def _claim(delivery: Delivery, person: Person, alone: bool) -> Claim:
    organization = delivery.organization
    chosen = delivery.batch.patient if delivery.batch else None
    if chosen is not None:
        return Claim(is_named(known_as(chosen), organization=organization, person=person))
    known, contradicted = standing_of(organization, person)
    namesake = not known and namesakes(organization, person).exists()
    return Claim(None, alone, contradicted, known, namesake)


def _hold(delivery: Delivery, uid: str, items: Sequence[Item], doubt: Doubt, by: Who) -> None:
    held, _ = HeldStudy.objects.get_or_create(
        organization=delivery.organization,
        study_uid=uid,
        state=HeldState.WAITING,
        defaults=_facts(delivery, items[0]) | {"doubt": doubt},
    )
    for item in items:
        item.settle(Outcome.HELD, doubt)
        _keep(delivery, held, item)
    detail = {"instances": len(items), "delivery": delivery.public_id, "doubt": str(doubt)}
    what = What(custodian=delivery.organization.code, study_uid=uid, detail=detail)
    record(who=by, action="study.hold_back", at=delivery.received_at, what=what)


def _facts(delivery: Delivery, item: Item) -> dict[str, object]:
    facts, person = item.facts, person_of(item)
    return {
        "delivery": delivery,
        "chosen": delivery.batch.patient if delivery.batch else None,
        "identifier": person.identifier[:64],
        "issuer": person.issuer[:64],
        "name": person.name[:324],
        "birth_date": person.birth_date,
        "sex": person.sex[:1],
        "description": facts.study_description[:200],
        "modality": item.stored.modality,
        "study_date": facts.study_date,
        "accession_number": facts.accession_number[:64],
        "held_at": delivery.received_at,
    }


def _keep(delivery: Delivery, held: HeldStudy, item: Item) -> None:
    """Its bytes wait with the study, once. What was decided long ago waits again, and what waited
    as other bytes of an image that has left since waits here.
    """
    written = item.stored.written
    place = {
        "blob": item.blob,
        "offset": written.offset,
        "length": written.length,
        "held": held,
        "decided_at": None,
        "decision": "",
    }
    came = {
        "delivery": delivery,
        "received_at": delivery.received_at,
        "code": "held",
        "study_uid": item.study_uid,
        "series_uid": item.series_uid,
    }
    row, made = Conflict.objects.get_or_create(
        organization=delivery.organization,
        sop_uid=item.sop_uid,
        sha256=written.sha256,
        defaults=place | came,
    )
    if not made and (row.decided_at is not None or row.held_id is None):
        Conflict.objects.filter(pk=row.pk).update(**place, **came)
        owe_erasure(delivery.organization_id, {row.blob}, delivery.received_at)
