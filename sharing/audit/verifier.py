"""Does this access log still say what it said when it was sealed? One file, no Django.

    python3 verifier.py LOG.ndjson --anchors HEADS.ndjson --key HEX

LOG is what `manage.py audit export` wrote; HEADS are signed heads kept outside of the portal (its
anchor file, objects of a locked bucket, what a partner kept as witness); HEX is the public key
(`manage.py audit key`). Needs Python 3.11 and `cryptography`. The portal's own `manage.py audit
verify` and its sequencer use these same functions.

A leaf is SHA-256 over 0x00 and the canonical bytes of an event, a node SHA-256 over 0x01 and its
two children (RFC 6962 2.1); a link of the chain is SHA-256 over 0x02, the link before and the leaf.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

START = bytes(32)
"""The link before the first event."""
HEAD, WITNESS = b"access log head\n", b"access log witness\n"
"""What is signed begins with one of these, so that no signature serves as another."""
SHOWN = 20
Node = tuple[int, int, bytes]
"""Level above the leaves, index at that level, hash."""


def canonical(value: Mapping[str, Any]) -> bytes:
    """The one spelling of a JSON object: sorted keys, no spaces, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode("ascii")


def leaf_hash(event: Mapping[str, Any]) -> bytes:
    """An event's leaf (RFC 6962 2.1)."""
    return hashlib.sha256(b"\0" + canonical(event)).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """A node's hash (RFC 6962 2.1)."""
    return hashlib.sha256(b"\1" + left + right).digest()


def link(before: bytes, leaf: bytes) -> bytes:
    """The next link of the chain."""
    return hashlib.sha256(b"\2" + before + leaf).digest()


class Tree:
    """A Merkle tree that grows at its end: it keeps one hash for each complete part."""

    def __init__(self, size: int = 0, peaks: Iterable[bytes] = ()) -> None:
        self.size, self.peaks = size, list(peaks)

    def append(self, leaf: bytes) -> list[Node]:
        """One more leaf; the nodes that are complete with it, lowest first."""
        level, index, node, made = 0, self.size, leaf, []
        while index & 1:
            node = node_hash(self.peaks.pop(), node)
            level, index = level + 1, index >> 1
            made.append((level, index, node))
        self.peaks.append(node)
        self.size += 1
        return made

    def root(self) -> bytes:
        """The head of all leaves so far (RFC 6962 2.1)."""
        if not self.peaks:
            return hashlib.sha256(b"").digest()
        *others, root = self.peaks
        for peak in reversed(others):
            root = node_hash(peak, root)
        return root


def consistent(
    first: int, second: int, first_root: bytes, second_root: bytes, proof: Sequence[bytes]
) -> bool:
    """Whether the log of `second` leaves begins with that of `first` (RFC 9162 2.1.4.2)."""
    if first == second or first == 0:
        return not proof and (first == 0 or first_root == second_root)
    path = [first_root, *proof] if first & (first - 1) == 0 else list(proof)
    if first > second or not path:
        return False
    one, two = first - 1, second - 1
    while one & 1:
        one, two = one >> 1, two >> 1
    old = new = path[0]
    for node in path[1:]:
        if two == 0:
            return False
        if one & 1 or one == two:
            old, new = node_hash(node, old), node_hash(node, new)
            while one and not one & 1:
                one, two = one >> 1, two >> 1
        else:
            new = node_hash(new, node)
        one, two = one >> 1, two >> 1
    return old == first_root and new == second_root and two == 0


@dataclass(frozen=True)
class Head:
    """What the log was at a moment. `settled`: no event up to this id can come later."""

    origin: str
    number: int
    size: int
    root: str
    chain: str
    settled: int
    previous: str
    at: str

    @property
    def body(self) -> bytes:
        """What is signed, without the words before it."""
        return canonical(self.__dict__)

    @property
    def digest(self) -> str:
        """By which the next head names this one; hex."""
        return hashlib.sha256(self.body).hexdigest()


@dataclass(frozen=True)
class Signed:
    """A head with the portal's signature."""

    head: Head
    key: str
    signature: str

    def sound(self, keys: Sequence[str]) -> bool:
        """Whether one of these public keys (hex) signed it."""
        return self.key in keys and signed_by(self.key, self.signature, HEAD + self.head.body)

    @property
    def line(self) -> dict[str, Any]:
        """As it is written to files and answered by the API."""
        return {"head": self.head.__dict__, "key": self.key, "signature": self.signature}

    @classmethod
    def of(cls, line: Mapping[str, Any]) -> "Signed":
        """Read back from `line`. Raises KeyError or TypeError where it is none."""
        return cls(Head(**line["head"]), str(line["key"]), str(line["signature"]))


def signed_by(key: str, signature: str, message: bytes) -> bool:
    """Whether the Ed25519 key (hex, 32 bytes) made the signature (hex, 64 bytes)."""
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(
            bytes.fromhex(signature), message
        )
    except (InvalidSignature, ValueError):
        return False
    return True


@dataclass(frozen=True)
class Row:
    """A line of the log: its event, and its place once it is sealed. `event` None: expired."""

    event: Mapping[str, Any] | None
    place: int | None = None
    leaf: str = ""
    chain: str = ""

    @property
    def line(self) -> dict[str, Any]:
        """As it is exported."""
        return dict(self.__dict__)


@dataclass
class Report:
    """What was looked at, and what is wrong with it; `findings` are empty in an untouched log."""

    findings: list[str] = field(default_factory=list)
    size: int = 0
    waiting: int = 0
    expired: int = 0
    heads: int = 0
    anchors: int = 0
    anchored: int = 0

    @property
    def words(self) -> list[str]:
        """For people."""
        told = [
            f"{self.size} events sealed by {self.heads} heads, {self.waiting} not sealed yet",
            f"{self.expired} events expired",
            f"{self.anchors} heads from outside, the last of {self.anchored} events",
        ]
        if not self.anchors:
            told.append("Without a head from outside, a log that was sealed anew looks untouched.")
        more = len(self.findings) - SHOWN
        return [*told, *self.findings[:SHOWN], *([f"... and {more} more."] if more > 0 else [])]


def verify(
    rows: Iterable[Row], heads: Sequence[Signed], anchors: Sequence[Signed], keys: Sequence[str]
) -> Report:
    """Every edit, deletion, insertion, swap, truncation and rewrite of what the anchors cover.

    `rows` in the order of their places, those without one last.
    """
    report = Report(heads=len(heads), anchors=len(anchors))
    states = _walk(rows, {each.head.size for each in (*heads, *anchors)}, report, heads)
    _check_heads(heads, states, keys, report)
    report.anchored = max((each.head.size for each in anchors), default=0)
    for anchor in anchors:
        head = anchor.head
        if not anchor.sound(keys):
            report.findings.append(f"Anchor {head.number}: not signed by the log's key.")
        elif head.size > report.size:
            report.findings.append(f"Cut short: anchor {head.number} had {head.size} events.")
        elif (head.root, head.chain) != states.get(head.size):
            report.findings.append(
                f"Rewritten: the first {head.size} events are not those of anchor {head.number}."
            )
    return report


States = Mapping[int, tuple[str, str]]
"""Root and chain (hex) at the sizes that were asked for."""


def _walk(
    rows: Iterable[Row], sizes: set[int], report: Report, heads: Sequence[Signed]
) -> dict[int, tuple[str, str]]:
    tree, chain = Tree(), START
    states = {0: (tree.root().hex(), chain.hex())}
    settled = heads[-1].head.settled if heads else 0
    expired = _Expired()
    for row in rows:
        if row.place is None:
            report.waiting += 1
            if row.event is None or int(row.event["id"]) <= settled:
                report.findings.append("Inserted: an event older than the last head has no place.")
            continue
        leaf = _leaf(row, tree.size, report)
        chain = link(chain, leaf)
        if row.chain != chain.hex():
            report.findings.append(f"Place {tree.size}: the chain does not hold here.")
        expired.see(row)
        tree.append(leaf)
        if tree.size in sizes:
            states[tree.size] = (tree.root().hex(), chain.hex())
    report.size, report.expired = tree.size, expired.count
    report.findings += expired.unsaid()
    return states


def _leaf(row: Row, place: int, report: Report) -> bytes:
    """The leaf of what stands there now; of an event that is gone, what is left of it."""
    if row.place != place:
        report.findings.append(f"Place {place}: missing, or twice.")
    kept = bytes.fromhex(row.leaf)
    if row.event is None:
        return kept
    leaf = leaf_hash(row.event)
    if leaf != kept:
        report.findings.append(f"Place {place}: the event was changed.")
    return leaf


class _Expired:
    """Events that are gone must be the oldest, and a later event must say so."""

    def __init__(self) -> None:
        self.count, self._last, self._said = 0, -1, 0

    def see(self, row: Row) -> None:
        if row.event is None:
            self.count, self._last = self.count + 1, int(row.place or 0)
        elif row.event["action"] == "audit.expire":
            self._said = max(self._said, int(row.event["detail"]["size"]))

    def unsaid(self) -> list[str]:
        if self._last < self._said and self.count in (0, self._last + 1):
            return []
        return ["Deleted: events are gone that the log does not say have expired."]


def _check_heads(
    heads: Sequence[Signed], states: States, keys: Sequence[str], report: Report
) -> None:
    previous = ""
    for number, each in enumerate(heads, start=1):
        head = each.head
        if head.number != number or head.previous != previous:
            report.findings.append(f"Head {head.number}: does not follow the one before it.")
        if not each.sound(keys):
            report.findings.append(f"Head {head.number}: not signed by the log's key.")
        if states.get(head.size) != (head.root, head.chain):
            report.findings.append(
                f"Head {head.number}: the first {head.size} events are not those it sealed."
            )
        previous = head.digest
    sealed = heads[-1].head.size if heads else 0
    if report.size != sealed:
        report.findings.append(f"{report.size} events have a place, the last head has {sealed}.")


def signed_heads(lines: Iterable[str]) -> list[Signed]:
    """The heads of an anchor file. Raises ValueError, KeyError or TypeError where it is none."""
    return [Signed.of(json.loads(line)) for line in lines if line.strip()]


def read_export(file: TextIO) -> tuple[list[Signed], Iterable[Row]]:
    """The heads and the rows of an export: a first line with their number, heads, then rows."""
    count = int(json.loads(file.readline())["heads"])
    heads = signed_heads(file.readline() for _ in range(count))
    return heads, (Row(**json.loads(line)) for line in file if line.strip())


def main() -> int:
    """0: untouched; 1: something is wrong; 2: the files can't be read."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("log", type=Path)
    parser.add_argument("--anchors", type=Path, action="append", default=[])
    parser.add_argument("--key", action="append", required=True, help="public key, hex")
    asked = parser.parse_args()
    try:
        anchors = [
            head for path in asked.anchors for head in signed_heads(path.open(encoding="ascii"))
        ]
        with asked.log.open(encoding="ascii") as file:
            heads, rows = read_export(file)
            report = verify(rows, heads, anchors, asked.key)
    except (OSError, ValueError, KeyError, TypeError) as error:
        sys.stderr.write(f"Unreadable: {type(error).__name__}\n")
        return 2
    sys.stdout.write("\n".join(report.words) + "\n")
    return 1 if report.findings else 0


if __name__ == "__main__":
    sys.exit(main())
