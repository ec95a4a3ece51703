"""`manage.py reconcile [--collect] [--replay]`: hold rows, blobs and jobs against each other."""

from argparse import ArgumentParser
from typing import Any

from django.core.management import BaseCommand, CommandError
from django.utils import timezone

from sharing.archive.services.journaling import replay
from sharing.archive.services.reconciling import reconcile


class Command(BaseCommand):
    """Prints one line per kind of mismatch; fails when stored bytes are missing."""

    help = "Compares rows, blobs and jobs; --collect deletes blobs that no row names."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whether to delete, and whether to do removals again after a restore."""
        parser.add_argument("--collect", action="store_true", help="delete orphans older than 24 h")
        parser.add_argument(
            "--replay",
            action="store_true",
            help="after a restore, before serving: do again what the journal of removals says",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError when a row's bytes are not there."""
        if options["replay"]:
            done = replay()
            self.stdout.write(f"removals known: {done.known}, done again: {done.done}")
            if done.strange:
                raise CommandError(f"{done.strange} removals are of organizations unknown here.")
        report = reconcile(at=timezone.now(), collect=options["collect"])
        for name, count in report.counts.items():
            self.stdout.write(f"{name.replace('_', ' ')}: {count}")
        if not report.agrees:
            names = [*report.missing, *report.cut_short, *report.damaged]
            raise CommandError("Stored bytes are missing or damaged: " + ", ".join(names))
