"""A foreign viewer at our DICOMweb: OHIF, as published, in Chromium, with a partner's token."""

import base64
import json
import mimetypes
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import imagecodecs
import numpy as np
import pytest
from playwright.sync_api import Browser, Page, Route

from tests import ohif
from tests.live import LivePortal

STUDY = "mr_wrist_j1"
CONFIG = """window.config = {
  routerBasename: null, extensions: [], modes: [], customizationService: {},
  showStudyList: true, maxNumberOfWebWorkers: 1, showLoadingIndicator: true,
  defaultDataSourceName: 'ours',
  dataSources: [{
    namespace: '@ohif/extension-default.dataSourcesModule.dicomweb',
    sourceName: 'ours',
    configuration: {
      friendlyName: 'ours', name: 'ours',
      qidoRoot: '/dicomweb', wadoRoot: '/dicomweb', wadoUriRoot: '/dicomweb',
      qidoSupportsIncludeField: true, imageRendering: 'wadors', thumbnailRendering: 'wadors',
      enableStudyLazyLoad: true, supportsFuzzyMatching: true, supportsWildcard: true,
      bulkDataURI: { enabled: true },
    },
  }],
};"""
PREPARE = """
from pathlib import Path
from django.utils import timezone
from sharing.archive.models import Study
from sharing.archive.rules import Door
from sharing.archive.services.receiving import Incoming, receive
from sharing.audit.rules import SYSTEM
from sharing.partners.services import issue_token
from tests.cast import make_organization
house = make_organization('riverside-ohif', 'Riverside')
paths = sorted(Path({folder!r}).rglob('*.dcm'))
files = [Incoming(path.name, iter([path.read_bytes()])) for path in paths]
at = timezone.now()
receive(organization=house, door=Door.DEMO, sender='Test', files=files, by=SYSTEM, at=at)
print(Study.objects.get(organization=house).study_uid)
print(issue_token(organization=house, name='OHIF', scopes=['dicomweb.read'], at=at))
"""
CANVAS = """() => {
  const canvas = document.querySelector('.cornerstone-canvas');
  return canvas && canvas.width > 200 ? canvas.toDataURL('image/png').split(',')[1] : null;
}"""


class Foreign:
    """A page at our address whose files are OHIF's; only /dicomweb reaches the portal."""

    def __init__(self, page: Page, portal: LivePortal) -> None:
        self.page, self.portal = page, portal
        self.files = ohif.folder()
        self.answers: list[tuple[int, str, str]] = []
        self.complaints: list[str] = []
        page.route("**/*", self._serve)
        page.on("response", self._answered)
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _serve(self, route: Route) -> None:
        path = urlsplit(route.request.url).path
        if path.startswith("/dicomweb"):
            return route.continue_()
        if path == "/app-config.js":
            return route.fulfill(body=CONFIG, content_type="text/javascript")
        file = self.files / path.lstrip("/")
        if not file.is_file():
            file = self.files / "index.html"
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        return route.fulfill(path=file, content_type=kind)

    def _answered(self, response: Any) -> None:
        path = urlsplit(response.url).path
        if path.startswith("/dicomweb"):
            self.answers.append((response.status, response.request.method, path))

    def _heard(self, message: Any) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    def picture(self) -> Any:
        """The first viewport's grey levels (rows, columns); None while there is no canvas."""
        raw = self.page.evaluate(CANVAS)
        if not raw:
            return None
        return np.asarray(imagecodecs.png_decode(base64.b64decode(raw)))[..., :3].mean(axis=-1)

    def until(self, holds: Callable[[], bool], seconds: float = 120) -> None:
        """Wait until this holds. Raises AssertionError with all that the page said."""
        ends = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < ends, json.dumps([self.answers, self.complaints], indent=1)
            self.page.wait_for_timeout(200)


def shows_an_image(foreign: Foreign) -> bool:
    """A picture with many grey levels, not a blank or a message."""
    grey = foreign.picture()
    return grey is not None and float(grey.std()) > 10 and len(np.unique(grey.round())) > 40


@pytest.fixture
def shelf(live_portal: LivePortal, real_data: Path) -> tuple[str, str]:
    """A stored study's UID, and a token of the house that holds it."""
    folder = str(real_data / "studies" / STUDY)
    said = live_portal.manage("shell", "--no-imports", "-c", PREPARE.format(folder=folder))
    uid, token = said.split()[-2:]
    return uid, token


def test_ohif_shows_and_scrolls_a_study_through_our_dicomweb(
    chromium: Browser, live_portal: LivePortal, shelf: tuple[str, str]
) -> None:
    uid, token = shelf
    context = chromium.new_context(viewport={"width": 900, "height": 600}, service_workers="block")
    try:
        foreign = Foreign(context.new_page(), live_portal)
        address = f"{live_portal.url}/viewer?StudyInstanceUIDs={uid}&token={token}"
        foreign.page.goto(address, wait_until="commit")
        foreign.until(lambda: shows_an_image(foreign))
        foreign.page.get_by_text("Skip all").click()  # its makers' tour of the tools
        first = foreign.picture()
        foreign.page.locator(".cornerstone-canvas").hover()
        foreign.page.mouse.wheel(0, 100)
        foreign.until(lambda: float(np.abs(foreign.picture() - first).mean()) > 1)
        paths = {path.partition(uid)[2] for _, _, path in foreign.answers}
        assert any(path.endswith("/metadata") for path in paths)
        assert len([path for path in paths if path.endswith("/frames/1")]) > 1
        assert [answer for answer in foreign.answers if answer[0] >= 400] == []
        assert foreign.complaints == []
    finally:
        context.close()
