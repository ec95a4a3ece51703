"""Rewriting the log, reading without leaving a line, a log that can't be written."""

from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.utils import timezone

from sharing.archive.models import Series, Study
from sharing.archive.services.finding import open_study
from sharing.audit.models import Event, Tally
from sharing.kernel.purposes import Action
from tests.cast import Region
from tests.committing import owning
from tests.sessions import sign_in


@pytest.fixture
def read(region: Region) -> Study:
    """Ada looked at a study, twice."""
    study = region.study()
    for _ in range(2):
        open_study(
            region.ada.actor, public_id=study.public_id, at=timezone.now(), action=Action.IMAGES
        )
    return study


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM audit_tally",
        "UPDATE audit_tally SET count = 1",
        "UPDATE audit_event SET actor_name = 'nobody'",
        "DELETE FROM audit_event",
    ],
)
def test_what_was_read_and_how_often_is_not_rewritten(read: Study, statement: str) -> None:
    """The database itself refuses, even the owner of its tables."""
    assert Tally.objects.get().count == 2
    refused = pytest.raises(DatabaseError)
    with owning(), refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert Tally.objects.get().count == 2


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no TRUNCATE")
@pytest.mark.parametrize("tables", ["audit_tally", "audit_event, audit_tally"])
def test_the_log_is_not_emptied_at_once(read: Study, tables: str) -> None:
    """TRUNCATE fires no row's trigger."""
    refused = pytest.raises(DatabaseError)
    with owning(), refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {tables}")
    assert Event.objects.filter(action="study.images").exists()


def test_nothing_is_shown_when_the_log_cannot_be_written(
    region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It fails closed: no line, no page (F23)."""
    study = region.study()
    region.permit(at=timezone.now())
    ben = sign_in(Client(raise_request_exception=False), region.ben.user)

    def full(*_: Any, **__: Any) -> None:
        raise DatabaseError

    monkeypatch.setattr("sharing.audit.services.recording.insert", full)
    for path in (f"/studies/{study.public_id}/", f"/viewer/{study.public_id}/"):
        response = ben.get(path)
        assert response.status_code == 503, path
        assert b"Chest with contrast" not in response.content


def test_a_small_picture_of_anothers_study_leaves_a_line(region: Region) -> None:
    """A picture is patient data, however small, and the custodian answers for it."""
    study = region.study()
    Series.objects.filter(study=study).update(thumbnail=b"\xff\xd8\xffpicture")
    region.permit(at=timezone.now())
    where = f"/studies/{study.public_id}/thumbnail/"
    assert sign_in(Client(), region.ben.user).get(where).status_code == 200
    assert sign_in(Client(), region.ada.user).get(where).status_code == 200
    line = Event.objects.get(action="study.thumbnail")
    assert (line.actor_id, line.rule) == (region.ben.actor.id, "consent_permits")
    assert line.custodian == "riverside"
