"""Erasing: a pack is written again without what left, its rows follow, the old one is collected.

Nothing is changed in place. Before the one transaction the old pack is the truth, after it the new
one; a crash leaves the old world or the new one, and at most a pack that no row names (ADR-004).
"""

from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import F

from sharing.archive.errors import BlobUnavailable
from sharing.archive.models import Conflict, Erasure, Hold, Instance, Series, Study, Withheld
from sharing.archive.packs import Pack
from sharing.archive.rules import MAX_FILE_BYTES
from sharing.archive.sql import chunks
from sharing.blobs import BlobMissing, new_key, scratch, store
from sharing.tenants.models import Organization

from .naming import places, ranged, whole
from .rejecting import stored_pieces
from .scrubbing import scrub_pack

Place = tuple[int, int]  # offset and length in the old pack


@dataclass(frozen=True)
class Copy:
    """A new pack and where each kept range of the old one stands in it."""

    key: str
    places: Mapping[Place, int]
    size: int


class Waits(Exception):
    """Why an erasure waits, in one word."""


def erase(*, erasure_id: int, at: datetime) -> bool:
    """Make what left go from one pack. True when no needed byte shares a blob with it any more.

    Safe to call twice. Raises BlobUnavailable when the pack can't be read: then nothing moves.
    """
    erasure = Erasure.objects.filter(pk=erasure_id, done_at=None).first()
    if erasure is None:
        return True
    try:
        freed = _rewrite(erasure, at)
    except Waits as why:
        Erasure.objects.filter(pk=erasure.pk).update(waits=str(why))
        return False
    Erasure.objects.filter(pk=erasure.pk).update(waits="", moved_at=at, done_at=at, freed=freed)
    return True


def _rewrite(erasure: Erasure, at: datetime) -> int:
    """Bytes that go with the old pack."""
    pack = erasure.pack
    try:
        size = store().size(pack)
    except BlobMissing:
        return 0  # a pack that was lost, or collected by now
    needed = _needed(pack)
    if not needed:
        return size  # the collector takes all of it
    if any(rows.filter(blob=pack).exists() for rows in whole()):
        return 0  # named as a whole: nothing of it left
    if _covers(needed, size):
        return 0
    _check_holds(pack)
    copy = _copy(pack, needed, erasure.organization.code, at)
    _move(pack, copy)
    return size - copy.size


def _needed(pack: str) -> dict[Place, str]:
    """The ranges that any row names, each with the hash of its bytes."""
    found: dict[Place, str] = {}
    for rows in ranged():
        found |= {(offset, length): sha256 for offset, length, sha256 in places(rows, pack)}
    return dict(sorted(found.items()))


def _covers(needed: Iterable[Place], size: int) -> bool:
    """Whether the ranges leave no byte of the pack to go."""
    end = 0
    for offset, length in sorted(needed):
        if offset > end:
            return False
        end = max(end, offset + length)
    return end >= size


def _copy(pack: str, needed: Mapping[Place, str], organization: str, at: datetime) -> Copy:
    """A durable new pack of what is needed. Raises BlobUnavailable, Waits for damaged bytes."""
    key = new_key(organization, "studies", "pack")
    with scratch() as handle, closing(Pack(handle)) as new:
        places = {}
        for (offset, length), sha256 in needed.items():
            written = new.append(stored_pieces(pack, offset, length), most=MAX_FILE_BYTES)
            new.wait()
            if sha256 and written.sha256 != sha256:
                scrub_pack(pack, at=at)  # sets it apart, and then it is carried along as it is
                raise Waits("damage")
            places[offset, length] = written.offset
        new.keep(key)
        size = new.size
    return Copy(key, places, size)


@transaction.atomic
def _move(pack: str, copy: Copy) -> None:
    """Every row from the old pack to the new one, at once. Raises Waits, BlobUnavailable."""
    _lock(pack)
    _check_holds(pack)
    if not set(_needed(pack)) <= set(copy.places):
        raise BlobUnavailable()  # never seen: a range gets a name only in its own delivery
    Series.objects.filter(instances__blob=pack).update(version=F("version") + 1)
    for rows in ranged():
        moved = list(rows.filter(blob=pack).only("blob", "offset", "length"))
        for row in moved:
            row.blob, row.offset = copy.key, copy.places[row.offset, row.length]  # type: ignore[attr-defined]
        rows.model._default_manager.bulk_update(moved, ["blob", "offset"], batch_size=200)


def _studies(pack: str) -> set[tuple[int, str]]:
    """(organization, Study Instance UID) of everything that the pack is needed for."""
    found = set(
        Instance.objects.filter(blob=pack)
        .order_by()
        .values_list("organization_id", "series__study__study_uid")
        .distinct()
    )
    for table in (Withheld, Conflict):
        rows = table._default_manager.filter(blob=pack)
        found |= set(rows.values_list("organization_id", "study_uid"))
    return found


def _lock(pack: str) -> None:
    """The studies of the pack, in the order in which deliveries lock theirs."""
    uids = sorted(uid for _, uid in _studies(pack))
    for some in chunks(uids):
        rows = Study.objects.filter(study_uid__in=some)
        list(rows.order_by("study_uid", "pk").select_for_update().values_list("pk", flat=True))


def _check_holds(pack: str) -> None:
    """A held study's bytes stay where they are, and what shares the pack with them waits.

    Raises Waits.
    """
    held = Hold.objects.filter(lifted_at=None).values_list("organization_id", "study_uid")
    studies = _studies(pack)
    keeps_all = Organization.objects.filter(pk__in={pk for pk, _ in studies}).exclude(legal_hold="")
    if not studies.isdisjoint(held) or keeps_all.exists():
        raise Waits("hold")
