"""What in the log a privacy officer should look at: unusual, and by no means wrong. Pure."""

import unicodedata
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile

MANY = 20
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Read:
    """A person opened something of a patient."""

    at: datetime
    actor: str
    name: str
    organization: str
    patient: str


@dataclass(frozen=True)
class Pattern:
    """What was noticed: of whom, when last, about which patients (public ids)."""

    kind: str
    name: str
    organization: str
    at: datetime
    patients: tuple[str, ...]


def unusual(reads: Iterable[Read], families: Mapping[str, frozenset[str]]) -> list[Pattern]:
    """All patterns, newest first. `families`: the folded family names of each patient."""
    known = sorted(reads, key=lambda read: read.at)
    found = [*many_patients(known), *same_family(known, families)]
    return sorted(found, key=lambda pattern: pattern.at, reverse=True)


def many_patients(reads: Iterable[Read], *, many: int = MANY) -> Iterator[Pattern]:
    """One pattern for each person who opened `many` patients or more within an hour.

    `reads` oldest first; the busiest hour is told.
    """
    recent: dict[str, deque[Read]] = defaultdict(deque)
    busiest: dict[str, Pattern] = {}
    for read in reads:
        hour = recent[read.actor]
        hour.append(read)
        while hour[0].at <= read.at - HOUR:
            hour.popleft()
        patients = tuple(dict.fromkeys(each.patient for each in hour))
        known = busiest.get(read.actor)
        if len(patients) >= max(many, len(known.patients) + 1 if known else 0):
            busiest[read.actor] = Pattern(
                "many_patients", read.name, read.organization, read.at, patients
            )
    yield from busiest.values()


def same_family(reads: Iterable[Read], families: Mapping[str, frozenset[str]]) -> Iterator[Pattern]:
    """One pattern for each person and patient with the same family name; the last read counts."""
    found: dict[tuple[str, str], Pattern] = {}
    for read in reads:
        if families.get(read.patient, frozenset()) & family_names(read.name):
            found[read.actor, read.patient] = Pattern(
                "same_family", read.name, read.organization, read.at, (read.patient,)
            )
    yield from found.values()


def family_names(name: str) -> frozenset[str]:
    """What may be the family name of a person, folded; of a name of several words also the last.

    The part before a caret, the first words where they stand in capitals (`VAN DYK Eva`), else the
    last word. A name in Han letters begins with it.
    """
    family, caret, _ = name.partition("^")
    words = family.split()
    if not words:
        return frozenset()
    if "\u4e00" <= words[0][0] <= "\u9fff":
        return frozenset({words[0][0]})
    capitals = list(takewhile(str.isupper, words))
    chosen = words if caret else capitals if len(capitals) < len(words) else []
    said = chosen or words[-1:]
    return frozenset({folded("".join(said)), folded(said[-1])} - {""})


def folded(word: str) -> str:
    """Without case, accents and spaces, so that `Müller` and `MULLER` are one."""
    plain = unicodedata.normalize("NFKD", word.casefold())
    return "".join(letter for letter in plain if letter.isalnum())
