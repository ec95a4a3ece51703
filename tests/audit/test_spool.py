"""The log's table is gone: own reads go on and are drained, what others answer for is not given."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from sharing.archive.models import Study
from sharing.audit import spool as module
from sharing.audit.models import Event
from sharing.audit.services import drain
from sharing.audit.spool import spool
from tests.cast import Region
from tests.committing import owning
from tests.sessions import sign_in

pytestmark = pytest.mark.usefixtures("committing")


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, settings: Any) -> None:
    """The spool of another test is not this one's."""
    settings.DATA_DIR = tmp_path


def rename(one: str, other: str) -> None:
    """As a database administrator would."""
    with owning(), connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {one} RENAME TO {other}")


@pytest.fixture
def broken(region: Region) -> Iterator[Study]:
    """A study that Ben may see, at a time when no event can be written; mended at the end."""
    study = region.study()
    region.permit(at=timezone.now())
    rename("audit_event", "audit_away")
    yield study
    if "audit_away" in connection.introspection.table_names():
        rename("audit_away", "audit_event")


def test_own_reads_go_on_others_do_not_and_the_log_gets_all_in_order(
    region: Region, broken: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = f"/studies/{broken.public_id}/"
    synced: list[int] = []
    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda handle: (synced.append(handle), fsync(handle)))
    answers = [
        sign_in(Client(raise_request_exception=False), person.user).get(where)
        for person in (region.cleo, region.ada, region.ada, region.ben)
    ]
    assert [answer.status_code for answer in answers] == [404, 200, 200, 503]
    assert b"Chest with contrast" in answers[1].content
    assert b"Chest with contrast" not in answers[3].content
    assert len(synced) == 3  # a line each for Cleo and Ada, and once the folder
    rename("audit_away", "audit_event")
    lines = spool.path.read_bytes()
    assert drain() == 2
    spool.path.write_bytes(lines + lines[:40])  # a drain that was cut off, a line that was
    assert [drain(), drain()] == [2, 0]
    told = Event.objects.filter(study=broken.public_id).order_by("pk")
    assert [(e.actor_name, e.permitted) for e in told] == [
        ("Cleo Stern", False),
        ("Ada Brandt", True),
    ]
    assert all(event.detail["spooled"] for event in told)


def test_the_next_read_that_is_written_drains_what_waits(region: Region, broken: Study) -> None:
    where = f"/studies/{broken.public_id}/"
    ada = sign_in(Client(), region.ada.user)
    assert ada.get(where).status_code == 200
    rename("audit_away", "audit_event")
    assert sign_in(Client(), region.ben.user).get(where).status_code == 200
    names = Event.objects.filter(study=broken.public_id, action="study.discover")
    assert set(names.values_list("actor_name", flat=True)) == {"Ben Hartley", "Ada Brandt"}
    assert not spool.path.exists()


@pytest.mark.parametrize("why", ["full", "no folder"])
def test_without_a_line_on_the_disk_nothing_is_shown(
    region: Region, broken: Study, settings: Any, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    if why == "full":
        monkeypatch.setattr(module, "MOST_BYTES", 10)
    else:
        settings.DATA_DIR = settings.DATA_DIR / "gone"
    ada = sign_in(Client(raise_request_exception=False), region.ada.user)
    answer = ada.get(f"/studies/{broken.public_id}/")
    assert answer.status_code == 503
    assert b"Chest with contrast" not in answer.content


def test_what_a_drain_was_cut_off_from_is_drained_first(region: Region, broken: Study) -> None:
    """The process was killed after it had taken the lines aside; others were kept since."""
    where = f"/studies/{broken.public_id}/"
    assert sign_in(Client(), region.ada.user).get(where).status_code == 200
    spool.path.replace(spool.path.with_suffix(".draining"))
    spool.forget()
    assert sign_in(Client(), region.cleo.user).get(where).status_code == 404
    rename("audit_away", "audit_event")
    assert drain() == 2
    told = Event.objects.filter(study=broken.public_id).order_by("pk")
    assert [event.actor_name for event in told] == ["Ada Brandt", "Cleo Stern"]
    assert not spool.owes
