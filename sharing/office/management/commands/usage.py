"""`manage.py usage > usage.tsv`: the region's usage by month."""

from argparse import ArgumentParser
from typing import Any

from django.core.management import BaseCommand
from django.utils import timezone

from sharing.office.services.usage import usage
from sharing.tenants.models import Organization


class Command(BaseCommand):
    """A line for each organization and month, separated by tabs; numbers, no patients."""

    help = "Studies, bytes, people, views and shares by organization and month."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """How far back."""
        parser.add_argument("--months", type=int, default=12)

    def handle(self, *args: Any, **options: Any) -> None:
        """Nothing to refuse: whoever runs it has the database."""
        rows = Organization.objects.exclude(kind=Organization.Kind.OPERATOR).order_by("code")
        names = ("studies", "bytes", "people", "views", "shares")
        self.stdout.write("\t".join(("organization", "month", *names)))
        for each in usage(rows, months=options["months"], at=timezone.now()).rows:
            values = (str(getattr(each, name)) for name in names)
            self.stdout.write("\t".join((each.organization.code, f"{each.month:%Y-%m}", *values)))
