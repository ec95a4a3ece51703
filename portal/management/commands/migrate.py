"""`manage.py migrate`: Django's own, as the owner of the tables, with the second fence after it.

The portal may be serving while it runs: no request waits longer than LOCKS for it.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.management.commands import migrate
from django.db import OperationalError, connection
from django.db.migrations import Migration, operations
from django.db.migrations.executor import MigrationExecutor
from psycopg import errors

from portal import rowlevel
from sharing.kernel import scope

LOCKS = "2s"
"""So long it waits for a lock, with everybody else behind it; then they go first."""
TRIES, REST = 60, 1.0
_HELD = (errors.LockNotAvailable, errors.DeadlockDetected)
_FIELDS = (operations.AlterField, operations.RemoveField, operations.RenameField)
_MODELS = (operations.AlterModelTable, operations.DeleteModel, operations.RenameModel)


class Command(migrate.Command):
    """On PostgreSQL the policies stay up unless a column or table that they name changes."""

    def handle(self, *args: Any, **options: Any) -> None:
        """As Django's. Data migrations see all."""
        if not rowlevel.is_there() or options["check_unapplied"] or options["plan"]:
            super().handle(*args, **options)
            return
        with rowlevel.as_owner(), scope.as_house(), _waiting_briefly():
            if options["app_label"] or any(map(stands_in_the_way, _waiting())):
                self.patiently(lambda: rowlevel.lower(settings.DATABASE_ROLE))
            self.patiently(lambda: migrate.Command.handle(self, *args, **options))
            if not options["app_label"]:
                self.patiently(lambda: rowlevel.put_up(settings.DATABASE_ROLE))
            else:
                self.stdout.write("  Policies are down until migrate has run without a label.")

    def patiently(self, step: Callable[[], object]) -> None:
        """Once more where somebody held what it needs: each migration is done, or not at all."""
        for left in reversed(range(TRIES)):
            try:
                step()
            except OperationalError as error:
                if not left or not isinstance(error.__cause__, _HELD):
                    raise
                self.stdout.write("  Somebody holds what is to be changed; once more.")
                time.sleep(REST)
            else:
                return


@contextmanager
def _waiting_briefly() -> Iterator[None]:
    """Inside, a statement waits LOCKS for a lock and then fails."""
    _do(f"SET lock_timeout = '{LOCKS}'")
    yield
    _do("RESET lock_timeout")


def _do(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def _waiting() -> Iterator[Migration]:
    """The migrations that are not applied yet, on a database that has some."""
    executor = MigrationExecutor(connection)
    if executor.loader.applied_migrations:
        targets = executor.loader.graph.leaf_nodes()
        yield from (migration for migration, _ in executor.migration_plan(targets))


def stands_in_the_way(migration: Migration) -> bool:
    """Whether it changes, renames or removes what a policy names."""
    return any(
        rowlevel.speaks_of(name)
        for operation in migration.operations
        for name in _changed(migration.app_label, operation)
    )


def _changed(app: str, operation: Any) -> Iterator[str]:
    """The names in the database of what an operation changes, renames or removes."""
    if isinstance(operation, operations.SeparateDatabaseAndState):
        for each in operation.database_operations:
            yield from _changed(app, each)
    if isinstance(operation, _FIELDS):
        name = getattr(operation, "old_name", None) or operation.name
        yield from (name, f"{name}_id")
    if isinstance(operation, _MODELS):
        name = getattr(operation, "old_name", None) or operation.name
        yield f"{app}_{name.lower()}"
