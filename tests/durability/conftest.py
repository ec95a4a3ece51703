"""The rig of the tests that only need one."""

import os
from collections.abc import Iterator

import pytest

from tests import live
from tests.durability.rig import Rig, rig
from tests.durability.tracing import Forks, forks
from tests.postgres import urls


@pytest.fixture(scope="session")
def database() -> Iterator[str]:
    """The owner's URL of a database without rows, of the kind that this test run is for."""
    server = os.environ.get("DATABASE_OWNER_URL", "")
    url = live.fresh_database(server)
    yield url or ""
    if url:
        live.drop_database(server, url)


@pytest.fixture(scope="session")
def portal(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """The portal's processes, each to be killed alone; all run at the start."""
    names = ("broker", "worker", "beat", "web")
    where = urls(database) if database else {}
    with rig(tmp_path_factory.mktemp("rig"), *names, **where) as running:
        yield running


@pytest.fixture(scope="session")
def asked(portal: Rig) -> Iterator[Forks]:
    """Requests as processes, over the same folder and database."""
    with forks(portal) as running:
        yield running
