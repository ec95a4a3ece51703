"""A passkey from the first to the last: made, asked for, alone at sign-in, elsewhere, taken away.

In a real Chromium with its virtual authenticator (WebDriver: Virtual Authenticators, by CDP).
"""

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from sharing.tenants.models import Organization
from tests.cast import PASSWORD, Region


def key_in(page: Page) -> Any:
    """A platform authenticator that knows its owner; CDP's session to ask and to change it."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    made = session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return session, made["authenticatorId"]


def password_of_ada(page: Page, address: str) -> None:
    """Ada types address and password."""
    page.goto(f"{address}/accounts/login/")
    page.get_by_label("Work e-mail").fill("ada@riverside.example")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


@pytest.mark.usefixtures("committing")
def test_ada_makes_a_passkey_and_signs_in_by_it(
    live_server: LiveServer, region: Region, chromium: Browser
) -> None:
    """The house asks for a second factor; Ada has no phone, and this device's key is one."""
    Organization.objects.filter(pk=region.riverside.pk).update(requires_second_factor=True)
    context = chromium.new_context(base_url=live_server.url)
    page, complaints = context.new_page(), []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    session, key = key_in(page)
    password_of_ada(page, live_server.url)
    expect(page).to_have_url(re.compile("/2fa/totp/activate/"))
    page.get_by_role("link", name="Use a passkey instead").click()
    page.get_by_label("Name").fill("Ward laptop")
    page.get_by_label("Also sign in with it alone").check()
    page.get_by_role("button", name="Add the passkey").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    held = session.send("WebAuthn.getCredentials", {"authenticatorId": key})["credentials"]
    assert [each["isResidentCredential"] for each in held] == [True]
    page.get_by_role("link", name="I have kept them").click()
    expect(page.locator(".acting")).to_be_visible()  # this session proved it: no second question

    context.clear_cookies()
    page.goto("/accounts/login/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.locator(".acting")).to_be_visible()
    context.clear_cookies()
    password_of_ada(page, live_server.url)
    page.get_by_role("button", name="Use your passkey").click()
    expect(page.locator(".acting")).to_be_visible()

    page.goto("/accounts/sessions/")
    expect(page.get_by_text("This device")).to_be_visible()
    assert page.get_by_role("heading", name="Chrome, Linux").count() == 3
    page.get_by_role("button", name="Sign out everywhere").click()
    expect(page).to_have_url(re.compile("/accounts/login/"))

    session.send("WebAuthn.setUserVerified", {"authenticatorId": key, "isUserVerified": False})
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_text("No passkey came from this device")).to_be_visible()
    assert not any("Content Security Policy" in said for said in complaints), complaints
    context.close()
