"""`manage.py audit VERB`: seal the access log, and show that it is untouched."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError
from django.db import DatabaseError
from django.utils import timezone

from sharing.audit import keys, rights, services
from sharing.audit.verifier import signed_heads


class Command(BaseCommand):
    """One verb a call."""

    help = "Seals the access log, compares it with its signed heads, writes it out."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The verbs."""
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("seal", help="give places to what is new, sign and anchor the head")
        verbs.add_parser("key", help="print the public key that checks the heads")
        verbs.add_parser("expire", help="delete what is older than AUDIT_KEEP_YEARS")
        verify = verbs.add_parser("verify", help="fail when the log is not what was sealed")
        verify.add_argument(
            "--anchors", type=Path, action="append", help="heads kept outside; else the anchor file"
        )
        rights_of = verbs.add_parser("rights", help="PostgreSQL: what the portal's role may do")
        rights_of.add_argument("role")
        verify.add_argument(
            "--key", action="append", default=[], help="public key of earlier heads, hex"
        )
        export = verbs.add_parser("export", help="write what the stand-alone verifier reads")
        export.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError when the log was changed."""
        getattr(self, f"_{options['verb']}")(options)

    def _seal(self, options: dict[str, Any]) -> None:
        at = timezone.now()
        self.stdout.write(f"{services.seal(at=at)} events sealed")
        self.stdout.write(f"kept in {services.anchor(at=at)} places")

    def _expire(self, options: dict[str, Any]) -> None:
        count = services.expire(at=timezone.now())
        self.stdout.write(f"{count} events expired")

    def _key(self, options: dict[str, Any]) -> None:
        self.stdout.write(keys.public_key())

    def _rights(self, options: dict[str, Any]) -> None:
        try:
            rights.give(options["role"])
        except (ValueError, DatabaseError) as error:
            raise CommandError("The database has no such role, or is no PostgreSQL.") from error

    def _verify(self, options: dict[str, Any]) -> None:
        paths = options["anchors"]
        try:
            anchors = (
                [head for path in paths for head in signed_heads(path.read_text().splitlines())]
                if paths
                else services.file_anchors()
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CommandError(f"The anchors can't be read: {type(error).__name__}") from error
        report = services.check(anchors, options["key"])
        self.stdout.write("\n".join(report.words))
        if report.findings:
            raise CommandError("The access log is not what was sealed.")

    def _export(self, options: dict[str, Any]) -> None:
        with options["file"].open("w", encoding="ascii") as file:
            self.stdout.write(f"{services.export(file)} lines")
