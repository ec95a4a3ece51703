"""Marks that stand for what may be known: each in one place, each for somebody's eyes.

A mark is a word of eight letters, a UID under a root of its own, or a name for a URL that the
portal made. Whatever answer holds one shows that its reader came to know what it stands for.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count

from tests.oracle import facts
from tests.oracle.model import may

WORD = re.compile(rb"qxz[a-z]{5}")
ROOT = "2.25.99887"
UID = re.compile(rb"2\.25\.99887\d{10}")
NAME = re.compile(rb"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{22}(?![A-Za-z0-9_-])")
LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Mark:
    """For whose eyes: who may do `action` with the study, and these organizations and persons.

    `patient`: whoever may know that one of the patient's studies exists.
    """

    of: str
    study: str = ""
    action: str = "discover"
    patient: str = ""
    homes: frozenset[str] = frozenset()
    people: frozenset[str] = frozenset()


@dataclass
class Marks:
    """All marks by their text."""

    known: dict[bytes, Mark] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def word(self, mark: Mark) -> str:
        """A new word, in capitals as DICOM likes it."""
        number = next(self._numbers) * 7919 % 26**5  # a prime: no two are alike
        text = "qxz" + "".join(LETTERS[number // 26**place % 26] for place in range(5))
        self.known[text.encode()] = mark
        return text.upper()

    def uid(self, mark: Mark) -> str:
        """A new UID."""
        text = f"{ROOT}{next(self._numbers):010d}"
        self.known[text.encode()] = mark
        return text

    def name(self, text: str, mark: Mark) -> None:
        """A name that the portal made."""
        self.known[text.encode()] = mark

    def found(self, said: bytes) -> set[bytes]:
        """The marks in what was said, in whatever case."""
        words = set(WORD.findall(said.lower())) | set(UID.findall(said)) | set(NAME.findall(said))
        return words & self.known.keys()


def open_to(world: facts.World, asker: facts.Actor | None, mark: Mark, at: datetime) -> bool:
    """Whether this actor may come to know it now, as the model says."""
    if asker is None:
        return False
    if asker.organization in mark.homes or asker.key in mark.people:
        return True
    studies = [mark.study] if mark.study else _of_patient(world, mark.patient)
    return any(may(world, asker, mark.action, key, at) for key in studies)


def _of_patient(world: facts.World, patient: str) -> Iterable[str]:
    return (key for key, study in world.studies.items() if study.patient == patient)
