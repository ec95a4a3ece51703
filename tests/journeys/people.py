"""A person at a browser: signs in, proves the second factor, follows the links in their mail."""

import base64
import hmac
import re
import struct
import time
from collections import Counter
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

from playwright.sync_api import Browser, Locator, Page, Response, expect
from playwright.sync_api import Error as PlaywrightError

from tests.live import LivePortal


def totp(secret: str, at: float | None = None) -> str:
    """The code that an authenticator app shows now (RFC 6238, SHA-1, 6 digits, 30 s)."""
    counter = int((at or time.time()) // 30)
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.digest(key, struct.pack(">Q", counter), "sha1")
    start = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[start : start + 4])[0] & 0x7FFFFFFF) % 10**6:06}"


def link_in(mail: EmailMessage) -> str:
    """The first link of an e-mail's plain text."""
    body = mail.get_body(("plain",))
    assert body is not None
    found = re.search(r"https?://\S+", body.get_content())
    assert found, "the e-mail has no link"
    return found.group()


def text_of(mail: EmailMessage) -> str:
    """Everything an e-mail says, in every form it says it."""
    parts = [
        str(part.get_content()) for part in mail.walk() if part.get_content_maintype() == "text"
    ]
    return "\n".join([str(mail["Subject"]), *parts])


@dataclass
class Human:
    """One person with an own browser profile; keeps every address that they fetched."""

    page: Page
    portal: LivePortal
    email: str
    password: str
    secret: str = ""
    fetched: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    steps: Counter[str] = field(default_factory=Counter)
    """What they did by hand: pages gone to, clicks, fields filled in, e-mails opened."""

    def goes_to(self, path: str) -> Response | None:
        """Open a page of the portal, or the link of a mail."""
        self.steps["letter" if path.startswith("http") else "page"] += 1
        return self.page.goto(path if path.startswith("http") else self.portal.url + path)

    def opens(self, mail: EmailMessage) -> str:
        """What an e-mail says."""
        self.steps["letter"] += 1
        return text_of(mail)

    def signs_in(self) -> None:
        """With the password, and the second factor where one was set up."""
        self.goes_to("/accounts/login/")
        self.page.get_by_label("Work e-mail").fill(self.email)
        self.page.get_by_label("Password", exact=True).fill(self.password)
        self.presses("Sign in")
        if self.secret:
            self.page.locator("input[name=code]").first.fill(totp(self.secret))
            self.page.locator("main form button.btn-primary").click()
        expect(self.page).not_to_have_url(re.compile("/accounts/(login|2fa/authenticate)/"))

    def signs_out(self) -> None:
        """Forgets the session."""
        self.page.context.clear_cookies()

    def sets_up_second_factor(self) -> None:
        """Types the key's code, as the app would show it."""
        key = self.page.locator(".mono", has_text=re.compile(r"^[A-Z2-7]{16,}$")).first
        self.secret = key.inner_text().strip()
        self.page.locator("input[name=code]").fill(totp(self.secret))
        self.presses("Set up")
        expect(self.page).not_to_have_url(re.compile("/activate/"))

    def presses(self, name: str | re.Pattern[str]) -> None:
        """A button of the page."""
        self._clicks(self.page.get_by_role("button", name=name, exact=isinstance(name, str)).first)

    def follows(self, name: str | re.Pattern[str]) -> None:
        """A link of the page."""
        self._clicks(self.page.get_by_role("link", name=name).first)

    def _clicks(self, found: Locator) -> None:
        try:
            found.click()
        except PlaywrightError as error:
            error.add_note(f"{self.page.url} said: {self.page.locator('body').inner_text()[:2000]}")
            raise

    def reads(self, text: str | re.Pattern[str]) -> None:
        """Waits until the page says so."""
        expect(self.page.locator("body")).to_contain_text(text)

    def asks(self, path: str) -> Any:
        """A request with the person's own cookies, as their browser would send it."""
        return self.page.request.get(
            path if path.startswith("http") else self.portal.url + path, max_redirects=0
        )


HANDS = """
const ticked = '[type=checkbox],[type=radio]';
addEventListener('click', event => event.isTrusted && window.handOf('click'), true);
addEventListener('change', event => event.target.matches(ticked) || window.handOf('field'), true);
"""
"""Tells each click and each field that was filled in; a tick is a click, a file a field."""


def sit_down(
    browser: Browser, portal: LivePortal, email: str, password: str, **options: Any
) -> Human:
    """A person in front of a fresh browser profile."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, **options)
    page = context.new_page()
    human = Human(page, portal, email, password)
    context.expose_binding("handOf", lambda source, kind: human.steps.update([kind]))
    context.add_init_script(HANDS)
    page.on("request", lambda request: human.fetched.append(request.url))
    page.on("console", lambda said: _note(human, said.type, said.text))
    page.on("pageerror", lambda error: human.complaints.append(str(error)))
    return human


def _note(human: Human, kind: str, text: str) -> None:
    """Errors of scripts and of the Content-Security-Policy; refusals are part of the story."""
    if kind == "error" and "status of 4" not in text:
        human.complaints.append(text)
