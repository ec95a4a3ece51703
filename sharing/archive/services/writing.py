"""The transaction that ends a delivery: the same few statements for one image and for a thousand.

Studies are locked in the order of their UIDs, so that two deliveries never wait for each other, and
all counts are raised under that lock.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from django.db import IntegrityError, transaction

from sharing.archive.indexing import index_series, index_studies
from sharing.archive.models import Conflict, Delivery, DeliveryItem, Instance, Series, Study
from sharing.archive.rules import NEXT, SETTLE_AFTER, Outcome, StudyEvent, StudyState
from sharing.archive.sql import chunks, marks, rows
from sharing.audit.rules import What, Who
from sharing.audit.services import record, record_all
from sharing.identity.services import Known, identify, is_named, known_patients
from sharing.kernel.bulk import insert, read, update
from sharing.kernel.lifecycle import step
from sharing.kernel.tokens import public_id
from sharing.outbox.services import promise
from sharing.tenants.models import Organization

from .holding_back import hold_back, person_of
from .intake import Item, New, held_under
from .labelling import apply_rules, just_came, restore, rules_of, texts_of
from .placing import regions_with
from .refusing import refused


class _Row(NamedTuple):
    """A locked study, as it is before this delivery."""

    pk: int
    public_id: str
    organization_id: int
    patient_id: int
    study_uid: str
    study_date: date | None
    study_time: str
    accession_number: str
    study_id: str
    description: str
    referring_physician: str
    modalities: str
    body_regions: str
    labels: str
    warnings: list[str]
    state: str
    patient: Known


@dataclass
class _Share:
    """What this delivery adds to one study."""

    row: _Row
    items: list[Item] = field(default_factory=list)
    made: int = 0

    @property
    def group(self) -> list[New]:
        """The new instances."""
        return [item.new for item in self.items if item.new]


@transaction.atomic
def write(delivery: Delivery, items: list[Item], by: Who) -> Delivery:
    """All rows of a delivery, or none. Raises IntegrityError where another one stored a UID just
    now that nobody had when this one looked."""
    _compare_again(delivery.organization, items)
    delivery.save(force_insert=True)
    _mend(delivery, items, by)
    hold_back(delivery, items, by)
    shares = _shares(delivery, items)
    _add([share for share in shares.values() if share.items], delivery, by)
    _keep_conflicts(delivery, items, by)
    _write_receipt(delivery, items, {uid: share.row.pk for uid, share in shares.items()})
    return delivery


def _compare_again(organization: Organization, items: list[Item]) -> None:
    """Inside the transaction: a UID that was new while its bytes came may be known by now."""
    new = {item.new.sop_uid: item for item in items if item.new and item.outcome == Outcome.STORED}
    for uid in refused(organization.pk, list(new)):  # rejected while its bytes came
        new[uid].settle(Outcome.REJECTED, "rejected_before")
    for uid, held in held_under(organization, list(new)).items():
        same = new[uid].stored.written.sha256 == held.sha256
        new[uid].settle(*((Outcome.DUPLICATE, "") if same else (Outcome.CONFLICT, "conflict")))


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


def _shares(delivery: Delivery, items: Iterable[Item]) -> dict[str, _Share]:
    """What each study gets, by UID. The images of another patient than its study's are left out:
    whoever may see the study would see them too."""
    groups: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        if item.new and item.outcome == Outcome.STORED:
            groups[item.new.study_uid].append(item)
    shares = {row.study_uid: _Share(row) for row in _locked(delivery, groups)}
    for uid, share in shares.items():
        for item in groups[uid]:
            if is_named(
                share.row.patient, organization=delivery.organization, person=person_of(item)
            ):
                share.items.append(item)
            else:
                item.settle(Outcome.CONFLICT, "other_patient")
    return shares


def _locked(delivery: Delivery, groups: Mapping[str, Sequence[Item]]) -> list[_Row]:
    """The studies, made where they are new, locked. Raises IntegrityError as `write` does."""
    organization, uids = delivery.organization, sorted(groups)
    known = {
        row[0]
        for some in chunks(uids)
        for row in read(Study, ("study_uid",), _NAMED.format(marks(some)), [organization.pk, *some])
    }
    firsts = {uid: groups[uid][0] for uid in uids if uid not in known}
    if firsts:
        persons = {uid: person_of(item) for uid, item in firsts.items()}
        patients = identify(organization=organization, persons=persons.values())
        made = [_study(delivery, item, patients[persons[uid]]) for uid, item in firsts.items()]
        insert(Study, _STUDY, made, ignore=True)
    found: list[tuple[Any, ...]] = []
    for some in chunks(uids):
        condition = f"{_NAMED.format(marks(some))} ORDER BY study_uid"
        found += read(Study, _COLUMNS, condition, [organization.pk, *some], lock=True)
    if len(found) < len(uids):  # deleted since the first look; the caller looks once more
        raise IntegrityError("a study was deleted in the meantime")
    place = _Row._fields.index("patient_id")
    people = known_patients(row[place] for row in found)
    return [_Row._make((*row, people[row[place]])) for row in found]


_NAMED = "organization_id = %s AND study_uid IN ({})"
_COLUMNS = ("id", *_Row._fields[1:-1])
_SERIES_KEYS = "SELECT id, study_id, series_uid FROM archive_series WHERE series_uid IN ({})"
_STUDY = (
    "public_id", "organization_id", "patient_id", "study_uid", "study_date", "study_time",
    "accession_number", "study_id", "description", "referring_physician", "received_at",
    "changed_at",
)  # fmt: skip


def _study(delivery: Delivery, item: Item, patient: Known) -> tuple[object, ...]:
    facts, at = item.facts, delivery.received_at
    return (
        public_id(), delivery.organization_id, patient.pk, item.study_uid, facts.study_date,
        facts.study_time[:16], facts.accession_number[:64], facts.study_id[:64],
        facts.study_description[:200], facts.referring_physician[:324], at, at,
    )  # fmt: skip


def _add(shares: Sequence[_Share], delivery: Delivery, by: Who) -> None:
    """The new instances, the counts, an event for each study, and the promise to settle them."""
    if not shares:
        return
    at, organization = delivery.received_at, delivery.organization
    series = _series(shares)
    insert(Instance, _INSTANCE, _instances(shares, series, delivery))
    sent_anew = {s.row.study_uid: s.row.pk for s in shares if s.row.modalities == "|"}
    for share in shares:
        share.row = share.row._replace(
            modalities=_modalities(share.row, share.group),
            body_regions=regions_with(share.row.body_regions, share.group),
        )
    update(Study, _CHANGED, (_changed(share, delivery) for share in shares), raised=_COUNTERS)
    index_studies(share.row for share in shares)
    detail = {"door": delivery.door, "delivery": delivery.public_id}
    whats = [
        What(
            organization.code,
            share.row.patient.public_id,
            share.row.public_id,
            share.row.study_uid,
            {"instances": len(share.items)} | detail,
        )
        for share in shares
    ]
    record_all(who=by, action="study.receive", at=at, whats=whats)
    keys = [share.row.pk for share in shares]
    standing = restore(organization.pk, sent_anew)
    rules = rules_of(organization.pk)
    if rules:
        texts = texts_of(keys)
        came = [
            just_came(
                share.row._replace(labels=standing.get(share.row.study_uid, share.row.labels)),
                share.group, what, rules, texts[share.row.pk],
            )
            for share, what in zip(shares, whats, strict=True)
        ]  # fmt: skip
        apply_rules(organization.pk, came, rules, at)
    for some in chunks(keys):
        promise("archive.settle_studies", at=at, delay=SETTLE_AFTER, study_ids=list(some))


_SERIES = (
    "study_id", "series_uid", "modality", "number", "description", "body_part", "laterality",
    "instance_count", "frame_count", "version",
)  # fmt: skip
Place = tuple[int, str]


def _series(shares: Sequence[_Share]) -> dict[Place, int]:
    """The primary keys of the series of the new instances, whose counts and versions are raised."""
    groups: dict[Place, list[New]] = defaultdict(list)
    for share in shares:
        for new in share.group:
            groups[share.row.pk, new.series_uid].append(new)
    known = _series_keys(groups)
    made = {place: group for place, group in groups.items() if place not in known}
    insert(Series, _SERIES, (_new_series(place, group) for place, group in sorted(made.items())))
    raised = ((len(groups[place]), _frames(groups[place]), 1, key) for place, key in known.items())
    names = ("instance_count", "frame_count", "version")
    update(Series, names, raised, raised=names)
    for share in shares:
        share.made = len(
            {new.series_uid for new in share.group if (share.row.pk, new.series_uid) in made}
        )
    keys = _series_keys(made)
    index_series((key, made[place][0].metadata) for place, key in keys.items())
    return known | keys


def _series_keys(places: Iterable[Place]) -> dict[Place, int]:
    wanted = set(places)
    found: dict[Place, int] = {}
    for some in chunks(sorted({uid for _, uid in wanted})):
        for pk, study_id, uid in rows(_SERIES_KEYS.format(marks(some)), some):
            if (study_id, uid) in wanted:
                found[study_id, uid] = pk
    return found


def _new_series(place: Place, group: Sequence[New]) -> tuple[object, ...]:
    new = group[0]
    facts = new.facts
    return (
        *place, new.modality, facts.series_number, facts.series_description[:200],
        facts.body_part[:64], facts.laterality[:16], len(group), _frames(group), 1,
    )  # fmt: skip


def _frames(group: Iterable[New]) -> int:
    return sum(new.facts.frames for new in group)


_INSTANCE = (
    "organization_id", "series_id", "sop_uid", "sop_class_uid", "transfer_syntax", "number",
    "rows", "columns", "frames", "blob", "offset", "length", "sha256", "layout", "sound",
    "summary", "metadata", "received_at",
)  # fmt: skip


def _instances(
    shares: Iterable[_Share], series: Mapping[Place, int], delivery: Delivery
) -> Iterator[tuple[object, ...]]:
    for share in shares:
        for item in share.items:
            new, facts = item.stored, item.facts
            written = new.written
            yield (
                delivery.organization_id, series[share.row.pk, new.series_uid], new.sop_uid,
                new.sop_class_uid, new.transfer_syntax, facts.instance_number, facts.rows or None,
                facts.columns or None, facts.frames, item.blob, written.offset, written.length,
                written.sha256, new.layout, new.sound, new.summary, new.metadata,
                delivery.received_at,
            )  # fmt: skip


_CHANGED = (
    "series_count", "instance_count", "modalities", "body_regions", "warnings", "state",
    "changed_at",
)  # fmt: skip
_COUNTERS = ("series_count", "instance_count")


def _changed(share: _Share, delivery: Delivery) -> tuple[object, ...]:
    row = share.row
    state = step(NEXT, StudyState(row.state), StudyEvent.RECEIVE)
    return (
        share.made, len(share.items), row.modalities, row.body_regions,
        _warnings(row, share.group), state.value, delivery.received_at, row.pk,
    )  # fmt: skip


def _modalities(row: _Row, group: Sequence[New]) -> str:
    before = [word for word in row.modalities.split("|") if word]
    kept = "|"
    for word in dict.fromkeys([*before, *(new.modality for new in group if new.modality)]):
        if len(kept) + len(word) + 1 <= 120:
            kept += f"{word}|"
    return kept


def _warnings(row: _Row, group: Sequence[New]) -> list[str]:
    found = [word for new in group for word in new.warnings]
    return list(dict.fromkeys([*row.warnings, *found]))[:20]


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


_ITEM = (
    "delivery_id", "name", "outcome", "code", "reason", "sop_class_uid", "sop_uid", "study_id",
)  # fmt: skip


def _write_receipt(delivery: Delivery, items: Sequence[Item], studies: Mapping[str, int]) -> None:
    known = _studies_of_duplicates(delivery, items)
    lines = (
        (
            delivery.pk, item.name[:255], item.outcome.value, item.code[:40], item.reason[:300],
            item.sop_class_uid[:64], item.sop_uid[:64],
            studies[item.study_uid] if item.outcome == Outcome.STORED else known.get(item.sop_uid),
        )
        for item in items
    )  # fmt: skip
    insert(DeliveryItem, _ITEM, lines)


def _studies_of_duplicates(delivery: Delivery, items: Sequence[Item]) -> dict[str, int]:
    uids = [item.sop_uid for item in items if item.outcome == Outcome.DUPLICATE]
    found: dict[str, int] = {}
    for some in chunks(uids):
        held = Instance.objects.filter(organization=delivery.organization, sop_uid__in=some)
        found.update(held.values_list("sop_uid", "series__study_id"))
    return found
