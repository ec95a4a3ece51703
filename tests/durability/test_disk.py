"""F06, F12: a disk that is full, and one that fails. A store request under strace, call by call."""

import pytest

from tests.durability.sending import made, stored
from tests.durability.tracing import Forks, counts, needs_strace

pytestmark = [needs_strace, pytest.mark.xdist_group("durability")]
WRITERS = "write,pwrite64,ftruncate,mkdir,fsync"


def test_a_disk_that_fills_up_at_any_write_is_told_and_heals(asked: Forks) -> None:
    """From the nth write on nothing can be written: 507, nothing torn; then there is room again."""
    first = made("full", 0)
    asked.store([first])
    made_calls = counts(asked.store([made("full", 1)], ["-e", f"trace={WRITERS}"]).trace)
    told: set[int] = set()
    for name, most in made_calls.items():
        for number in {1, (most + 1) // 2, most}:
            item = made("full", 10 + number + 100 * len(name))
            fault = f"inject={name}:error=ENOSPC:when={number}+"
            ended = asked.store([item, first], ["-e", f"trace={name}", "-e", fault])
            assert ended.answer is not None, (name, number)
            assert ended.answer.status in (200, 202, 507), (name, number, ended.answer.body)
            told.add(ended.answer.status)
            kept = asked.truth()["rows"]
            assert stored(ended.answer) <= set(kept), (name, number)
            assert stored(asked.store([item]).answer) == {item.sop}
    assert 507 in told
    found = asked.truth()
    assert (found["torn"], found["miscounted_studies"]) == ([], 0)


@pytest.mark.parametrize("call", ["fsync", "fdatasync"])
def test_a_disk_that_does_not_keep_its_promise_gets_no_second_chance(
    asked: Forks, call: str
) -> None:
    """After EIO the same process refuses all that comes; a new one stores it."""
    if call == "fdatasync" and asked.rig.environ["DATABASE_URL"]:
        pytest.skip("only SQLite calls it in our process; PostgreSQL ends itself")
    item = made(f"failing-{call}", 0)
    asked.store([made(f"failing-{call}", 1)])
    fault = f"inject={call}:error=EIO:when=1"
    ended = asked.store([item], ["-e", f"trace={call}", "-e", fault], times=2)
    assert [answer.status for answer in ended.answers] == [503, 503]
    assert ended.answers[1].json["code"] == "store_broken"
    assert item.sop not in asked.truth()["rows"]
    assert stored(asked.store([item]).answer) == {item.sop}
