"""When no more images come: a study's facts are counted again, its series get their pictures."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from sharing.archive.errors import BlobUnavailable, NotRenderable
from sharing.archive.models import Instance, Series, Study
from sharing.archive.rules import NEXT, SETTLE_AFTER, StudyEvent, StudyState
from sharing.kernel.lifecycle import step

from .retrieving import Stored

CHANGING = (StudyState.RECEIVING, StudyState.SETTLING)


@dataclass
class _Facts:
    """What one series turned out to be."""

    series: Series
    instances: int = 0
    frames: int = 0
    middle: Stored | None = None
    thumbnail: bytes | None = None


def settle_study(*, study_id: int, at: datetime) -> bool:
    """Make the study complete, unless images came just now or come meanwhile.

    True when it is complete at the end. Safe to call twice, and after a crash between its steps:
    each delivery promises a call of its own.
    """
    changed = _begin(study_id, at)
    if changed is None:
        return False
    facts = [_facts_of(series) for series in Series.objects.filter(study_id=study_id)]
    for fact in facts:
        fact.thumbnail = _picture(fact.middle)
    return _finish(study_id, changed, facts, at)


@transaction.atomic
def _begin(study_id: int, at: datetime) -> datetime | None:
    """Mark it as settling; None when it is complete, gone, or still receiving."""
    study = Study.objects.select_for_update().filter(pk=study_id).first()
    if study is None or study.state not in CHANGING or study.changed_at + SETTLE_AFTER > at:
        return None
    study.state = step(NEXT, StudyState(study.state), StudyEvent.SETTLE)
    study.save(update_fields=["state"])
    return study.changed_at


def _facts_of(series: Series) -> _Facts:
    """Counts and the middle image, by instance number."""
    found = _Facts(series)
    rows = Instance.objects.filter(series=series).order_by("number", "pk")
    images: list[str] = []
    for sop_uid, frames in rows.values_list("sop_uid", "frames").iterator(chunk_size=2000):
        found.instances += 1
        found.frames += frames
        if frames:
            images.append(sop_uid)
    if images:
        row = rows.filter(sop_uid=images[len(images) // 2]).values_list(*Stored.COLUMNS).get()
        found.middle = Stored("", *row)
    return found


def _picture(middle: Stored | None) -> bytes | None:
    """The middle image small, None where there is none or it can't be shown."""
    if middle is None:
        return None
    try:
        return middle.thumbnail()
    except (NotRenderable, BlobUnavailable):
        return None


@transaction.atomic
def _finish(study_id: int, changed: datetime, facts: Iterable[_Facts], at: datetime) -> bool:
    """Write what was found, unless something arrived in the meantime."""
    study = Study.objects.select_for_update().get(pk=study_id)
    if study.changed_at != changed or study.state != StudyState.SETTLING:
        return False
    kept = list(facts)
    for fact in kept:
        fact.series.instance_count = fact.instances
        fact.series.frame_count = fact.frames
        fact.series.middle = fact.middle.sop_uid if fact.middle else ""
        fact.series.thumbnail = fact.thumbnail
    Series.objects.bulk_update(
        [fact.series for fact in kept],
        ["instance_count", "frame_count", "middle", "thumbnail"],
        batch_size=100,
    )
    study.series_count = len(kept)
    study.instance_count = sum(fact.instances for fact in kept)
    study.state = step(NEXT, StudyState(study.state), StudyEvent.FINISH)
    study.settled_at = at
    study.save(update_fields=["series_count", "instance_count", "state", "settled_at"])
    return True
