"""HTJ2K made ahead: a study's images once more, for viewers that ask for it by name.

Nothing depends on them. A frame that has no rendition is encoded when it is asked for.
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from sharing.archive.errors import BlobUnavailable, StudyNotFound
from sharing.archive.frames import packed, ranges_of
from sharing.archive.models import Instance, Rendition, Study
from sharing.archive.packs import Pack
from sharing.archive.rules import MAX_FILE_BYTES, MAX_PACK_BYTES, StudyState
from sharing.archive.sql import chunks, rows
from sharing.blobs import BlobMissing, new_key, scratch, store
from sharing.dicom.decode import RLE, image_of
from sharing.dicom.errors import CannotRender
from sharing.dicom.layout import PixelLayout
from sharing.dicom.scan import EXPLICIT_BE, EXPLICIT_LE, IMPLICIT_LE
from sharing.dicom.transcode import (
    HTJ2K_RPCL,
    JPEG_2000_LOSSLESS,
    JPEG_LS_LOSSLESS,
    JPEG_SV1,
    can_become,
)
from sharing.outbox.services import promise

from .retrieving import Stored

log = logging.getLogger(__name__)
NATIVE = (EXPLICIT_LE, IMPLICIT_LE, EXPLICIT_BE)
SOURCES = (*NATIVE, RLE, JPEG_SV1, JPEG_2000_LOSSLESS, JPEG_LS_LOSSLESS)
LEAST_BYTES = 64 * 1024
"""Below this a frame is one packet or two in any syntax."""
PAYS_NATIVE, PAYS_COMPRESSED = 0.85, 1.25
"""The size of a rendition, to what is stored, up to which it is worth its place on the disk."""
QUIET = timedelta(minutes=10)
"""So long after a study settled: first its readers, then what may be of use to them."""


def promise_renditions(study_ids: Sequence[int], *, at: datetime) -> None:
    """Owe the renditions of those of these studies that have images worth it."""
    if not settings.HTJ2K_AHEAD:
        return
    for some in chunks(study_ids):
        worth = _worth(Instance.objects.filter(series__study_id__in=some))
        for study_id in worth.order_by().values_list("series__study_id", flat=True).distinct():
            promise("archive.make_renditions", at=at, delay=QUIET, study_id=study_id)


def _worth(instances: QuerySet[Instance]) -> QuerySet[Instance]:
    """Those that may be worth it and have none."""
    return instances.filter(
        frames__gt=0, length__gte=LEAST_BYTES, transfer_syntax__in=SOURCES, rendition=None
    )


def make_renditions(*, study_id: int, at: datetime) -> int:
    """Write one pack of renditions of a complete study, and promise the next where more are left.

    Returns how many instances have one now that had none. Safe to call twice.
    """
    study = Study.objects.select_related("organization").filter(pk=study_id).first()
    if study is None or study.state != StudyState.COMPLETE:
        return 0
    made: list[Rendition] = []
    key = new_key(study.organization.code, "renditions", "pack")
    with scratch() as handle, closing(Pack(handle)) as pack:
        more = False
        for pk, stored in _sources(study):
            if pack.size >= MAX_PACK_BYTES:
                more = True
                break
            found = _written(pack, stored)
            if found:
                made.append(Rendition(instance_id=pk, blob=key, made_at=at, **found))
        if not made:
            return 0
        pack.keep(key)
    return _keep(study_id, made, at, more=more)


def _sources(study: Study) -> Iterator[tuple[int, Stored]]:
    worth = _worth(Instance.objects.filter(series__study=study))
    for pk in list(worth.order_by("pk").values_list("pk", flat=True)):
        row = Instance.objects.filter(pk=pk).values_list(*Stored.COLUMNS).first()
        if row is not None:
            yield pk, Stored(study.public_id, *row)


def _written(pack: Pack, stored: Stored) -> dict[str, object] | None:
    """The columns of a rendition appended to the pack; None where it can't be or doesn't pay."""
    start = pack.size
    places: list[tuple[tuple[int, int], ...]] = []

    def streams() -> Iterator[bytes]:
        at = 0
        for stream in _encoded(stored):
            places.append(((at, len(stream)),))
            at += len(stream)
            yield stream

    try:
        written = pack.append(streams(), most=MAX_FILE_BYTES)
    except (CannotRender, BlobUnavailable, StudyNotFound, _DoesNotPay):
        pack.take_back(start)
        return None
    pack.wait()
    layout = PixelLayout(0, written.length, encapsulated=True, frames=tuple(places))
    return {
        "offset": written.offset,
        "length": written.length,
        "sha256": written.sha256,
        "layout": packed(layout),
    }


class _DoesNotPay(Exception):
    """The first frame as HTJ2K is no smaller, or the object can't be written so."""


def _encoded(stored: Stored) -> Iterator[bytes]:
    image = image_of(stored.scanned)
    if not can_become(image, HTJ2K_RPCL) or image.decoded_bytes < LEAST_BYTES:
        raise _DoesNotPay
    most = PAYS_NATIVE if stored.transfer_syntax in NATIVE else PAYS_COMPRESSED
    for index in range(stored.frames):
        stream = stored.encoded_frame(index, HTJ2K_RPCL)
        if index == 0 and len(stream) > most * stored.frame_length(0):
            raise _DoesNotPay
        yield stream


@transaction.atomic
def _keep(study_id: int, made: Sequence[Rendition], at: datetime, *, more: bool) -> int:
    """Name what was written, but for what left meanwhile: then the pack is not kept at all."""
    locked = Study.objects.select_for_update().filter(pk=study_id, state=StudyState.COMPLETE)
    if not locked.exists():
        return 0
    wanted = {rendition.instance_id for rendition in made}
    free = _worth(Instance.objects.filter(pk__in=wanted, series__study_id=study_id))
    if free.count() != len(wanted):
        log.info("renditions of a study that changed meanwhile are thrown away")
        return 0
    Rendition.objects.bulk_create(made, batch_size=200)
    if more:
        promise("archive.make_renditions", at=at, delay=QUIET, study_id=study_id)
    return len(made)


def drop_renditions(instances: QuerySet[Instance]) -> set[str]:
    """Forget the renditions of what leaves, and all that share their packs; returns the packs."""
    named = Rendition.objects.filter(instance__in=instances)
    packs = set(named.order_by().values_list("blob", flat=True).distinct())
    Rendition.objects.filter(blob__in=packs).delete()
    return packs


_FIND = """SELECT r.blob, r."offset", r.layout FROM archive_study
JOIN archive_instance i ON i.organization_id = archive_study.organization_id AND i.sop_uid = %s
JOIN archive_rendition r ON r.instance_id = i.id WHERE archive_study.public_id = %s"""


def ready_frame(stored: Stored, index: int) -> bytes | None:
    """Frame `index` (from 0) as HTJ2K, where it was made ahead and can be read."""
    for blob, offset, layout in rows(_FIND, (stored.sop_uid, stored.study)):
        places: Iterable[tuple[int, int]] = ranges_of(layout, index) or ()
        for place, length in places:
            try:
                found = store().read(blob, offset + place, length)
            except (BlobMissing, OSError):
                log.exception("a rendition can't be read; it is made anew")
                return None
            return found if len(found) == length else None
    return None
