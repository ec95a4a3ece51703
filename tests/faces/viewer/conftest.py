"""A live portal with real files at Riverside, and a Chromium in which Ben is signed in."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, expect

from tests import live
from tests.cast import PASSWORD
from tests.faces.viewer.kinds import one_study
from tests.faces.viewer.screen import Screen

STUDIES = (
    "ct_stereotaxis_40",
    "mr_wrist_j1",
    "us_cine_jpeg",
    "xa_coronary_run",
    "mg_single_view",
    "dx_chest_pa",
    "pt_wholebody_seg",
)
DESK = {"viewport": {"width": 1280, "height": 800}}


@pytest.fixture
def today(region: Any) -> Any:
    """The cast, now: pages read the real clock."""
    region.at = timezone.now() - timedelta(minutes=1)
    return region


@pytest.fixture(scope="session")
def hospital(
    tmp_path_factory: pytest.TempPathFactory, real_data: Path
) -> Iterator[live.LivePortal]:
    """A portal of its own: the main journey's begins without Riverside."""
    assert Path(settings.VITE_MANIFEST).exists(), "run make setup: the front end is not built"
    portal = live.start(tmp_path_factory.mktemp("viewer"))
    yield portal
    live.stop(portal)


@pytest.fixture(scope="session")
def kinds(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of many kinds of files (tests/faces/viewer/kinds.py)."""
    return one_study(real_data, tmp_path_factory.mktemp("many") / "kinds")


@pytest.fixture(scope="session")
def stored(hospital: live.LivePortal, real_data: Path, kinds: Path) -> dict[str, str]:
    """The public id of each stored study, by the name of its folder."""
    call = f"stage.prepare({str(real_data / 'studies')!r}, {[*STUDIES, str(kinds)]!r})"
    said = hospital.manage("shell", "-c", f"from tests.faces.viewer import stage; {call}")
    found: dict[str, str] = json.loads(said[said.index("{") : said.rindex("}") + 1])
    return found


@pytest.fixture(scope="session")
def signed_in(chromium: Browser, hospital: live.LivePortal, stored: dict[str, str]) -> Any:
    """Ben's cookies, after he signed in as people do."""
    context = chromium.new_context()
    page = context.new_page()
    page.goto(hospital.url + "/accounts/login/")
    page.get_by_label("Work e-mail").fill("ben@hilltop.example")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page).not_to_have_url(re.compile("/accounts/login/"))
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def ben_opens(
    chromium: Browser, hospital: live.LivePortal, stored: dict[str, str], signed_in: Any
) -> Iterator[Callable[..., Screen]]:
    """`ben_opens("mr_wrist_j1")`: the viewer of that study, live on his screen."""
    contexts: list[BrowserContext] = []

    def open_study(name: str, **device: Any) -> Screen:
        context = chromium.new_context(storage_state=signed_in, **(device or DESK))
        contexts.append(context)
        return Screen(context.new_page(), hospital.url).open(stored[name])

    yield open_study
    for context in contexts:
        context.close()
