"""Pat signs with a finger on a phone of 390 pixels while the clerk's page follows."""

import re
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.cast import PASSWORD
from tests.journeys.people import Human, sit_down
from tests.journeys.test_every_page import RULES
from tests.live import LivePortal

PHONE = {"width": 390, "height": 844}
LINES = (  # shares of the box's width and height
    ((0.1, 0.7), (0.2, 0.2), (0.3, 0.8), (0.4, 0.3)),
    ((0.5, 0.5), (0.6, 0.2), (0.7, 0.7)),
)


def test_pat_reads_in_chinese_signs_with_the_finger_and_withdraws(
    live_portal: LivePortal, chromium: Browser, tmp_path: Path
) -> None:
    prepare = "from tests.journeys import stage; stage.prepare_desk()"
    patient = live_portal.manage("shell", "-c", prepare).split()[-1]
    nora = sit_down(chromium, live_portal, "nora@seaside.example", PASSWORD)
    nora.signs_in()
    show_the_code(nora, patient)
    phone = a_phone(chromium, nora)
    prove(phone, nora)
    read_in_both_languages(phone)
    sound(phone, nora.page)
    nora.reads("Opened on the phone")
    sign(phone)
    nora.reads(re.compile(r"Consent C-\d+ is in force"))
    keep_a_copy(phone, tmp_path)
    nora.follows(re.compile("To consent"))
    nora.reads("Signed on the patient’s phone")
    withdraw(chromium, nora)
    assert not nora.complaints, nora.complaints


def show_the_code(nora: Human, patient: str) -> None:
    """A template, the phone, one press: the picture stands there."""
    nora.goes_to(f"/patients/{patient}/consents/new/")
    nora.follows(re.compile("This hospital may share"))
    page = nora.page
    page.locator("[name=verification][value=qr]").check()
    page.locator("select[name=language]").select_option("zh-Hans")
    nora.presses("Show the code")
    expect(page.locator("svg.qr")).to_be_visible()


def a_phone(chromium: Browser, nora: Human) -> Page:
    """Pat's phone at the address that the picture says."""
    context = chromium.new_context(viewport=PHONE, has_touch=True, is_mobile=True)
    phone = context.new_page()
    code = nora.page.locator("[data-code]").inner_text().replace("-", "")
    asked: list[str] = []
    phone.on("request", lambda request: asked.append(request.url))
    phone.goto(f"{nora.portal.url}/phone/?lang=zh-Hans#{code}")
    expect(phone.locator("[data-code-field]")).to_be_hidden()
    assert code not in phone.url, "the code leaves the address bar"
    assert not [url for url in asked if code in url.partition("#")[0]], "no server is told of it"
    return phone


def prove(phone: Page, nora: Human) -> None:
    """A wrong day first, then the three proofs."""
    digits = nora.page.locator("[data-digits]").inner_text()
    for day, month, year in (("4", "5", "1958"), ("3", "5", "1958")):
        for name, value in {"day": day, "month": month, "year": year, "digits": digits}.items():
            phone.locator(f"[name={name}]").fill(value)
        phone.locator("button.btn-primary").tap()
        if day == "4":
            expect(phone.locator("[role=alert]")).to_contain_text("内容不符")
    expect(phone).to_have_url(re.compile("/phone/read/"))


def read_in_both_languages(phone: Page) -> None:
    """One question, two buttons of the same width, no scrolling sideways."""
    expect(phone.locator("h1")).to_contain_text("您同意海滨医院逐一指定的人查看您的影像和报告吗？")
    phone.get_by_role("link", name="English").tap()
    expect(phone.locator("h1")).to_contain_text("see your images and reports?")
    phone.locator("a.lang").tap()
    yes, no = phone.get_by_role("link", name="同意，去签名"), phone.get_by_role("button")
    assert width(yes) == width(no.last) > 300
    expect(phone.locator("body")).to_contain_text("不同意不影响您在这里看病。")
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def sound(*pages: Page) -> None:
    """Axe finds nothing on them."""
    for page in pages:
        found = Axe().run(page, options=RULES).response["violations"]
        assert not found, [(each["id"], each["nodes"][0]["target"]) for each in found]


def width(button: Any) -> float:
    box = button.bounding_box()
    assert box
    assert box["height"] >= 44
    return float(box["width"])


def sign(phone: Page) -> None:
    """Nothing drawn is no signature; two lines are one."""
    phone.get_by_role("link", name="同意，去签名").tap()
    phone.get_by_role("button", name="签名并同意").tap()
    expect(phone.locator("[data-missing]")).to_be_visible()
    sound(phone)
    box = phone.locator("canvas").bounding_box()
    assert box
    for line in LINES:
        points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in line]
        phone.mouse.move(*points[0])
        phone.mouse.down()
        for point in points[1:]:
            phone.mouse.move(*point, steps=8)
        phone.mouse.up()
    phone.get_by_role("button", name="签名并同意").tap()
    expect(phone.locator("h1")).to_contain_text("已签名")
    sound(phone)


def keep_a_copy(phone: Page, folder: Path) -> None:
    """The PDF of what was shown, on the phone."""
    with phone.expect_download() as waiting:
        phone.get_by_role("link", name="保存副本（PDF）").tap()
    file = folder / "copy.pdf"
    waiting.value.save_as(file)
    assert file.read_bytes().startswith(b"%PDF-1.7")


def withdraw(chromium: Browser, nora: Human) -> None:
    """The same kind of code shows the consent again, and ends it."""
    nora.presses("Patient’s phone")
    expect(nora.page.locator("svg.qr")).to_be_visible()
    phone = a_phone(chromium, nora)
    prove(phone, nora)
    sound(phone)
    phone.get_by_role("button", name="撤回").tap()
    expect(phone.locator("h1")).to_contain_text("已撤回")
    nora.reads("The patient withdrew consent")
