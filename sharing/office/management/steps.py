"""What commands of administration have in common: a step, of an organization, by somebody."""

from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from django.core.management import BaseCommand, CommandError
from django.utils import timezone

from sharing.kernel.errors import DomainError
from sharing.tenants.rules import Actor

from .named import actor_named, operator_named, organization_of

T = TypeVar("T")


@dataclass(frozen=True)
class Said:
    """Who decides, when, and what was said of it: `--set name=value ...`."""

    by: Actor
    at: datetime
    values: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> str:
        """Raises CommandError for what was not said."""
        if name not in self.values:
            raise CommandError(f"Say it: --set {name}=...")
        return self.values[name]

    def get(self, name: str, other: str = "") -> str:
        """What may be left out."""
        return self.values.get(name, other)

    def words(self, name: str) -> tuple[str, ...]:
        """Several, with commas."""
        return tuple(filter(None, (word.strip() for word in self.get(name).split(","))))

    def one_of(self, kind: Callable[[str], T], name: str) -> T:
        """A value of an enumeration, or a number. Raises CommandError."""
        return read(kind, self[name])

    def file(self, name: str) -> Path:
        """A file that is there. Raises CommandError."""
        found = Path(self[name])
        if not found.is_file():
            raise CommandError("There is no such file.")
        return found


Step = Callable[[Said], str]


def read(kind: Callable[[str], T], text: str) -> T:
    """Raises CommandError for a value that is none of its kind."""
    try:
        return kind(text)
    except ValueError:
        raise CommandError("A value is not one of its kind.") from None


class Steps(BaseCommand):
    """Takes one step of its table; `keys` are all that may be said."""

    steps: ClassVar[Mapping[str, tuple[Step, str]]]
    region = False
    """Whether the region is meant, and no organization of it."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which step, of whom, by whom, and what is said."""
        parser.add_argument("step", choices=list(self.steps))
        if not self.region:
            parser.add_argument("code", help="code of the organization")
        parser.add_argument("--as", dest="by", default="", help="e-mail of who decides")
        told = "; ".join(f"{step}: {keys}" for step, (_, keys) in self.steps.items() if keys)
        parser.add_argument("--set", nargs="*", default=[], help=f"name=value. {told}")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError for what the pages would refuse, too."""
        step, keys = self.steps[options["step"]]
        values = dict(pair.partition("=")[::2] for pair in options["set"])
        if not set(values) <= set(keys.split()):
            raise CommandError(f"One can say: {keys or 'nothing'}")
        try:
            told = step(Said(self._who(options), timezone.now(), values))
        except DomainError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(told)

    def _who(self, options: dict[str, Any]) -> Actor:
        if self.region:
            return operator_named(options["by"])
        own = organization_of(options["code"])
        by = actor_named(options["by"], own)
        if by.organization_id != own.pk:
            raise CommandError("They do not act for this organization (--as).")
        return by
