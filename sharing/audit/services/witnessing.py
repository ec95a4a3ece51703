"""Heads and proofs for partners, who sign what they found to continue what they saw before."""

from datetime import datetime
from typing import Any

from sharing.audit.errors import WitnessInvalid
from sharing.audit.models import Checkpoint, Leaf, Node, Witness
from sharing.audit.proofs import consistency, split
from sharing.audit.rules import What, Who
from sharing.audit.verifier import WITNESS, Tree, node_hash, signed_by
from sharing.kernel.errors import Absent, BadValue

from .recording import record
from .sealing import KEPT_LEVELS, head_of

MOST = 100


def heads(*, after: int = 0) -> list[dict[str, Any]]:
    """Signed heads with their witnesses, oldest first, MOST at a time."""
    found = Checkpoint.objects.filter(number__gt=after).order_by("number")[:MOST]
    return [_told(row) for row in found]


def newest_head() -> dict[str, Any]:
    """The last signed head with its witnesses. Raises Absent before the first."""
    row = Checkpoint.objects.order_by("-number").first()
    if row is None:
        raise Absent()
    return _told(row)


def proof_between(*, first: int, second: int) -> list[str]:
    """Nodes (hex) that show the log of `second` events to begin with that of `first`.

    Both are sizes of heads (RFC 6962 2.1.2). Raises BadValue.
    """
    last = Checkpoint.objects.order_by("-number").first()
    if not 0 <= first <= second <= (last.size if last else 0):
        raise BadValue("The sizes are not those of two heads, the smaller first.")
    return [node.hex() for node in consistency(first, second, root_of)]


def root_of(start: int, end: int) -> bytes:
    """The root over places from `start` to before `end`: complete parts from what is kept."""
    size = end - start
    if size & (size - 1):
        half = start + split(size)
        return node_hash(root_of(start, half), root_of(half, end))
    level = (size.bit_length() - 1) // KEPT_LEVELS * KEPT_LEVELS
    tree = Tree()
    for part in _parts(level, start >> level, end >> level):
        tree.append(bytes(part))
    return tree.root()


def _parts(level: int, start: int, end: int) -> Any:
    if level == 0:
        leaves = Leaf.objects.filter(place__gte=start, place__lt=end).order_by("place")
        return leaves.values_list("leaf", flat=True)
    nodes = Node.objects.filter(level=level, index__gte=start, index__lt=end)
    return nodes.order_by("index").values_list("hash", flat=True)


def countersign(*, number: int, key: str, signature: str, by: Who, at: datetime) -> None:
    """Keep a partner's signature of a head. Raises Absent, or WitnessInvalid.

    An organization signs with one key, and each head once; the same signature again is no error.
    """
    row = Checkpoint.objects.filter(number=number).first()
    if row is None:
        raise Absent()
    known = Witness.objects.filter(organization=by.organization).order_by("pk").first()
    fits = signed_by(key, signature, WITNESS + head_of(row).head.body)
    if not fits or (known is not None and known.key != key):
        raise WitnessInvalid()
    _, is_new = Witness.objects.get_or_create(
        checkpoint=number,
        organization=by.organization,
        defaults={"key": key, "signature": signature, "at": at},
    )
    if is_new:
        record(who=by, action="audit.witness", at=at, what=What(detail={"head": number}))


def _told(row: Checkpoint) -> dict[str, Any]:
    seen = Witness.objects.filter(checkpoint=row.number).order_by("pk")
    witnesses = seen.values("organization", "key", "signature")
    return head_of(row).line | {"witnesses": list(witnesses)}
