"""`manage.py jobs again notify.deliver --as olu@exchange.example`

What the portal owes, for scripts: the hours, what was given up, and trying that once more.
"""

from argparse import ArgumentParser
from typing import Any

from django.core.management import BaseCommand, CommandError
from django.utils import timezone

from sharing.kernel.errors import DomainError
from sharing.office import services as office
from sharing.office.management.named import operator_named


class Command(BaseCommand):
    """Lists, or tries again."""

    help = "The region's jobs: list, hours, again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What, of which task, by whom."""
        parser.add_argument("step", choices=["list", "hours", "again"])
        parser.add_argument("task", nargs="?", default="")
        parser.add_argument("--as", dest="by", default="", help="e-mail of who decides")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError for what the page would refuse, too."""
        by, at = operator_named(options["by"]), timezone.now()
        try:
            if options["step"] == "again":
                self.stdout.write(str(office.try_again(task=options["task"], by=by, at=at)))
                return
            work = office.region_work(by, at=at)
        except DomainError as error:
            raise CommandError(str(error)) from error
        if options["step"] == "hours":
            for each in work.hours:
                numbers = f"{each.done}\t{each.waiting}\t{each.given_up}"
                self.stdout.write(f"{each.began.isoformat()}\t{numbers}")
            return
        for kind in work.parked:
            self.stdout.write(f"{kind.task}\t{kind.count}\t{kind.since.isoformat()}\t{kind.error}")
