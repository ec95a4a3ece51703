"""Keep signed heads where whoever holds the database can't rewrite them."""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings

from sharing.audit.models import Anchored, Checkpoint
from sharing.audit.verifier import Signed
from sharing.blobs import BlobMissing, S3Store, StoreAway, StoreBroken, sync, sync_folder

from .sealing import head_of

log = logging.getLogger(__name__)
Keep = Callable[[Sequence[Signed], datetime], None]
FILE, BUCKET = "file", "s3"


def anchor(*, at: datetime) -> int:
    """Keep the heads that each place has not got yet; how many places took some.

    A place that is away is asked again with the next head; its line in the log begins with `alert`.
    """
    return sum(_kept(where, keep, at) for where, keep in _places().items())


def _places() -> Mapping[str, Keep]:
    places: dict[str, Keep] = {FILE: _append}
    if settings.AUDIT_ANCHOR_S3:
        places[BUCKET] = _lock_newest
    return places


def _kept(where: str, keep: Keep, at: datetime) -> bool:
    known = Anchored.objects.filter(where=where).order_by("-checkpoint")
    after = known.values_list("checkpoint", flat=True).first() or 0
    heads = [head_of(row) for row in Checkpoint.objects.filter(pk__gt=after).order_by("pk")]
    if not heads:
        return False
    try:
        keep(heads, at)
    except (OSError, StoreAway, StoreBroken, BlobMissing):  # the bucket may be missing too
        log.exception("alert: the head of the access log could not be kept outside (%s)", where)
        return False
    row = Anchored(checkpoint=heads[-1].head.number, where=where, at=at)
    Anchored.objects.bulk_create([row], ignore_conflicts=True)
    return True


def _append(heads: Sequence[Signed], at: datetime) -> None:
    """Every head, one line each, on the disk when this returns. Raises OSError, StoreBroken."""
    path: Path = settings.AUDIT_ANCHOR_FILE
    is_new = not path.exists()
    text = "".join(json.dumps(each.line, sort_keys=True) + "\n" for each in heads)
    with path.open("ab") as file:
        file.write(text.encode("ascii"))
        sync(file)
    if is_new:
        sync_folder(path.parent)


def _lock_newest(heads: Sequence[Signed], at: datetime) -> None:
    """The last one covers all before it. Raises StoreAway."""
    newest = heads[-1]
    body = json.dumps(newest.line, sort_keys=True).encode("ascii") + b"\n"
    until = at + timedelta(days=366 * settings.AUDIT_KEEP_YEARS)
    store = S3Store.from_url(settings.AUDIT_ANCHOR_S3)
    store.put_locked(f"access-log/{newest.head.number:012}.json", body, until)
