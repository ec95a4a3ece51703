"""The pictures of the README, from the demo region in a real browser: `make screenshots`.

`python -m tests.screenshots [FOLDER]`: home, patient, study and viewer at a desk, the viewer on a
phone. A portal of its own is founded and ended; nothing but docs/screenshots is written.
"""

import os
import re
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import django

DESK = {"viewport": {"width": 1440, "height": 900}}
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "has_touch": True,
    "is_mobile": True,
}
READER = "ben@hilltop.example"
SHOWN, WHOSE = "CT head without contrast", "MOREAU"
HERE = Path(__file__).resolve().parent.parent / "docs" / "screenshots"
STATE = "() => document.getElementById('viewer')?.dataset.state"


def main(folder: Path) -> None:
    """Take all of them."""
    from playwright.sync_api import sync_playwright

    from tests import live
    from tests.conftest import CHROMIUM_FLAGS

    place = Path(tempfile.mkdtemp(prefix="screens-"))
    portal = live.start(place / "portal", empty=True)
    try:
        portal.manage("demo")
        chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=chromium, args=list(CHROMIUM_FLAGS)
            )
            _take(browser, portal.url, folder)
            browser.close()
    finally:
        live.stop(portal)
        shutil.rmtree(place, ignore_errors=True)


def _take(browser: Any, url: str, folder: Path) -> None:
    desk = _signed_in(browser, url, **DESK)
    _until_settled(desk, url)
    desk.goto(url + "/")
    _shot(desk, folder, "home")
    desk.goto(url + "/studies/")
    study = desk.get_by_role("link", name=SHOWN).first.get_attribute("href")
    desk.goto(url + study)
    _shot(desk, folder, "study")
    desk.goto(url + "/patients/")
    patient = desk.get_by_role("link", name=WHOSE).first.get_attribute("href")
    desk.goto(url + patient)
    _shot(desk, folder, "patient")
    viewer = re.sub(r"^/studies/([^/]+)/.*", r"/viewer/\1/", study)
    for page, name in ((desk, "viewer"), (_signed_in(browser, url, **PHONE), "viewer-phone")):
        page.goto(url + viewer)
        _until_live(page)
        _shot(page, folder, name)


def _signed_in(browser: Any, url: str, **device: Any) -> Any:
    from sharing.demo.management.commands.demo import PASSWORD

    page = browser.new_context(**device).new_page()
    page.goto(url + "/accounts/login/")
    page.get_by_label("Work e-mail").fill(READER)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(lambda address: "/accounts/login/" not in address)
    return page


def _until_settled(page: Any, url: str, seconds: float = 240) -> None:
    ends = time.monotonic() + seconds
    while "Receiving" in page.goto(url + "/studies/").text():
        if time.monotonic() > ends:
            raise SystemExit("the studies did not settle")
        page.wait_for_timeout(1000)


def _until_live(page: Any, seconds: float = 60) -> None:
    ends = time.monotonic() + seconds
    while page.evaluate(STATE) != "live":
        if time.monotonic() > ends:
            raise SystemExit("the viewer did not come to life")
        page.wait_for_timeout(100)


def _shot(page: Any, folder: Path, name: str) -> None:
    page.wait_for_load_state("networkidle") if "viewer" not in name else page.wait_for_timeout(3000)
    page.screenshot(path=folder / f"{name}.png")
    print(f"{name}.png", flush=True)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
