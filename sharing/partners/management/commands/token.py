"""`manage.py token --organization riverside --scope dicomweb.read`: a bearer token, for scripts."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management import BaseCommand, CommandError
from django.utils import timezone

from sharing.kernel.errors import DomainError
from sharing.kernel.purposes import Purpose
from sharing.partners import services
from sharing.partners.rules import SCOPES
from sharing.tenants.services import find_organization


class Command(BaseCommand):
    """Prints the token alone on standard output; it is never shown again."""

    help = "Issues a bearer token of an organization's machine."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whose, for what, for how long."""
        parser.add_argument("--organization", required=True, help="code of the organization")
        parser.add_argument("--scope", action="append", required=True, choices=tuple(SCOPES))
        parser.add_argument("--name", default="script", help="how the access log names the machine")
        parser.add_argument("--purpose", default=Purpose.TREATMENT, type=Purpose)
        parser.add_argument("--days", type=int, default=90, help="0: until revoked")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError for an unknown organization."""
        at = timezone.now()
        try:
            token = services.issue_token(
                organization=find_organization(options["organization"]),
                name=options["name"],
                scopes=options["scope"],
                purpose=options["purpose"],
                at=at,
                expires_at=at + timedelta(days=options["days"]) if options["days"] else None,
            )
        except DomainError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(token)
