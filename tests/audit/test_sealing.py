"""Committed events get their place, late ones too; heads are signed and kept outside."""

import io
import json
import stat
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from sharing.audit import keys
from sharing.audit.models import Anchored, Checkpoint, Event, Leaf, Node
from sharing.audit.rules import SYSTEM, What
from sharing.audit.services import anchor, check, file_anchors, record, seal
from sharing.audit.services import sealing as module
from sharing.audit.verifier import read_export, verify
from sharing.kernel import scope
from tests.cast import NOW
from tests.committing import owning, without_guards
from tests.waiting import wait_until


@pytest.fixture(autouse=True)
def outside(tmp_path: Path, settings: Any) -> Path:
    """An anchor file of the test's own."""
    settings.AUDIT_ANCHOR_FILE = tmp_path / "heads.ndjson"
    return tmp_path


def happen(*names: str) -> None:
    """Events of those names."""
    for name in names:
        record(who=SYSTEM, action=name, at=NOW, what=What(detail={"größe": 1.5, "b": [1]}))


def order() -> list[str]:
    """The actions in the order of their places."""
    actions = dict(Event.objects.values_list("pk", "action"))
    return [actions[key] for key in Leaf.objects.order_by("place").values_list("event", flat=True)]


def test_what_happens_is_sealed_once_signed_and_untouched(db: None) -> None:
    assert seal(at=NOW) == 0
    happen("a", "b")
    assert [seal(at=NOW), seal(at=NOW)] == [2, 0]
    happen("c")
    assert seal(at=NOW + timedelta(minutes=1)) == 1
    assert anchor(at=NOW) == 1
    assert anchor(at=NOW) == 0
    happen("d")
    report = check(file_anchors())
    assert (report.findings, report.size, report.waiting, report.anchored) == ([], 3, 1, 3)
    assert order() == ["a", "b", "c"]
    mode = (settings.DATA_DIR / "audit_key").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


def test_a_long_log_is_sealed_in_parts_and_keeps_nodes_for_proofs(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST", 7)
    monkeypatch.setattr(module, "KEPT_LEVELS", 2)
    happen(*(str(n) for n in range(20)))
    assert seal(at=NOW) == 20
    assert list(Checkpoint.objects.order_by("pk").values_list("size", flat=True)) == [7, 14, 20]
    assert Node.objects.filter(level=2).count() == 5
    assert check([]).findings == []


@pytest.mark.parametrize(
    "statement",
    [
        f"{verb} audit_{table}{rest}"
        for table, column in (("leaf", "place"), ("checkpoint", "size"), ("anchored", "checkpoint"))
        for verb, rest in (("UPDATE", f" SET {column} = 7"), ("DELETE FROM", ""))
    ],
)
def test_the_database_refuses_to_change_what_was_sealed(db: None, statement: str) -> None:
    happen("a")
    seal(at=NOW)
    anchor(at=NOW)
    with (
        owning(),
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


def test_an_operator_with_all_rights_is_found_out(committing: None, outside: Path) -> None:
    """Without the triggers, by SQL, on the real tables: an edit, and a whole new chain."""
    happen("a", "b", "c")
    seal(at=NOW)
    anchor(at=NOW)
    out = outside / "log.ndjson"
    call_command("audit", "export", str(out), stdout=io.StringIO())
    with out.open(encoding="ascii") as file:
        heads, rows = read_export(file)
        assert verify(rows, heads, file_anchors(), [keys.public_key()]).findings == []
    with without_guards():
        Event.objects.filter(action="b").update(actor_name="nobody")
    assert check([]).findings[0] == "Place 1: the event was changed."
    with without_guards():
        Leaf.objects.all().delete()
        Checkpoint.objects.all().delete()
    seal(at=NOW)
    assert check([]).findings == []
    assert "Rewritten" in check(file_anchors()).findings[0]
    with pytest.raises(CommandError, match="not what was sealed"):
        call_command("audit", "verify", stdout=io.StringIO())


def test_what_commits_late_gets_a_later_place_and_is_not_lost(committing: None) -> None:
    """Its id is lower than those sealed before it, for as long as its transaction lasts."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite writes one at a time")
    late, written, end = [], threading.Event(), threading.Event()

    def slow() -> None:
        with transaction.atomic():
            happen("late")
            written.set()
            end.wait(10)
        connection.close()

    thread = threading.Thread(target=slow)
    thread.start()
    written.wait(10)
    for name in ("a", "b", "c"):
        happen(name)
        seal(at=NOW)
        late.append(Checkpoint.objects.latest("number").settled)
    end.set()
    thread.join()
    for name in ("d", "e", "f"):
        happen(name)
        seal(at=NOW)
    assert late == [0, 0, 0]
    assert order() == ["a", "b", "c", "late", "d", "e", "f"]
    place = Event.objects.get(action="c").pk
    wait_until(lambda: _settled_after(place), 60)
    assert check([]).findings == []


def _settled_after(event_id: int) -> bool:
    """Once no transaction is older; those of the server's other databases count for it too."""
    happen("more")
    seal(at=NOW)
    return Checkpoint.objects.latest("number").settled > event_id


def test_two_who_seal_at_once_do_not_seal_twice(committing: None) -> None:
    happen(*(str(n) for n in range(30)))
    start, done = threading.Barrier(3), []

    def work() -> None:
        start.wait(10)
        with scope.as_house():
            done.append(seal(at=NOW))
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(done) + seal(at=NOW) == 30
    assert check([]).findings == []


@pytest.fixture
def locked_bucket(moto: str) -> Any:
    """A bucket with object lock; its client and address."""
    address = moto.replace("/images", "/heads")
    where = address.split("@")[1].split("/")[0]
    client = boto3.client(
        "s3", endpoint_url=f"http://{where}", aws_access_key_id="key",
        aws_secret_access_key="secret", region_name="us-east-1",
    )  # fmt: skip
    client.create_bucket(Bucket="heads", ObjectLockEnabledForBucket=True)
    return client, address


def test_the_newest_head_is_locked_in_a_bucket_and_a_bucket_that_is_away_is_asked_again(
    db: None, locked_bucket: Any, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    client, address = locked_bucket
    settings.AUDIT_ANCHOR_S3 = address.replace("/heads", "/no-such-bucket")
    happen("a")
    seal(at=NOW)
    assert anchor(at=NOW) == 1
    assert "alert" in caplog.text
    settings.AUDIT_ANCHOR_S3 = address
    assert anchor(at=NOW) == 1
    key = "access-log/000000000001.json"
    kept = client.get_object(Bucket="heads", Key=key)
    assert json.loads(kept["Body"].read())["head"]["size"] == 1
    lock = client.head_object(Bucket="heads", Key=key)
    assert lock["ObjectLockMode"] == "COMPLIANCE"
    assert lock["ObjectLockRetainUntilDate"] >= NOW + timedelta(days=6 * 365)
    assert set(Anchored.objects.values_list("where", flat=True)) == {"file", "s3"}


@pytest.mark.parametrize(
    ("running", "settled"), [([], 9), (["3/7"], 9), (["1/2"], 4), (["1/2", "3/7"], 4)]
)
def test_what_a_transaction_that_still_runs_may_bring_is_not_settled(
    running: list[str], settled: int
) -> None:
    """It may hold an id below the mark: the sequencer looks there again."""
    last = Checkpoint(settled=4, mark=9, running=["1/2"])
    assert module._settled(last, running) == settled
