"""Scripts in what hospitals send (A17): pages and the viewer show them as the text they are.

SCRIPTS=60 in the environment opens as many studies (make soak); the suite opens a few.
"""

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, Page

from tests.faces.viewer.conftest import DESK
from tests.faces.viewer.hostile import SCRIPTS, folder_of, said
from tests.faces.viewer.screen import Screen
from tests.live import LivePortal

pytestmark = pytest.mark.xdist_group("viewer")
COUNT = int(os.environ.get("SCRIPTS", "4"))
WATCH = """
window.refused = [];
document.addEventListener('securitypolicyviolation', (event) => window.refused.push(
  `${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
"""
FOUND = "() => [window.hit === undefined, window.refused]"


@pytest.fixture(scope="module")
def hostile(
    hospital: LivePortal, stored: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """The public ids of studies whose every text is a script."""
    folder = tmp_path_factory.mktemp("hostile")
    names = [str(folder_of(number, folder)) for number in range(COUNT)]
    call = f"stage.also({names!r})"
    said = hospital.manage("shell", "-c", f"from tests.faces.viewer import stage; {call}")
    found: dict[str, str] = json.loads(said[said.index("{") : said.rindex("}") + 1])
    return found


@pytest.fixture
def screen(chromium: Browser, hospital: LivePortal, signed_in: Any) -> Iterator[Screen]:
    """Ben's, with an ear for what the pages' policy refuses."""
    context = chromium.new_context(storage_state=signed_in, **DESK)
    context.add_init_script(WATCH)
    yield Screen(context.new_page(), hospital.url)
    context.close()


def as_text(page: Page, dialogs: list[str]) -> None:
    """Nothing ran, and nothing was even tried."""
    page.wait_for_timeout(100)
    assert (page.evaluate(FOUND), dialogs) == ([True, []], []), page.url


def test_there_are_sixty_scripts_at_least() -> None:
    assert len(set(SCRIPTS)) >= 58


def test_pages_show_scripts_as_text(screen: Screen, hostile: dict[str, str]) -> None:
    page, dialogs = screen.page, list[str]()
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    for address in ("/", "/studies/", "/studies/?q=script", "/studies/?q=%3Cscript%3Ealert(1)"):
        page.goto(screen.url + address)
        as_text(page, dialogs)
    for number, public_id in enumerate(hostile.values()):
        page.goto(f"{screen.url}/studies/{public_id}/")
        as_text(page, dialogs)
        assert said(number, "AccessionNumber") in page.locator("main").inner_text()
    assert screen.complaints == []


def test_the_viewer_shows_scripts_as_text(screen: Screen, hostile: dict[str, str]) -> None:
    """The overlay, the rail, and a report of all of them."""
    page, dialogs = screen.page, list[str]()
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    for public_id in hostile.values():
        page.goto(screen.url + reverse("viewer:study", args=[public_id]))
        screen.wait(60, state="live")
        as_text(page, dialogs)
        page.keyboard.press("PageDown")
        page.wait_for_timeout(500)
        as_text(page, dialogs)
    assert screen.complaints == []
