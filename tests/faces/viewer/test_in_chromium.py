"""The viewer in a real browser with real files: pixels, tools, and the end of access."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest

from tests.faces.viewer.kinds import FILES, STUDY, as_pydicom_shows
from tests.faces.viewer.screen import Screen
from tests.live import LivePortal

# One live portal at a time on a machine of two cores.
pytestmark = pytest.mark.xdist_group("viewer")
Opens = Callable[..., Screen]

KINDS = {  # study -> images in the series that opens first
    "ct_stereotaxis_40": 40,
    "mr_wrist_j1": 16,
    "us_cine_jpeg": 87,
    "xa_coronary_run": 96,
    "mg_single_view": 1,
    "dx_chest_pa": 1,
    "pt_wholebody_seg": 299,
}


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_study_shows_its_pixels(name: str, ben_opens: Opens) -> None:
    screen = ben_opens(name)
    grey = screen.pixels()
    assert screen.state()["count"] == str(KINDS[name])
    assert len(np.unique(grey.round())) > 40
    assert (grey > 20).mean() > 0.02
    assert screen.complaints == []


DRAWINGS = """() => {
  window.sizes = [];
  const note = (seen) => {
    const canvas = seen.target.querySelector("canvas");
    window.sizes.push([canvas.width, canvas.height]);
  };
  document.addEventListener("CORNERSTONE_IMAGE_RENDERED", note, true);
}"""


def test_the_live_picture_comes_once_and_stays_where_it_is(ben_opens: Opens) -> None:
    """What is written below it must not move it: it would go black and be drawn anew."""
    screen = ben_opens("ct_stereotaxis_40")
    screen.page.add_init_script(f"({DRAWINGS})()")
    screen.page.reload()
    screen.wait(state="live")
    screen.page.wait_for_function("() => document.getElementById('speed').textContent")
    assert len(screen.page.evaluate("() => window.sizes")) == 1


CHOOSE = """(uid) => document.querySelector(`[data-do="series"][data-arg="${uid}"]`).click()"""


def drawn(path: Path, center: float, width: float, shape: tuple[int, int]) -> Any:
    """The file as a viewport of that shape shows it: fitted, linear window (PS3.3 C.11.2.1.2)."""
    data = pydicom.dcmread(path)
    values = data.pixel_array * float(data.RescaleSlope) + float(data.RescaleIntercept)
    grey = np.clip((values - (center - 0.5)) / (width - 1) + 0.5, 0, 1) * 255
    scale = min(shape[0] / data.Rows, shape[1] / data.Columns)
    rows = (np.arange(shape[0]) - shape[0] / 2) / scale + data.Rows / 2
    columns = (np.arange(shape[1]) - shape[1] / 2) / scale + data.Columns / 2
    inside = np.ix_((rows >= 0) & (rows < data.Rows), (columns >= 0) & (columns < data.Columns))
    picture = np.zeros(shape)
    near = [np.clip(at.astype(int), 0, None) for at in (rows, columns)]
    picture[inside] = grey[
        np.ix_(
            near[0][(rows >= 0) & (rows < data.Rows)],
            near[1][(columns >= 0) & (columns < data.Columns)],
        )
    ]
    return picture


def test_the_picture_is_the_file_in_the_chosen_window(ben_opens: Opens, real_data: Path) -> None:
    screen = ben_opens("ct_stereotaxis_40")
    screen.page.keyboard.press("3")
    screen.wait(window="500/2000")
    grey = screen.pixels()
    sop = screen.page.evaluate("() => document.getElementById('viewer').dataset.sop")
    paths = (real_data / "studies" / "ct_stereotaxis_40").rglob("*.dcm")
    path = next(
        p for p in paths if pydicom.dcmread(p, stop_before_pixels=True).SOPInstanceUID == sop
    )
    expected = drawn(path, 500, 2000, grey.shape)
    assert np.abs(grey - expected).mean() < 2


def test_files_of_many_kinds_are_shown_as_pydicom_shows_them(ben_opens: Opens, kinds: Path) -> None:
    """Each pixel within one grey level, with one pixel of the screen for each of the image."""
    screen = ben_opens("kinds")
    wrong = {}
    for number, name in enumerate(FILES, start=1):
        screen.page.evaluate(CHOOSE, f"{STUDY}.{number}")
        screen.wait(series=f"{STUDY}.{number}", state="live")
        expected = as_pydicom_shows(kinds / f"{number:02}.dcm", int(screen.state()["frame"]))
        screen.resize_stage(*expected.shape[:2])
        seen = screen.colours() if expected.ndim == 3 else screen.pixels()
        if seen.shape != expected.shape:
            wrong[name] = f"{seen.shape} and not {expected.shape}"
        elif (share := (np.abs(seen - expected) > 1).mean()) > 0:
            wrong[name] = f"{share:.4f} differ, at most {np.abs(seen - expected).max():.0f}"
    assert wrong == {}


def test_ben_scrolls_windows_zooms_and_changes_series(ben_opens: Opens) -> None:
    screen = ben_opens("ct_stereotaxis_40")
    keys = screen.page.keyboard
    keys.press("Home")
    screen.wait(index="1")
    screen.page.mouse.move(600, 400)
    screen.page.mouse.wheel(0, 300)
    screen.wait(index="4")
    soft = screen.pixels()
    keys.press("1")
    screen.wait(window="-600/1500")
    assert np.abs(screen.pixels() - soft).mean() > 5
    keys.press("i")
    screen.wait(inverted="true")
    keys.press("+")
    screen.wait(zoom="1.25")
    keys.press("r")
    screen.wait(zoom="1.00", inverted="false")
    keys.press("[")
    screen.wait(state="live", count="1")
    assert screen.complaints == []


def test_a_finger_scrolls_and_two_fingers_zoom_on_a_phone(ben_opens: Opens) -> None:
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    screen = ben_opens("mr_wrist_j1", **phone)
    at = int(screen.state()["index"])
    touch = screen.page.context.new_cdp_session(screen.page)

    def fingers(kind: str, *points: tuple[float, float]) -> None:
        given = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": given})

    fingers("touchStart", (200, 250))
    for step in range(1, 8):
        fingers("touchMove", (200, 250 + 25 * step))
    fingers("touchEnd")
    screen.until(lambda state: int(state["index"]) > at, "scrolled")
    fingers("touchStart", (150, 400), (250, 400))
    for step in range(1, 6):
        fingers("touchMove", (150 - 10 * step, 400), (250 + 10 * step, 400))
    fingers("touchEnd")
    screen.until(lambda state: float(state["zoom"]) > 1.7, "zoomed")
    width = screen.page.evaluate("() => document.documentElement.scrollWidth")
    assert width == 390
    more = screen.page.locator('.tools [data-do="more"]')
    assert more.get_attribute("data-holds") is None
    screen.page.evaluate("() => document.querySelector('#more [data-arg=ellipse]').click()")
    screen.wait(tool="ellipse")
    assert more.get_attribute("data-holds") == ""  # its own button is not in the bar


def test_the_film_of_a_multi_frame_study_plays(ben_opens: Opens) -> None:
    screen = ben_opens("xa_coronary_run")
    before = screen.state()["index"]
    screen.page.keyboard.press("c")
    screen.wait(playing="true")
    screen.until(lambda state: state["index"] != before, "another image")


def test_the_open_viewer_blanks_when_the_patient_withdraws(
    ben_opens: Opens, hospital: LivePortal, stored: dict[str, str]
) -> None:
    screen = ben_opens("dx_chest_pa")
    name = screen.page.locator("h1").first.inner_text().split()[0]
    call = f"stage.withdraw({stored['dx_chest_pa']!r})"
    hospital.manage("shell", "-c", f"from tests.faces.viewer import stage; {call}")
    screen.wait(state="blanked")
    text = screen.page.evaluate("() => document.body.innerText")
    assert "Access to this study has ended. The patient or the custodian withdrew it." in text
    assert name not in screen.page.content()
    assert screen.page.evaluate("() => document.querySelectorAll('canvas, img').length") == 0


def test_the_open_viewer_blanks_when_ben_signs_out_elsewhere(ben_opens: Opens) -> None:
    screen = ben_opens("mr_wrist_j1")
    screen.sign_out()
    assert "You are signed out" in screen.page.evaluate("() => document.body.innerText")
