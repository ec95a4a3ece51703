"""`manage.py reconcile [--collect]`: hold rows, blobs and jobs against each other."""

from argparse import ArgumentParser
from typing import Any

from django.core.management import BaseCommand, CommandError
from django.utils import timezone

from sharing.archive.services.reconciling import reconcile


class Command(BaseCommand):
    """Prints one line per kind of mismatch; fails when stored bytes are missing."""

    help = "Compares rows, blobs and jobs; --collect deletes blobs that no row names."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whether to delete."""
        parser.add_argument("--collect", action="store_true", help="delete orphans older than 24 h")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError when a row's bytes are not there."""
        report = reconcile(at=timezone.now(), collect=options["collect"])
        for name, value in vars(report).items():
            count = value if isinstance(value, int) else len(value)
            self.stdout.write(f"{name.replace('_', ' ')}: {count}")
        if not report.agrees:
            raise CommandError("Stored bytes are missing: " + ", ".join(self._names(report)))

    @staticmethod
    def _names(report: Any) -> list[str]:
        return [*report.missing, *report.cut_short]
