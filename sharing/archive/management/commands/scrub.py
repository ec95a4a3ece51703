"""`manage.py scrub [--since-days 30]`: read what is stored, and compare every hash."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management import BaseCommand, CommandError
from django.utils import timezone

from sharing.archive.services.scrubbing import scrub


class Command(BaseCommand):
    """Prints what was read; fails when bytes are missing or damaged."""

    help = "Verifies the stored hashes of packs that were not read within some days."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """How old the last reading may be."""
        parser.add_argument("--since-days", type=int, default=30, help="0: everything")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError when something is wrong."""
        done = scrub(at=timezone.now(), since=timedelta(days=options["since_days"]))
        for name in ("packs", "objects", "healed"):
            self.stdout.write(f"{name}: {getattr(done, name)}")
        self.stdout.write(f"missing: {len(done.missing)}\ndamaged: {len(done.damaged)}")
        if done.missing or done.damaged:
            raise CommandError(", ".join([*done.missing, *done.damaged]))
