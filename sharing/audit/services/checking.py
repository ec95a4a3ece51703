"""The log with its places and heads, to be written out and to be checked."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import TextIO

from django.conf import settings
from django.db.models import Exists, Max, OuterRef

from sharing.audit import keys
from sharing.audit.models import Checkpoint, Event, Leaf
from sharing.audit.verifier import Report, Row, Signed, signed_heads, verify

from .sealing import FIELDS, by_value, head_of

AT_ONCE = 500


def check(anchors: Sequence[Signed], older_keys: Sequence[str] = ()) -> Report:
    """Compare the whole log with its heads and with those kept outside.

    `older_keys`: public keys (hex) that signed heads before the present one.
    """
    heads, rows = _log()
    return verify(rows, heads, anchors, [keys.public_key(), *older_keys])


def file_anchors() -> list[Signed]:
    """The heads in the anchor file; none where it is not there. Raises ValueError, KeyError."""
    if not settings.AUDIT_ANCHOR_FILE.exists():
        return []
    with settings.AUDIT_ANCHOR_FILE.open(encoding="ascii") as file:
        return signed_heads(file)


def export(out: TextIO) -> int:
    """Write what the stand-alone verifier reads; how many lines of the log."""
    heads, rows = _log()
    _write(out, [{"heads": len(heads)}, *(head.line for head in heads)])
    count = 0
    for row in rows:
        _write(out, [row.line])
        count += 1
    return count


def _write(out: TextIO, lines: Iterable[object]) -> None:
    for line in lines:
        out.write(json.dumps(line, sort_keys=True) + "\n")


def _log() -> tuple[list[Signed], Iterator[Row]]:
    """Heads and rows of one moment, although events go on to be sealed meanwhile.

    Leaves and their head come in one transaction: all leaves seen first have their heads.
    """
    places = Leaf.objects.aggregate(last=Max("place"))["last"]
    heads = [head_of(row) for row in Checkpoint.objects.order_by("number")]
    end = max(heads[-1].head.size if heads else 0, 0 if places is None else places + 1)
    return heads, _rows(end)


def _rows(end: int) -> Iterator[Row]:
    last = -1
    while leaves := list(
        Leaf.objects.filter(place__gt=last, place__lt=end).order_by("place")[:AT_ONCE]
    ):
        last = leaves[-1].place
        wanted = Event.objects.filter(pk__in=[each.event for each in leaves]).values(*FIELDS)
        events = {event["id"]: by_value(event) for event in wanted}
        for each in leaves:
            yield Row(
                events.get(each.event), each.place, bytes(each.leaf).hex(), bytes(each.chain).hex()
            )
    sealed = Leaf.objects.filter(event=OuterRef("pk"), place__lt=end)
    for event in Event.objects.filter(~Exists(sealed)).order_by("pk").values(*FIELDS).iterator():
        yield Row(by_value(event))
