"""Fixtures that every test may ask for. The cast stands in tests/cast.py."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone
from playwright.sync_api import Browser

from portal import celery_app, rowlevel
from sharing.kernel import scope
from tests import kinds, live, mould

pytest_plugins = ["tests.cast", "tests.committing", "tests.stores"]
ROOT = Path(__file__).resolve().parent.parent
CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--enable-unsafe-swiftshader",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--disable-gpu-compositing",  # pages by the processor itself: for WebGL alone a GPU is played
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--halves`, which `make test` gives."""
    told = "leave out what the run on the other kind of database asks (tests/kinds.py)"
    parser.addoption("--halves", action="store_true", help=told)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """True for a file of the other half; None: whatever pytest says."""
    named = collection_path.name.startswith("test_")
    return (named and config.option.halves and kinds.elsewhere(collection_path)) or None


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that share the live portal share a worker: one stack on a machine, not one each.

    They take longest, so they begin first, and the other workers do the rest meanwhile.
    """
    for item in items:
        if {"live_portal", "live_demo"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.xdist_group("live"))
    items.sort(key=lambda item: item.get_closest_marker("xdist_group") is None)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None) -> Iterator[ExitStack]:
    """Each worker's database begins as a copy of the mould, made by the owner of its tables."""
    held = connections["default"].settings_dict
    if held["ENGINE"].endswith("sqlite3"):
        mould.sqlite_into(Path(held["TEST"]["NAME"]))
    else:
        held["TEST"]["TEMPLATE"] = mould.postgresql(os.environ["DATABASE_OWNER_URL"])
    with ExitStack() as owning:
        owning.enter_context(rowlevel.as_owner())
        yield owning


@pytest.fixture(scope="session")
def django_db_setup(
    django_db_modify_db_settings: ExitStack, django_db_setup: None
) -> Iterator[None]:
    """The tests run as the portal's own role; only the owner makes and drops the database."""
    django_db_modify_db_settings.close()
    yield
    django_db_modify_db_settings.enter_context(rowlevel.as_owner())


@pytest.fixture(autouse=True)
def _house() -> Iterator[None]:
    """What a test does by itself it does as the portal's operator; requests set their own scope."""
    with scope.as_house():
        yield


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    """A SQLite file that is there is taken as it is; its folder ends with the run."""
    return connections["default"].vendor == "sqlite"


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real DICOM. Absent: skips, but fails where CI is set."""
    folder = Path(os.environ.get("PORTAL_TEST_DATA") or ROOT.parent / "shared" / "data")
    if (folder / "manifest.csv").exists():
        return folder
    if os.environ.get("CI"):
        pytest.fail("real data is absent: set PORTAL_TEST_DATA")
    pytest.skip("real data is absent: set PORTAL_TEST_DATA")


@pytest.fixture
def run_jobs() -> Callable[..., int]:
    """Keep all promises that are due, in this process: what the worker does in real life."""
    from sharing.outbox import services
    from sharing.outbox.models import Job

    celery_app.loader.import_default_modules()

    def run(at: datetime | None = None) -> int:
        done = 0
        while due := list(Job.objects.due(at or timezone.now()).values_list("pk", flat=True)):
            kept = sum(services.run(job_id=job_id, at=at or timezone.now()) for job_id in due)
            done += kept
            if not kept:
                break
        return done

    return run


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    """Debian's Chromium, or the one that CHROMIUM names (Playwright downloads none)."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
    return {"executable_path": path, "args": list(CHROMIUM_FLAGS), "headless": True}


@pytest.fixture(scope="session")
def chromium(browser: Browser) -> Browser:
    """A real Chromium; `chromium.new_context()` is a person's own browser."""
    return browser


@pytest.fixture(scope="session")
def live_portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[live.LivePortal]:
    """An empty portal with its real processes (tests/live.py)."""
    portal = live.start(tmp_path_factory.mktemp("live"), empty=True)
    yield portal
    live.stop(portal)
