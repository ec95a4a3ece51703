"""How soon an image is there on a thin line: our viewer and OHIF, on the same study, in one run.

`make bench-viewer`, or `python -m bench viewer [--rounds 3] [--lines 4,2,0] [--study FOLDER]
[--no-ohif]`. A portal of its own is started as `manage.py serve` runs it; Chromium reaches it
through bench/shaper.py. Cold: a browser that was never there. Warm: the same browser again. The
study is a folder of DICOM files, by default the CT of PORTAL_TEST_DATA, else a phantom of the
demo region. Printed per line: the median of each figure, and the budget beside it. The exit code is
1 when a budget is missed.
"""

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import django

from bench.shaper import Counted, Line, Shaper

LINES = {
    "4": Line("4 Mbit/s, 100 ms", 500_000, 0.1),
    "2": Line("2 Mbit/s, 100 ms", 250_000, 0.1),
    "0": Line("loopback", 0, 0),
}
BUDGETS = {  # (line, visit): figure -> at most
    ("4", "cold"): {"first": 1.0, "live": 4.0, "bytes": 1.1e6, "requests": 12},
    ("4", "warm"): {"live": 1.2},
    ("2", "cold"): {"first": 2.0},
    ("0", "cold"): {"live": 1.0},
}
DESK = {"viewport": {"width": 1440, "height": 900}, "service_workers": "block"}
LONGEST = 90.0
SETTLE_SECONDS = 1.5

PROBE = """() => {
  const seen = (window.__seen = {});
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 24;
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const grey = (source) => {
    try {
      pen.clearRect(0, 0, 24, 24);
      pen.drawImage(source, 0, 0, 24, 24);
      const levels = new Set();
      const bytes = pen.getImageData(0, 0, 24, 24).data;
      for (let at = 0; at < bytes.length; at += 4) levels.add(bytes[at]);
      return levels.size > 12;
    } catch { return false; }
  };
  const look = () => {
    const first = document.querySelector("img.first");
    const painted = first && first.complete && first.naturalWidth;
    if (!seen.first && painted) seen.first = performance.now();
    const stage = document.querySelector("#stage canvas, .cornerstone-canvas");
    const root = document.getElementById("viewer");
    const may = root ? root.dataset.state === "live" : stage && stage.width > 200;
    if (!seen.live && may && stage && grey(stage)) seen.live = performance.now();
    if (!seen.live) requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}"""


@dataclass
class Visit:
    """One opening: seconds to the first picture and to the live viewport, what went down."""

    first: float
    live: float
    bytes: int
    requests: int  # without the pulses, which ask each 0.6 s whether the study may still be seen
    pulses: int
    paths: list[str]


def main() -> int:
    """Measure and print; 1 when a budget is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench viewer", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--lines", default="4,2,0")
    parser.add_argument("--study", type=Path)
    parser.add_argument("--no-ohif", action="store_true")
    parser.add_argument("--paths", action="store_true", help="name each request of the last visit")
    given = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    place = Path(tempfile.mkdtemp(prefix="bench-viewer-", dir=os.environ.get("BENCH_DIR")))
    try:
        return _measure(given, place)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _measure(given: argparse.Namespace, place: Path) -> int:
    from playwright.sync_api import sync_playwright

    missed: list[str] = []
    with _portal(place) as portal, sync_playwright() as playwright:
        world = _prepared(portal, _study(given.study, place))
        browser = _browser(playwright)
        state = _signed_in(browser, portal.url)
        port = int(portal.url.rsplit(":", 1)[1])
        for key in given.lines.split(","):
            ours = _rounds(browser, state, port, LINES[key], world["path"], given)
            missed += _report(key, "ours", ours, given)
            if not given.no_ohif and key != "2":
                _report(key, "OHIF", _foreign(browser, port, LINES[key], world), given)
        browser.close()
    for line in missed:
        print(f"missed: {line}")
    return 1 if missed else 0


def _study(named: Path | None, place: Path) -> Path:
    """The folder to measure with."""
    real = os.environ.get("PORTAL_TEST_DATA", "")
    if named or real:
        return named or Path(real) / "studies" / "ct_stereotaxis_40"
    from sharing.demo.phantoms import studies

    folder = place / "phantom"
    folder.mkdir()
    chest = next(each for each in studies() if each.description.startswith("CT chest"))
    for number, content in enumerate(chest.files):
        (folder / f"{number:04}.dcm").write_bytes(content)
    return folder


@contextmanager
def _portal(place: Path) -> Iterator[Any]:
    from tests import live

    portal = live.start(place / "portal")
    try:
        yield portal
    finally:
        live.stop(portal)


def _prepared(portal: Any, folder: Path) -> dict[str, str]:
    """The study stored and permitted: the path of its viewer, its UID, and a partner's token."""
    call = (
        "from tests.faces.viewer import stage; "
        f"stage.prepare({str(folder.parent)!r}, [{folder.name!r}]); stage.tell_partner()"
    )
    said = portal.manage("shell", "--no-imports", "-c", call).strip().splitlines()[-1]
    found: dict[str, str] = json.loads(said)
    return found


def _browser(playwright: Any) -> Any:
    from tests.conftest import CHROMIUM_FLAGS

    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
    return playwright.chromium.launch(executable_path=path, args=list(CHROMIUM_FLAGS))


def _signed_in(browser: Any, url: str) -> Any:
    from tests.cast import PASSWORD

    context = browser.new_context()
    page = context.new_page()
    page.goto(url + "/accounts/login/")
    page.get_by_label("Work e-mail").fill("ben@hilltop.example")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(lambda address: "/accounts/login/" not in address)
    state = context.storage_state()
    context.close()
    return state


def _rounds(
    browser: Any, state: Any, port: int, line: Line, path: str, given: argparse.Namespace
) -> dict[str, list[Visit]]:
    visits: dict[str, list[Visit]] = {"cold": [], "warm": []}
    with Shaper(port, line) as shaper:
        for _ in range(given.rounds):
            context = browser.new_context(storage_state=state, **DESK)
            for visit in visits.values():
                visit.append(_visit(context, shaper, path))
            context.close()
    return visits


def _foreign(browser: Any, port: int, line: Line, world: dict[str, str]) -> dict[str, list[Visit]]:
    from bench.ohif_server import OhifServer

    path = f"/viewer?StudyInstanceUIDs={world['uid']}&token={world['token']}"
    visits: dict[str, list[Visit]] = {}
    with OhifServer(port) as served, Shaper(served, line) as shaper:
        context = browser.new_context(**DESK)
        for name in ("cold", "warm"):
            visits[name] = [_visit(context, shaper, path)]
        context.close()
    return visits


def _visit(context: Any, shaper: Shaper, path: str) -> Visit:
    page = context.new_page()
    page.add_init_script(f"({PROBE})()")
    shaper.reset()
    page.goto(shaper.url + path, wait_until="commit")
    ends = time.monotonic() + LONGEST
    seen: dict[str, float] = {}
    counted = Counted()
    while "live" not in seen and time.monotonic() < ends:
        page.wait_for_timeout(20)
        seen = page.evaluate("() => window.__seen || {}")
        counted = replace(shaper.counted, asked=list(shaper.counted.asked))
    page.wait_for_timeout(SETTLE_SECONDS * 1000)
    page.close()
    live = seen.get("live", LONGEST * 1000) / 1000
    counted = counted.before_images_ahead() if path.startswith("/viewer/") else counted
    requests = len(counted.paths) - counted.pulses
    return Visit(
        seen.get("first", live * 1000) / 1000,
        live,
        counted.down,
        requests,
        counted.pulses,
        counted.paths,
    )


def _report(
    key: str, who: str, visits: dict[str, list[Visit]], given: argparse.Namespace
) -> list[str]:
    missed = []
    for name, rounds in visits.items():
        middle = {
            figure: statistics.median(getattr(visit, figure) for visit in rounds)
            for figure in ("first", "live", "bytes", "requests", "pulses")
        }
        budget = BUDGETS.get((key, name), {}) if who == "ours" else {}
        print(_row(f"{LINES[key].name}, {name}, {who}", middle, budget), flush=True)
        if given.paths and who == "ours":
            print("\n".join(f"    {path[:140]}" for path in rounds[-1].paths), flush=True)
        missed += [
            f"{LINES[key].name}, {name}: {figure} {middle[figure]:,.2f} > {most:,.2f}"
            for figure, most in budget.items()
            if middle[figure] > most
        ]
    return missed


def _row(name: str, middle: dict[str, float], budget: dict[str, float]) -> str:
    words = {
        "first": f"first picture {middle['first']:.2f} s",
        "live": f"live {middle['live']:.2f} s",
        "bytes": f"{middle['bytes'] / 1e3:,.0f} kB",
        "requests": f"{middle['requests']:.0f} requests + {middle['pulses']:.0f} pulses",
    }
    for figure, most in budget.items():
        words[figure] += f" [{'within' if middle[figure] <= most else 'OVER'} {most:,.9g}]"
    return f"{name}: {', '.join(words.values())}"


if __name__ == "__main__":
    sys.exit(main())
