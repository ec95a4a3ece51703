"""`manage.py migrate` while the portal serves: what it takes down, and whom it waits for."""

import io
from typing import Any

import pytest
from django.db import OperationalError, models
from django.db.migrations import Migration, operations
from psycopg import errors

from portal.management.commands import migrate
from portal.management.commands.migrate import Command, stands_in_the_way


def migration(*made: Any) -> Migration:
    """One of the archive's with these operations."""
    one = Migration("0099_more", "archive")
    one.operations = list(made)
    return one


@pytest.mark.parametrize(
    "operation",
    [
        operations.AddField("study", "weight", models.IntegerField(null=True)),
        operations.CreateModel("Box", [("id", models.BigAutoField(primary_key=True))]),
        operations.AddIndex("study", models.Index("study_time", name="by_time")),
        operations.AlterField("study", "description", models.CharField(max_length=300)),
        operations.RemoveField("study", "description"),
    ],
)
def test_what_only_adds_leaves_the_policies_up(operation: Any) -> None:
    assert not stands_in_the_way(migration(operation))


@pytest.mark.parametrize(
    "operation",
    [
        operations.AlterField("study", "organization", models.IntegerField()),
        operations.RemoveField("series", "study"),
        operations.RenameField("study", "patient", "person"),
        operations.RenameModel("Study", "Exam"),
        operations.DeleteModel("Series"),
        operations.SeparateDatabaseAndState([operations.RemoveField("study", "patient")]),
    ],
)
def test_what_a_policy_names_is_changed_without_the_policies(operation: Any) -> None:
    assert stands_in_the_way(migration(operation))


def failing(times: int, cause: Exception) -> Any:
    """A step that fails so often with what the driver said."""
    left = [cause] * times

    def step() -> None:
        if left:
            raise OperationalError from left.pop()

    return step


def test_who_holds_a_table_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrate, "REST", 0.0)
    command = Command(stdout=io.StringIO())
    for cause in (errors.LockNotAvailable(), errors.DeadlockDetected()):
        command.patiently(failing(3, cause))
        with pytest.raises(OperationalError):
            command.patiently(failing(migrate.TRIES, cause))
    with pytest.raises(OperationalError):
        command.patiently(failing(1, errors.AdminShutdown()))
