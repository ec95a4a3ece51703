"""The viewer's tools in a browser: measured by hand, kept, compared, gone when access ends."""

from collections.abc import Callable
from itertools import count
from pathlib import Path

import pydicom
import pytest
from playwright.sync_api import Page, Route, expect

from tests.faces.viewer.screen import Screen
from tests.live import LivePortal

pytestmark = pytest.mark.xdist_group("viewer")
Opens = Callable[..., Screen]
ROWS, SPACING = 256, 0.234375  # of the wrist, by pydicom


def drag(page: Page, *points: tuple[float, float]) -> None:
    """Press at the first point, go over the others, let go."""
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=4)
    page.mouse.up()


def test_ben_measures_by_hand_keeps_it_and_finds_it_again(ben_opens: Opens) -> None:
    screen = ben_opens("mr_wrist_j1")
    page = screen.page
    stage = page.locator("#stage").bounding_box()
    assert stage
    screen.until(lambda state: "panes" in state, "the features are there")
    page.keyboard.press("l")
    screen.wait(tool="length")
    x, y = stage["x"] + stage["width"] / 2, stage["y"] + stage["height"] / 2
    drag(page, (x - 100, y), (x, y), (x + 100, y))
    screen.wait(measured="1")
    shown = page.locator('.vside [data-list="measures"] .figure')
    scale = min(stage["height"] / ROWS, stage["width"] / ROWS)
    by_hand = 200 / scale * SPACING
    assert float(shown.inner_text().removesuffix(" mm")) == pytest.approx(by_hand, abs=0.3)
    page.keyboard.press("k")
    screen.wait(unkept="2")
    page.get_by_role("button", name="Keep 2 for your organization").first.click()
    screen.wait(unkept="0")
    said = shown.inner_text()
    page.reload()
    screen.wait(60, state="live")
    screen.wait(notes="2", measured="1", keys="1")
    assert shown.inner_text() == said
    expect(page.locator(".vside .measures")).to_contain_text("HT Ben Hartley")
    page.keyboard.press("f")
    page.keyboard.press("t")
    expect(page.locator('[data-part="edge-right"]')).not_to_have_text("")
    assert screen.complaints == []


EDGES = """() => [...document.querySelectorAll('.plane')].map((plane) =>
  [...plane.querySelectorAll('.edge')].map((each) => each.textContent).join(''))"""
BRIGHT = """() => [...document.querySelectorAll('.plane canvas')].every((canvas) => {
  const { width, height } = canvas;
  const bytes = canvas.getContext('2d').getImageData(0, 0, width, height).data;
  return bytes.some((level, at) => at % 4 === 0 && level > 200);
})"""


def test_a_head_is_cut_in_three_planes_that_say_which_side_is_which(ben_opens: Opens) -> None:
    screen = ben_opens("ct_stereotaxis_40")
    screen.until(lambda state: "planes" in state, "the features are there")
    screen.page.keyboard.press("v")
    screen.wait(60, planes="3")
    assert screen.page.evaluate(EDGES) == ["ALPR", "HLFR", "HPFA"]  # top, right, bottom, left
    expect(screen.page.locator("#say")).to_be_hidden()
    screen.page.wait_for_function(BRIGHT)
    screen.page.keyboard.press("v")
    screen.wait(planes="0")
    assert screen.complaints == []


def test_planes_are_left_and_opened_again_while_slices_are_on_their_way(ben_opens: Opens) -> None:
    screen = ben_opens("ct_stereotaxis_40")
    page = screen.page
    held: list[Route] = []
    asked = count(1)
    page.route(
        "**/frames/*", lambda route: route.continue_() if next(asked) < 25 else held.append(route)
    )
    page.reload()
    screen.wait(60, state="live")
    screen.until(lambda state: "planes" in state, "the features are there")
    page.keyboard.press("v")
    screen.wait(60, planes="3")
    assert held
    page.keyboard.press("v")
    screen.wait(planes="0")
    assert int(screen.state()["loaded"]) < 40
    page.route("**/frames/*", lambda route: route.continue_())
    for route in held:
        route.continue_()
    screen.wait(loaded="40")
    page.keyboard.press("v")
    screen.wait(60, planes="3")
    page.wait_for_function(BRIGHT)
    assert screen.complaints == []
    screen.sign_out()
    assert page.evaluate("() => document.querySelectorAll('canvas, img').length") == 0
    assert [said for said in screen.complaints if "status of 401" not in said] == []  # the pulse's


def test_what_the_scripts_say_is_in_the_reader_s_language(ben_opens: Opens) -> None:
    """The page and its scripts speak one: what was chosen at the foot of a page."""
    screen = ben_opens("mr_wrist_j1")
    page, viewer = screen.page, screen.page.url
    page.goto(f"{screen.url}/studies/")
    page.get_by_role("button", name="简体中文").click()
    page.goto(viewer)
    screen.wait(60, state="live")
    expect(page.locator("[data-part=image]")).to_have_text("第9幅，共16幅")
    screen.until(lambda state: "planes" in state, "the features are there")
    page.keyboard.press("a")
    expect(page.locator("#say")).to_have_text("先画一条边，再点按另一条边的终点。")
    assert screen.complaints == []


def test_lengths_are_refused_with_the_reason_where_no_tag_tells_them(ben_opens: Opens) -> None:
    screen = ben_opens("xa_coronary_run")
    screen.until(lambda state: "panes" in state, "the features are there")
    screen.page.keyboard.press("l")
    expect(screen.page.locator("#say")).to_contain_text("does not say how large its pixels are")
    assert screen.state()["tool"] != "length"


def test_a_probe_reads_the_suv_that_the_tags_give(ben_opens: Opens, real_data: Path) -> None:
    screen = ben_opens("pt_wholebody_seg")
    page = screen.page
    stage = page.locator("#stage").bounding_box()
    assert stage
    screen.until(lambda state: "panes" in state, "the features are there")
    page.keyboard.press("q")
    screen.wait(tool="probe")
    scale = min(stage["height"], stage["width"]) / 128
    at = (
        stage["x"] + stage["width"] / 2 + 2.5 * scale,
        stage["y"] + stage["height"] / 2 - 4.5 * scale,
    )
    drag(page, at, at)
    screen.wait(measured="1")
    image = file_of(real_data / "studies/pt_wholebody_seg", screen.state()["sop"])
    dose = image.RadiopharmaceuticalInformationSequence[0]
    waited = seconds(image.SeriesTime) - seconds(dose.RadiopharmaceuticalStartTime)
    decayed = float(dose.RadionuclideTotalDose) * 2 ** (-waited / float(dose.RadionuclideHalfLife))
    counts = float(image.pixel_array[59, 66]) * image.RescaleSlope + image.RescaleIntercept
    suv = counts * float(image.PatientWeight) * 1000 / decayed
    shown = page.locator('.vside [data-list="measures"] .figure').inner_text()
    assert shown == f"{suv:.2f} SUV"


def seconds(time: str) -> float:
    """Of a DICOM TM, since midnight."""
    return int(time[:2]) * 3600 + int(time[2:4]) * 60 + float(time[4:])


def file_of(folder: Path, sop: str) -> pydicom.Dataset:
    """The image of that SOP Instance UID."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    return next(data for path in paths if (data := pydicom.dcmread(path)).SOPInstanceUID == sop)


def test_the_earlier_study_stands_beside_and_all_goes_when_the_patient_withdraws(
    ben_opens: Opens, hospital: LivePortal, stored: dict[str, str]
) -> None:
    screen = ben_opens("us_cine_jpeg")
    page = screen.page
    screen.until(lambda state: "panes" in state, "the features are there")
    page.keyboard.press("d")
    screen.wait(panes="2", beside=stored["us_cine_jpeg:earlier"])
    beside = page.locator(".vp").nth(1)
    expect(beside).to_have_attribute("data-state", "live", timeout=30_000)
    expect(beside.locator('[data-part="owner"]')).to_contain_text("Riverside General Hospital")
    page.keyboard.press("g")
    screen.wait(panes="4")
    assert screen.complaints == []
    call = f"stage.withdraw({stored['us_cine_jpeg']!r})"
    hospital.manage("shell", "-c", f"from tests.faces.viewer import stage; {call}")
    screen.wait(state="blanked")
    assert (
        page.evaluate("() => document.querySelectorAll('canvas, img, .vp, template').length") == 0
    )
