"""Give committed events their place in the chain, and sign the head of the log (ADR-007).

Whoever writes an event knows nothing of this: places are given afterwards, by one process at a
time. An event whose transaction took long commits after others with higher ids; it gets a later
place, and none is passed over.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from sharing.audit import keys
from sharing.audit.models import Checkpoint, Event, Leaf, Node
from sharing.audit.verifier import HEAD, START, Head, Signed, Tree, leaf_hash, link
from sharing.kernel.bulk import insert

MOST = 2_000
"""Events to a checkpoint, so that SQLite's other writers wait for few rows."""
KEPT_LEVELS = 8
"""Every eighth level of the tree is kept: proofs read 256 rows at a time, not the whole log."""
LOCK = 0x6C6F67
LATER = {"client"}
FIELDS = tuple(field.attname for field in Event._meta.concrete_fields)


def seal(*, at: datetime) -> int:
    """Seal all that is committed and has no place yet; how many events. None is sealed twice.

    Another process that seals at the same time leaves the work to this one, or this one to it.
    """
    total = 0
    while True:
        draft = _draft(at)
        if draft is None or not _keep(draft):
            return total
        total += len(draft.leaves)
        if len(draft.leaves) < MOST:
            return total


def by_value(event: Mapping[str, Any]) -> dict[str, Any]:
    """The event as its leaf says it: all columns, moments in UTC to the microsecond.

    A column that came later stands there only where it says something, so that older leaves hold.
    """
    return {name: _plain(event[name]) for name in FIELDS if event[name] or name not in LATER}


def moment(at: datetime) -> str:
    """`2026-11-24T09:00:00.000000Z`."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _plain(value: Any) -> Any:
    return moment(value) if isinstance(value, datetime) else value


def head_of(row: Checkpoint) -> Signed:
    """The signed head that a row keeps."""
    head = Head(
        origin=row.origin,
        number=row.number,
        size=row.size,
        root=row.root,
        chain=row.chain,
        settled=row.settled,
        previous=row.previous,
        at=moment(row.at),
    )
    return Signed(head, row.key, row.signature)


@dataclass(frozen=True)
class _Draft:
    """What is to be written, made without a lock."""

    after: Checkpoint | None
    leaves: list[tuple[int, int, bytes, bytes]]
    nodes: list[tuple[int, int, bytes]]
    checkpoint: Checkpoint


def _draft(at: datetime) -> _Draft | None:
    last = Checkpoint.objects.order_by("-number").first()
    running = _running()  # before the look: who ended by now is seen by it
    events = list(_without_place(last.settled if last else 0))
    if not events:
        return None
    settled = _settled(last, running)
    if len(events) == MOST:  # there may be more below the mark
        settled = min(settled, events[-1]["id"])
    tree = Tree(last.size, map(bytes.fromhex, last.peaks)) if last else Tree()
    chain = bytes.fromhex(last.chain) if last else START
    leaves, nodes = [], []
    for event in events:
        leaf = leaf_hash(by_value(event))
        chain = link(chain, leaf)
        leaves.append((tree.size, event["id"], leaf, chain))
        nodes += [node for node in tree.append(leaf) if node[0] % KEPT_LEVELS == 0]
    mark = max(events[-1]["id"], last.mark if last else 0)
    checkpoint = _signed(last, tree, chain, settled, at)
    checkpoint.mark, checkpoint.running = mark, _running()  # after the look
    return _Draft(last, leaves, nodes, checkpoint)


def _signed(
    last: Checkpoint | None, tree: Tree, chain: bytes, settled: int, at: datetime
) -> Checkpoint:
    made = Checkpoint(
        number=last.number + 1 if last else 1,
        origin=settings.PUBLIC_URL[:200],
        size=tree.size,
        root=tree.root().hex(),
        chain=chain.hex(),
        settled=settled,
        previous=head_of(last).head.digest if last else "",
        at=at,
        peaks=[peak.hex() for peak in tree.peaks],
    )
    made.key, made.signature = keys.sign(HEAD + head_of(made).head.body)
    return made


def _settled(last: Checkpoint | None, running: Iterable[str]) -> int:
    """Up to which id no event can come any more.

    An event with an id below the last head's mark was begun before that head looked. When none of
    the transactions that ran then runs now, all of them are in sight or were rolled back.
    """
    if last is None:
        return 0
    return last.settled if set(last.running) & set(running) else last.mark


def _running() -> list[str]:
    """The transactions of others that run now. SQLite has none: who writes there, writes alone."""
    if connection.vendor != "postgresql":
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT virtualtransaction FROM pg_locks "
            "WHERE locktype = 'virtualxid' AND pid <> pg_backend_pid() AND granted"
        )
        return sorted(row[0] for row in cursor.fetchall())


def _without_place(settled: int) -> Iterator[dict[str, Any]]:
    known = Leaf.objects.filter(event__gt=settled).values("event")
    waiting = Event.objects.filter(pk__gt=settled).exclude(pk__in=known).order_by("pk")
    yield from waiting.values(*FIELDS)[:MOST]


@transaction.atomic
def _keep(draft: _Draft) -> bool:
    """Write the draft, unless another process seals now or did so since."""
    if not _alone():
        return False
    last = Checkpoint.objects.order_by("-number").values_list("number", flat=True).first()
    if last != (draft.after.number if draft.after else None):
        return False
    insert(Leaf, ("place", "event", "leaf", "chain"), draft.leaves)
    insert(Node, ("level", "index", "hash"), draft.nodes)
    draft.checkpoint.save(force_insert=True)
    return True


def _alone() -> bool:
    """Until this transaction ends. On SQLite it holds the only lock there is."""
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        return bool(cursor.fetchone()[0])
