"""F01, F02, F05, F13: what was acknowledged survives. The long runs are in `make soak`."""

from pathlib import Path

import pytest

from tests.durability import kill, points
from tests.durability.forks import SEEDS
from tests.durability.ledger import Ledger
from tests.durability.order import dirty_at_answer
from tests.durability.rig import Rig
from tests.durability.sending import made, store
from tests.durability.tracing import FILES, Forks, needs_strace, traced
from tests.waiting import wait_until

pytestmark = pytest.mark.xdist_group("durability")  # one rig for all of them
WRITES = ["-y", "-s", "64", "-e", f"trace={FILES}"]


@needs_strace
def test_the_server_answers_after_all_is_on_the_disk(portal: Rig) -> None:
    """Of the real web server, thread by thread: new objects, known ones, another study's."""
    trace = portal.folder / "trace"
    web = portal.pids("web")[-1]
    old = [made("order", number) for number in range(3)]
    for batch in (old, [made("order", 3), *old], [made("order", 4), made("order-b", 1)]):
        there = {str(path) for path in portal.folder.rglob("*")}
        with traced(web, trace, *WRITES):
            assert store(portal.port, portal.token, batch).status == 200
            wait_until(lambda: "HTTP/1.1 20" in trace.read_text(errors="replace"))
        lines = trace.read_text(errors="replace").splitlines()
        assert dirty_at_answer(lines, portal.folder, there) == []


@needs_strace
@pytest.mark.parametrize("seed", [seed for seed in SEEDS if seed])
def test_a_missing_sync_is_seen(asked: Forks, seed: str) -> None:
    """The check above can fail: each mistake leaves its own trace."""
    if "SQLite" in seed and asked.rig.environ["DATABASE_URL"]:
        pytest.skip("PostgreSQL syncs by itself")
    folder = asked.rig.folder
    there = {str(path) for path in folder.rglob("*")}
    ended = asked.store([made(f"seed-{seed}", 0)], WRITES, seed)
    dirty = [Path(path) for path in dirty_at_answer(ended.trace, folder, there)]
    assert dirty
    expected = {
        "no file is synced": lambda path: path.suffix == ".pack",
        "no folder is synced": Path.is_dir,
        "SQLite syncs at checkpoints only": lambda path: path.name == "portal.sqlite3-wal",
    }
    assert all(expected[seed](path) for path in dirty), dirty


@needs_strace
def test_a_store_killed_at_any_step_is_whole_or_absent(asked: Forks) -> None:
    """Every rename and sync, and a part of the writes; sending again heals."""
    assert asked.store([made("points", 0, side=8)]).code == 0
    found = {
        f"{name} {n}": points.broken_at(asked, name, n) for name, n in points.points(asked, 60)
    }
    assert len(found) > 8
    assert {point: wrong for point, wrong in found.items() if wrong} == {}


def test_what_was_acknowledged_survives_kills(portal: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """A web worker and a Celery worker, while four senders send."""
    monkeypatch.setattr(kill, "AT_LEAST", 20)
    ledger, found = kill.run(portal, 2, seed=7)
    assert kill.faults(ledger, found) == []
    assert ledger.acknowledgements >= 40


def test_the_check_sees_what_is_not_as_it_was_promised() -> None:
    """A row without its bytes, an acknowledgement without a row, a job that stands still."""
    lost, ledger = made("never-sent", 0), Ledger()
    ledger.note([lost], {lost.sop})
    found = {
        "rows": {}, "torn": ["x"], "not_as_sent": [], "unsettled": 1, "jobs": {"owed": 1},
        "owed": [], "miscounted_studies": 0, "miscounted_series": 0, "series_of_studies": [1, 1],
        "told_in_log": 0,
    }  # fmt: skip
    words = kill.faults(ledger, found)
    assert [word[:12] for word in words] == [
        "1 acknowledg", "1 rows whose", "1 studies ne", "jobs that ar",
    ]  # fmt: skip
