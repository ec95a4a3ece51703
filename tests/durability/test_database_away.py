"""F04: a PostgreSQL that is gone, frozen or back. Within two seconds the caller knows."""

import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from tests.durability.rig import Rig, rig
from tests.durability.sending import Answer, made, retrieve, store, stored
from tests.durability.servers import Postgres, postgres

FIRST = made("away", 0)
SOON = 2.0
DOORS = (f"/dicomweb/studies?PatientID={FIRST.study}", FIRST.path, "/api/v1/studies", "/readyz")


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres() as running:
        yield running


@pytest.fixture(scope="module")
def portal(server: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    folder = tmp_path_factory.mktemp("away")
    with rig(folder, "broker", "web", DATABASE_URL=server.url) as running:
        assert stored(store(running.port, running.token, [FIRST])) == {FIRST.sop}
        yield running


def told_soon(answer: Answer, began: float) -> None:
    """503, with the time to come again, before two seconds are over."""
    assert (answer.status, answer.headers["retry-after"]) == (503, "5"), answer
    assert time.monotonic() - began < SOON


def refused_everywhere(portal: Rig, number: int) -> None:
    """Every door says 503 in time, all at once, and a store is not acknowledged."""

    def knock(path: str) -> None:
        began = time.monotonic()
        told_soon(portal.ask("GET", path, timeout=10), began)

    with ThreadPoolExecutor(len(DOORS)) as threads:
        list(threads.map(knock, DOORS))
    began = time.monotonic()
    told_soon(store(portal.port, portal.token, [made("away", number)]), began)


def heals(portal: Rig, number: int) -> None:
    """Within ten seconds all doors are open, and what was refused is stored now."""
    until = time.monotonic() + 10
    while (answer := store(portal.port, portal.token, [made("away", number)])).status != 200:
        assert time.monotonic() < until, answer
        time.sleep(0.1)
    for _ in range(12):  # more often than there are connections in the pool
        assert retrieve(portal.port, portal.token, FIRST).status == 200
    assert portal.ask("GET", "/readyz").status == 200


def test_a_frozen_server_is_told_in_time_and_heals(portal: Rig, server: Postgres) -> None:
    server.signal(signal.SIGSTOP)
    try:
        refused_everywhere(portal, 1)
    finally:
        server.signal(signal.SIGCONT)
    heals(portal, 1)


def test_a_killed_server_is_told_in_time_and_heals(portal: Rig, server: Postgres) -> None:
    server.signal(signal.SIGKILL)
    try:
        refused_everywhere(portal, 2)
    finally:
        server.start()
    heals(portal, 2)


def test_a_slow_answer_is_no_absence(portal: Rig, server: Postgres) -> None:
    """The server lives and another session holds the row: waiting is right."""
    with psycopg.connect(server.url) as other:
        other.execute("LOCK TABLE archive_instance IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(TimeoutError):
            retrieve(portal.port, portal.token, FIRST, timeout=2)
    assert retrieve(portal.port, portal.token, FIRST).status == 200
