"""A sealed log in memory, and seven ways to tamper with it. No database."""

import json
import random
from collections.abc import Callable
from dataclasses import replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sharing.audit.verifier import HEAD, START, Head, Row, Signed, Tree, leaf_hash, link

EVENTS, EACH = 40, 8
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw().hex()
Log = tuple[list[Row], list[Signed]]


def event(number: int, words: str = "") -> dict[str, object]:
    """One of many."""
    return {
        "id": number,
        "at": f"2026-11-24T09:00:{number:02}.000000Z",
        "actor_name": f"Ben {number}",
        "action": "study.images",
        "permitted": number % 5 > 0,
        "reason": words,
        "study_uid": f"2.25.{number}",
        "detail": {"instances": number},
    }


def sealed(events: list[dict[str, object]], each: int = EACH, waiting: int = 3) -> Log:
    """What the portal makes of events: places, links, and a signed head for `each` of them."""
    tree, chain, rows, heads = Tree(), START, [], []
    for one in events[: len(events) - waiting]:
        leaf = leaf_hash(one)
        chain = link(chain, leaf)
        rows.append(Row(one, tree.size, leaf.hex(), chain.hex()))
        tree.append(leaf)
        if tree.size % each == 0 or tree.size == len(events) - waiting:
            previous = heads[-1].head.digest if heads else ""
            settled = int(events[tree.size - each - 1]["id"]) if heads else 0
            head = Head(
                "portal", len(heads) + 1, tree.size, tree.root().hex(), chain.hex(), settled,
                previous, f"2026-11-24T10:{len(heads):02}:00.000000Z",
            )  # fmt: skip
            heads.append(Signed(head, PUBLIC, KEY.sign(HEAD + head.body).hex()))
    return rows + [Row(one) for one in events[len(events) - waiting :]], heads


def _place(dice: random.Random, log: Log) -> int:
    return dice.randrange(log[1][-1].head.size)


def _changed(dice: random.Random, one: Row) -> Row:
    """One field of the event, a little."""
    assert one.event is not None
    changed = json.loads(json.dumps(one.event))
    name = dice.choice(sorted(changed))
    value = changed[name]
    changed[name] = (
        (not value)
        if isinstance(value, bool)
        else value + dice.choice((-1, 1))
        if isinstance(value, int)
        else {**value, "instances": -1}
        if isinstance(value, dict)
        else value + dice.choice(" x0")
    )
    return replace(one, event=changed, leaf=dice.choice((one.leaf, leaf_hash(changed).hex())))


def edited(dice: random.Random, log: Log) -> Log:
    """A field of an event says something else."""
    rows, heads = log
    place = _place(dice, log)
    return [*rows[:place], _changed(dice, rows[place]), *rows[place + 1 :]], heads


def deleted(dice: random.Random, log: Log) -> Log:
    """An event is gone: its row, with or without its leaf, or its place closed up."""
    rows, heads = log
    place = _place(dice, log)
    rest = rows[place + 1 :]
    how = dice.randrange(3)
    if how == 0:
        rest = [replace(rows[place], event=None), *rest]
    elif how == 1:
        rest = _moved(rest, -1)
    return rows[:place] + rest, heads


def inserted(dice: random.Random, log: Log) -> Log:
    """An event that never was, or one once more, among the others or as if it waited."""
    rows, heads = log
    place = _place(dice, log)
    one = rows[place] if dice.random() < 0.3 else _changed(dice, rows[place])
    if dice.random() < 0.3:
        old = {**one.event, "id": dice.randrange(heads[-1].head.settled)}
        return [*rows, Row(old)], heads
    return [*rows[:place], one, *_moved(rows[place:], 1)], heads


def _moved(rows: list[Row], by: int) -> list[Row]:
    return [one if one.place is None else replace(one, place=one.place + by) for one in rows]


def swapped(dice: random.Random, log: Log) -> Log:
    """Two events have each other's place, with or without their leaves."""
    rows, heads = list(log[0]), log[1]
    one, two = dice.sample(range(heads[-1].head.size), 2)
    first, second = rows[one], rows[two]
    if dice.random() < 0.5:
        rows[one] = replace(first, event=second.event)
        rows[two] = replace(second, event=first.event)
    else:
        rows[one] = replace(second, place=first.place)
        rows[two] = replace(first, place=second.place)
    return rows, heads


def truncated(dice: random.Random, log: Log) -> Log:
    """The end is gone, and the heads that would show it."""
    rows, heads = log
    size = dice.randrange(heads[-1].head.size)
    kept = [each for each in heads if each.head.size <= size]
    return rows[: dice.choice((size, kept[-1].head.size if kept else 0))], kept


def rewritten(dice: random.Random, log: Log) -> Log:
    """Sealed and signed anew after an edit, a deletion or a swap: by who has the database and the
    key."""
    events = [one.event for one in log[0] if one.event is not None]
    place = _place(dice, log)
    how = dice.randrange(3)
    if how == 0:
        events[place] = _changed(dice, log[0][place]).event
    elif how == 1:
        del events[place]
    else:
        other = dice.choice([n for n in range(log[1][-1].head.size) if n != place])
        events[place], events[other] = events[other], events[place]
    return sealed(events, dice.choice((EACH, EACH - 3)))


def forged(dice: random.Random, log: Log) -> Log:
    """A head is another one's, is missing, or is not signed by the log's key."""
    rows, heads = log[0], list(log[1])
    number = dice.randrange(len(heads))
    head = heads[number].head
    how = dice.randrange(3)
    if how == 0:
        heads[number] = replace(heads[number], head=replace(head, size=head.size - 1))
    elif how == 1:
        del heads[number]
    else:
        other = Ed25519PrivateKey.from_private_bytes(bytes(32))
        key = other.public_key().public_bytes_raw().hex()
        heads[number] = Signed(head, key, other.sign(HEAD + head.body).hex())
    return rows, heads


KINDS: tuple[Callable[[random.Random, Log], Log], ...] = (
    edited, deleted, inserted, swapped, truncated, rewritten, forged,
)  # fmt: skip
