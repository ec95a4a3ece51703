"""Reading what is stored, pack by pack, front to back, and comparing every hash.

What is not what was received is set apart: nobody is given it, the others of its pack are served.
"""

import errno
import hashlib
import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import groupby, islice
from typing import Any

from django.db import models, transaction
from django.db.models import F

from sharing.archive.models import Damage, Instance, Rendition, Series, Verified
from sharing.archive.rules import VERIFY_EVERY
from sharing.audit.rules import SYSTEM
from sharing.audit.services import record
from sharing.blobs import BlobMissing, new_key, store
from sharing.blobs.store import PIECE

from .leaving import owe_erasure
from .naming import hashed

log = logging.getLogger(__name__)


@dataclass
class Scrubbed:
    """What a scrub saw."""

    packs: int = 0
    objects: int = 0
    missing: list[str] = field(default_factory=list)  # packs that are not there at all
    damaged: list[str] = field(default_factory=list)  # pack, table and row of each wrong object
    healed: int = 0


def scrub(*, at: datetime, since: timedelta = VERIFY_EVERY, most: int | None = None) -> Scrubbed:
    """Verify every pack that was not read whole within `since`, the longest unread first.

    `most` bounds how many are read now.
    """
    done = Scrubbed(healed=heal(at=at))
    for pack in islice(_due(at - since), most):
        done.packs += 1
        scrub_pack(pack, at=at, done=done)
    log.info(
        "scrubbed: %d packs, %d objects, %d missing, %d damaged, %d healed",
        done.packs, done.objects, len(done.missing), len(done.damaged), done.healed,
    )  # fmt: skip
    return done


def share_of(*, at: datetime) -> int:
    """How many packs one of the hourly runs reads, so that all are read within VERIFY_EVERY."""
    runs = VERIFY_EVERY // timedelta(hours=1)
    return -(-sum(1 for _ in _due(at + timedelta(days=1))) // runs)


def _due(before: datetime) -> Iterator[str]:
    """Packs last read before that moment: those never read first, then the longest unread."""
    named: set[str] = set()
    for rows in hashed():
        named.update(rows.exclude(blob="").order_by().values_list("blob", flat=True).distinct())
    named -= set(_marks())
    read = dict(Verified.objects.values_list("pack", "at"))
    Verified.objects.filter(pack__in=sorted(set(read) - named)[:500]).delete()
    old = [pack for pack in named if pack not in read or read[pack] <= before]
    return iter(sorted(old, key=lambda pack: (pack in read, read.get(pack, before), pack)))


def _marks() -> Iterable[str]:
    return Damage.objects.filter(healed_at=None).values_list("marked", flat=True)


def scrub_pack(pack: str, *, at: datetime, done: Scrubbed | None = None) -> None:
    """Compare every object of one pack; what differs is set apart, or named."""
    done = done or Scrubbed()
    try:
        size = store().size(pack)
    except BlobMissing:
        done.missing.append(pack)
        log.error("alert: pack %s is missing", pack)
        return
    wanted = sorted(_wanted(pack, size), key=lambda row: row[:2])
    for place, rows in groupby(wanted, key=lambda row: row[:2]):
        held = _hash(pack, *place)
        for *_, sha256, row in rows:
            done.objects += 1
            if held != sha256:
                _set_apart(row, at)
                done.damaged.append(f"{pack} {row._meta.model_name} {row.pk}")
    Verified.objects.update_or_create(pack=pack, defaults={"at": at})


def _wanted(pack: str, size: int) -> Iterator[tuple[int, int, str, Any]]:
    """(offset, length, hash, row) of every object of the pack."""
    for rows in hashed():
        names = {column.name for column in rows.model._meta.concrete_fields}
        part = {"offset", "length"} <= names
        light = rows.filter(blob=pack).only("sha256", "blob", *(("offset", "length") * part))
        for row in light.iterator(chunk_size=1000):
            offset, length = (row.offset, row.length) if part else (0, size)  # type: ignore[attr-defined]
            yield offset, length, row.sha256, row  # type: ignore[attr-defined]


def _hash(pack: str, offset: int, length: int) -> str:
    """SHA-256 of a range in hex; empty when it can't be read whole."""
    digest, end = hashlib.sha256(), offset + length
    try:
        for start in range(offset, end, PIECE):
            wanted = min(PIECE, end - start)
            piece = store().read(pack, start, wanted)
            if len(piece) != wanted:
                return ""
            digest.update(piece)
    except BlobMissing:
        return ""
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        return ""
    return digest.hexdigest()


def _set_apart(row: models.Model, at: datetime) -> None:
    """An instance points at nothing from now on, so that its reader is told; what was made of one
    goes, for it can be made again; others are named."""
    log.error("alert: stored bytes of %s %s are damaged", row._meta.model_name, row.pk)
    if isinstance(row, Instance):
        _set_instance_apart(row.pk, row.blob, at)
    elif isinstance(row, Rendition):
        row.delete()


@transaction.atomic
def _set_instance_apart(instance_id: int, blob: str, at: datetime) -> None:
    rows = Instance.objects.select_for_update(of=("self",)).defer("metadata", "layout", "summary")
    found = rows.select_related("series__study__organization", "series__study__patient")
    row = found.filter(pk=instance_id, blob=blob).first()
    if row is None:  # deleted, mended or moved in the meantime
        return
    study = row.series.study
    marked = new_key(study.organization.code, "damaged", "none")
    damage = Damage.objects.create(
        organization_id=row.organization_id,
        sop_uid=row.sop_uid,
        blob=row.blob,
        offset=row.offset,
        length=row.length,
        marked=marked,
        found_at=at,
    )
    Instance.objects.filter(pk=row.pk).update(blob=marked)
    Series.objects.filter(pk=row.series_id).update(version=F("version") + 1)
    what = replace(study.subject.what, detail={"damage": damage.pk, "instances": 1})
    record(who=SYSTEM, action="study.damage", at=at, what=what)


def heal(*, at: datetime) -> int:
    """Close what was mended by a re-send, or reads well again; how many."""
    healed: dict[int, set[str]] = defaultdict(set)
    for damage in Damage.objects.filter(healed_at=None):
        if _is_healed(damage):
            healed[damage.organization_id].add(damage.blob)
            Damage.objects.filter(pk=damage.pk).update(healed_at=at, blob="")
    for organization_id, packs in healed.items():
        with transaction.atomic():
            owe_erasure(organization_id, packs, at)
    return sum(len(packs) for packs in healed.values())


@transaction.atomic
def _is_healed(damage: Damage) -> bool:
    rows = Instance.objects.select_for_update().filter(
        organization_id=damage.organization_id, sop_uid=damage.sop_uid
    )
    row = rows.values_list("pk", "blob", "sha256").first()
    if row is None or row[1] != damage.marked:
        return True
    if _hash(damage.blob, damage.offset, damage.length) != row[2]:
        return False
    Instance.objects.filter(pk=row[0]).update(blob=damage.blob, offset=damage.offset)
    return True
