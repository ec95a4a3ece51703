"""The viewer on a thin line: the picture first, then the image in its place, little on the way; a
line that is lost resumes by itself.
"""

from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from django.urls import reverse
from PIL import Image
from playwright.sync_api import Browser, expect

from bench.shaper import Line, Shaper
from tests.faces.viewer.conftest import DESK
from tests.faces.viewer.screen import Screen
from tests.live import LivePortal

pytestmark = pytest.mark.xdist_group("viewer")

MOST_BYTES = 1_100_000
MOST_REQUESTS = 12
"""Of the page, its scripts, styles, font and first image."""
SHOWN = """() => {
  const first = document.querySelector('img.first');
  return Boolean(first && first.complete && first.naturalWidth);
}"""


@pytest.fixture
def thin(
    chromium: Browser, hospital: LivePortal, stored: dict[str, str], signed_in: Any
) -> Iterator[Callable[[Line], tuple[Screen, Shaper]]]:
    """Ben's browser, never here before, behind such a line."""
    opened: list[Any] = []
    port = int(hospital.url.rsplit(":", 1)[1])

    def behind(line: Line) -> tuple[Screen, Shaper]:
        shaper = Shaper(port, line)
        shaper.__enter__()
        context = chromium.new_context(storage_state=signed_in, **DESK)
        opened.extend((context, shaper))
        return Screen(context.new_page(), shaper.url), shaper

    yield behind
    for each in opened:
        each.close() if hasattr(each, "close") else each.__exit__()


def grey(screen: Screen) -> Any:
    """The middle of the pane as it is on the screen, whoever drew it."""
    raw = screen.page.locator("#viewport").screenshot()
    picture = np.asarray(Image.open(BytesIO(raw)).convert("L"), dtype=float)
    rows, columns = picture.shape
    return picture[rows // 4 : -rows // 4, columns // 4 : -columns // 4]


def test_the_first_picture_makes_way_for_the_image_without_a_jump_and_little_travels(
    thin: Any, stored: dict[str, str]
) -> None:
    screen, shaper = thin(Line("2 Mbit/s", 250_000, 0.1))
    path = reverse("viewer:study", args=[stored["ct_stereotaxis_40"]])
    screen.page.goto(shaper.url + path, wait_until="commit")
    screen.until(lambda _: screen.page.evaluate(SHOWN), "a first picture")
    assert screen.state()["state"] == "loading"
    expect(screen.page.locator('[data-part="badge"]')).to_have_text("Preview")
    before = grey(screen)
    screen.wait(state="live")
    screen.until(lambda state: int(state.get("loaded", 0)) > 1, "an image ahead")
    counted = shaper.counted.before_images_ahead()
    paths = [path for path in counted.paths if not path.endswith("/pulse")]
    assert counted.down < MOST_BYTES
    assert len(paths) <= MOST_REQUESTS, paths
    expect(screen.page.locator('[data-part="badge"]')).to_be_hidden()
    after = grey(screen)
    assert np.abs(before - after).mean() < 8  # of 255: a small JPEG on a busy machine
    shifted = np.abs(np.roll(before, 6, axis=1) - after)[:, 6:].mean()
    assert shifted > 1.5 * np.abs(before - after).mean()
    kept = screen.page.evaluate("() => [...Object.keys(localStorage), sessionStorage.length]")
    assert kept == ["cornerstone3D.renderingCapabilities", 0]  # what the graphics card can do
    assert screen.complaints == []


def test_a_lost_line_says_so_and_resumes_by_itself(thin: Any, stored: dict[str, str]) -> None:
    screen, _ = thin(Line("1 Mbit/s", 125_000, 0.05))
    screen.open(stored["ct_stereotaxis_40"])
    quality = screen.page.locator('[data-part="quality"]')
    said = screen.page.locator("#status-after")
    expect(said).to_contain_text("at your speed")
    line = screen.page.locator("#line")
    screen.page.context.set_offline(True)
    screen.page.keyboard.press("End")
    expect(line).to_have_text("No connection. Trying again.")
    screen.page.context.set_offline(False)
    expect(line).to_have_text("The connection is back. Loading goes on.", timeout=10_000)
    screen.wait(index="40")
    expect(quality).to_have_text("Full quality", timeout=20_000)
