"""`manage.py migrate`: Django's own, as the owner of the tables, with the second fence after it."""

from typing import Any

from django.conf import settings
from django.core.management.commands import migrate

from portal import rowlevel
from sharing.kernel import scope


class Command(migrate.Command):
    """On PostgreSQL policies are lowered before and put up after; data migrations see all."""

    def handle(self, *args: Any, **options: Any) -> None:
        """As Django's. Policies are for tables as they are at the end, so not on the way there."""
        if not rowlevel.is_there() or options["check_unapplied"] or options["plan"]:
            super().handle(*args, **options)
            return
        with rowlevel.as_owner(), scope.as_house():
            rowlevel.lower()
            super().handle(*args, **options)
            if not options["app_label"]:
                rowlevel.put_up(settings.DATABASE_ROLE)
