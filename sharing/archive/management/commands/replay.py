"""`manage.py replay`: every access that the log tells of, decided again."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management import BaseCommand, CommandError
from django.utils import timezone

from sharing.archive.services.replaying import replay

SHOWN = 50


class Command(BaseCommand):
    """Fails when an access comes out otherwise than it did."""

    help = "Decides every access of the log again with the facts of its moment."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """How far back."""
        parser.add_argument("--days", type=int, help="only the last so many days")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError when a decision is another one now."""
        days = options["days"]
        since = timezone.now() - timedelta(days=days) if days is not None else None
        found = replay(since=since)
        total = found.same + found.at_the_edge + len(found.differences)
        self.stdout.write(f"{total} accesses decided again, {found.same} the same")
        if found.at_the_edge:
            self.stdout.write(f"{found.at_the_edge} within seconds of a change: either is right")
        for line in found.differences[:SHOWN]:
            self.stdout.write(line)
        if found.differences:
            raise CommandError(f"{len(found.differences)} accesses come out otherwise.")
