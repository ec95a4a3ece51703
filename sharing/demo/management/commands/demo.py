"""`manage.py demo`: load the demonstration region into an empty database."""

import os
import unicodedata
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError
from django.utils import timezone

from sharing.demo import people, story
from sharing.tenants.services import founded

PASSWORD = "imaging-demo-2026"  # noqa: S105  printed on purpose; production asks for another
ORGANIZATIONS = {
    "operator": "Operator",
    "riverside": "Riverside General",
    "hilltop": "Hilltop Clinic",
    "lakeside": "Lakeside Imaging",
    "mingde": "Mingde 明德医院",
    "sandbox": "Sandbox",
}


class Command(BaseCommand):
    """Organizations, people, studies, consents and a share; a second run changes nothing."""

    help = "Loads the demonstration region into an empty database and prints its accounts."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One password for all accounts."""
        parser.add_argument("--password", default="", help="for all accounts of the region")

    def handle(self, *args: Any, **options: Any) -> None:
        """Load what is missing, then print addresses and accounts."""
        password = options["password"] or PASSWORD
        if settings.PRODUCTION and not options["password"]:
            raise CommandError("In production the accounts need a password: give --password.")
        if founded() and not people.is_ours():
            raise CommandError("This database holds another region; the demo needs an empty one.")
        if founded() and story.told():
            self.stdout.write("The demo region is there already.\n")
        else:
            self._load(password)
        self._print_accounts(password)

    def _load(self, password: str) -> None:
        now = timezone.now()
        if not founded():
            people.found_region(password=password, at=now - timedelta(days=3))
            self.stdout.write("People and organizations have joined.")
        story.load_studies(at=now - timedelta(hours=2), tell=self._progress)
        story.tell_story(at=now - timedelta(hours=1))
        self.stdout.write("Consents are recorded, studies are shared.\n")

    def _progress(self, line: str) -> None:
        self.stdout.write(f"  received  {line}")
        self.stdout.flush()

    def _print_accounts(self, password: str) -> None:
        address = settings.PUBLIC_URL or f"http://127.0.0.1:{os.environ.get('PORT', '8000')}"
        rows = [
            (ORGANIZATIONS[a.organization], a.role.words, a.email, a.name, a.shows)
            for a in people.accounts()
        ]
        heads = ("Organization", "Role", "E-mail", "Name", "What it shows")
        widths = [max(_width(row[i]) for row in [heads, *rows]) for i in range(len(heads))]
        self.stdout.write(f"\nThe portal: {address}   (DICOMweb at {address}/dicomweb/)\n\n")
        for row in (heads, tuple("-" * width for width in widths), *rows):
            cells = [cell + " " * (w - _width(cell)) for cell, w in zip(row, widths, strict=True)]
            self.stdout.write("  ".join(cells).rstrip())
        self.stdout.write(f"\nPassword of every account: {password}")
        self.stdout.write(
            "The demo asks for no second factor; a real organization's people need one."
        )


def _width(text: str) -> int:
    """Columns in a terminal: Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
