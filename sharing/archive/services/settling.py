"""When no more images come: studies' facts are counted again, their series get their pictures.

Studies settle together, as many as a delivery brought, with the same few statements for all of
them: the database has one writer, and it is the senders'.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction

from sharing.archive.errors import BlobUnavailable, NotRenderable
from sharing.archive.models import Instance, Series, Study
from sharing.archive.rules import DRAW_AFTER, NEXT, SETTLE_AFTER, StudyEvent, StudyState
from sharing.kernel.bulk import update
from sharing.kernel.lifecycle import step
from sharing.outbox.services import promise

from .labelling import label_stored
from .renditions import promise_renditions
from .retrieving import Stored

log = logging.getLogger(__name__)
CHANGING = (StudyState.RECEIVING, StudyState.SETTLING)
DRAWN_AT_ONCE = 24
"""So many studies get their pictures while they settle. Where more come at once, being complete
must not wait for pictures: a job of their own draws them."""
DRAWN_IN_A_TURN = 24


@dataclass
class _Facts:
    """What one series turned out to be; `images` are the UIDs of those with frames, in order."""

    series: int
    study: int
    instances: int = 0
    frames: int = 0
    images: list[str] = field(default_factory=list)
    thumbnail: bytes | None = None

    @property
    def middle(self) -> str:
        """The UID of the middle image, blank where there is none."""
        return self.images[len(self.images) // 2] if self.images else ""


def settle_study(*, study_id: int, at: datetime) -> bool:
    """Make the study complete, unless images came just now or come meanwhile.

    True when it is complete at the end. Safe to call twice, and after a crash between its steps:
    each delivery promises a call of its own.
    """
    return _settle([study_id], at) == 1


def settle_studies(*, study_ids: Sequence[int], at: datetime) -> int:
    """The same for many; returns how many are complete at the end.

    One that fails does not hold up the others: each is promised anew, alone.
    """
    try:
        return _settle(study_ids, at)
    except Exception:
        if len(study_ids) == 1:
            raise
        log.exception("studies could not settle together; each will alone")
    with transaction.atomic():
        for study_id in study_ids:
            promise("archive.settle_study", at=at, study_id=study_id)
    return 0


def _settle(study_ids: Sequence[int], at: datetime) -> int:
    changed = _begin(study_ids, at)
    if not changed:
        return 0
    facts = _facts_of(list(changed))
    if len(changed) <= DRAWN_AT_ONCE:
        for fact in facts:
            fact.thumbnail = _picture(fact.series, fact.middle)
    return _finish(changed, facts, at)


@transaction.atomic
def _begin(study_ids: Sequence[int], at: datetime) -> dict[int, datetime]:
    """Mark them as settling; without those that are complete, gone, or still receiving."""
    rows = Study.objects.select_for_update().filter(pk__in=study_ids, state__in=CHANGING)
    quiet = rows.filter(changed_at__lte=at - SETTLE_AFTER).order_by("study_uid")
    found = list(quiet.values_list("pk", "state", "changed_at"))
    steps = ((step(NEXT, StudyState(state), StudyEvent.SETTLE).value, pk) for pk, state, _ in found)
    update(Study, ("state",), steps)
    return {pk: changed for pk, _, changed in found}


def _facts_of(study_ids: Sequence[int]) -> list[_Facts]:
    """Counts and the images, by instance number."""
    series = Series.objects.filter(study_id__in=study_ids).order_by("pk")
    found = {pk: _Facts(pk, study) for pk, study in series.values_list("pk", "study_id")}
    rows = Instance.objects.filter(series__study_id__in=study_ids)
    columns = rows.order_by("series_id", "number", "pk").values_list(
        "series_id", "sop_uid", "frames"
    )
    for series_id, sop_uid, frames in columns.iterator(chunk_size=2000):
        fact = found.get(series_id)
        if fact is None:  # made since; its delivery promised a call of its own
            continue
        fact.instances += 1
        fact.frames += frames
        if frames:
            fact.images.append(sop_uid)
    return list(found.values())


def _picture(series_id: int, middle: str) -> bytes | None:
    """The middle image small, None where there is none or it can't be shown."""
    row = Instance.objects.filter(series_id=series_id, sop_uid=middle)
    columns = row.values_list(*Stored.COLUMNS).first() if middle else None
    if columns is None:
        return None
    try:
        return Stored("", *columns).thumbnail()
    except (NotRenderable, BlobUnavailable):
        return None


@transaction.atomic
def _finish(changed: Mapping[int, datetime], facts: Iterable[_Facts], at: datetime) -> int:
    """Write what was found, except where something arrived in the meantime."""
    locked = Study.objects.select_for_update().order_by("study_uid").filter(pk__in=list(changed))
    still = {
        pk
        for pk, state, when in locked.values_list("pk", "state", "changed_at")
        if changed[pk] == when and state == StudyState.SETTLING
    }
    groups: dict[int, list[_Facts]] = defaultdict(list)
    for fact in facts:
        if fact.study in still:
            groups[fact.study].append(fact)
    kept = [fact for group in groups.values() for fact in group]
    rows = ((f.instances, f.frames, f.middle, f.thumbnail, f.series) for f in kept)
    update(Series, ("instance_count", "frame_count", "middle", "thumbnail"), rows)
    done = step(NEXT, StudyState.SETTLING, StudyEvent.FINISH).value
    names = ("series_count", "instance_count", "state", "settled_at")
    update(
        Study,
        names,
        ((len(groups[pk]), sum(f.instances for f in groups[pk]), done, at, pk) for pk in still),
    )
    label_stored(sorted(still), None, at)
    promise_renditions(sorted(still), at=at)
    if still:
        promise("notify.tell_settled", at=at, study_ids=sorted(still))
    if len(changed) > DRAWN_AT_ONCE:
        undrawn = [fact.series for fact in kept if fact.images]
        promise("archive.draw_pictures", at=at, delay=DRAW_AFTER, series_ids=undrawn)
    return len(still)


def draw_pictures(*, series_ids: Sequence[int], at: datetime) -> int:
    """The pictures of series that settled without; returns how many were drawn.

    A few at a time: what is left is promised again, behind whatever came meanwhile.
    """
    some, rest = series_ids[:DRAWN_IN_A_TURN], series_ids[DRAWN_IN_A_TURN:]
    drawn = []
    rows = Series.objects.filter(pk__in=some, thumbnail=None).exclude(middle="")
    for series_id, middle in rows.values_list("pk", "middle"):
        picture = _picture(series_id, middle)
        if picture is not None:
            drawn.append((picture, middle, series_id))
    with transaction.atomic():
        for picture, middle, series_id in drawn:
            unchanged = Series.objects.filter(pk=series_id, middle=middle)
            unchanged.update(thumbnail=picture)
        if rest:
            promise("archive.draw_pictures", at=at, series_ids=rest)
    return len(drawn)
