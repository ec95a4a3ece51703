"""Every page of the demo region, wide and narrow: axe finds nothing, and no script complains.

Also the pages never scroll sideways, nor at a width between: what does not fit is laid out again.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, expect

from tests import live
from tests.journeys.people import Human, sit_down

DESK, TABLET, PHONE = (1440, 900), (768, 1024), (390, 844)
PASSWORD = "imaging-demo-2026"
RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    "resultTypes": ["violations"],  # all that passed is long, and its way to here takes the time
}
# Who opens which pages; "a > b" follows the first link of page a whose address matches b.
PAGES = {
    "": ("/open/", "/join/", "/accounts/login/", "/accounts/password/reset/", "/phone/"),
    "nora@exchange.example": (
        "/operator/",
        "/operator/ > /operator/.+",
        "/region/",
        "/support/ask/",
        "/region/console/",
        "/region/work/",
        "/region/usage/",
        "/operator/?state=all > /operator/riverside/",
        "/agreements/",
        "/agreements/new/",
        "/labels/",
        "/labels/new/",
    ),
    "ines@riverside.example": (
        "/organization/",
        "/organization/terms/",
        "/organization/profile/",
        "/organization/devices/",
        "/organization/connection/",
        "/organization/departments/",
        "/organization/usage/",
        "/organization/texts/",
        "/organization/audit/",
        "/organization/notifications/",
        "/staff/",
        "/staff/me/",
        "/people/",
        "/people/invite/",
        "/people/ > /people/post/.+",
        "/people/sign-in/",
        "/people/sign-in/saml/",
        "/accounts/sessions/",
        "/clients/",
        "/clients/new/",
        "/webhooks/",
        "/webhooks/new/",
        "/agreements/",
        "/labels/",
    ),
    "ada@riverside.example": (
        "/",
        "/studies/",
        "/studies/?own=1",
        "/studies/ > /studies/[^/]{22}/",
        "/studies/ > /studies/[^/]{22}/ > /share/.*",
        "/studies/?own=1 > /studies/[^/]{22}/ > /studies/[^/]{22}/reject/",
        "/studies/?own=1 > /studies/[^/]{22}/ > /studies/[^/]{22}/labels/",
        "/links/",
        "/studies/ > /studies/[^/]{22}/ > /links/new/.*",
        "/conflicts/",
        "/conflicts/ > /conflicts/[0-9]+/",
        "/conflicts/rejected/",
    ),
    "mei@riverside.example": (
        "/",
        "/upload/",
        "/patients/",
        "/patients/?q=moreau > /patients/[^/]{22}/",
        "/patients/?q=moreau > /patients/[^/]{22}/ > .*/ties/",
        "/patients/?q=moreau > /patients/[^/]{22}/ > .*/consents/new/",
        "/patients/?q=moreau > /patients/[^/]{22}/ > .*/consents/new/ > .*template=nobody",
        "/consents/",
        "/consents/ > /consents/[^/]{22}/",
        "/patients/?q=moreau > /patients/[^/]{22}/ > /consents/[^/]{22}/ > .*/revoke/",
    ),
    "olga@riverside.example": (
        "/privacy/",
        "/labels/",
        "/region/own/",
        "/log/",
        "/log/accounting/?q=moreau > /log/accounting/[^/]{22}/",
        "/log/ > /studies/[^/]{22}/log/",
        "/log/ > /studies/[^/]{22}/log/ > /studies/[^/]{22}/ > .*/delete/",
        "/log/ > /studies/[^/]{22}/log/ > /studies/[^/]{22}/ > .*/hold/",
    ),
    "ben@hilltop.example": ("/", "/?tab=shared", "/notices/", "/ > /viewer/[^/]{22}/"),
}


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Iterator[live.LivePortal]:
    """The demo region on the real processes."""
    portal = live.start(tmp_path_factory.mktemp("pages"))
    portal.manage("demo")
    yield portal
    live.stop(portal)


@dataclass
class Desk:
    """Somebody who is signed in, or the stranger; `seen` is where the pages so far lead to."""

    human: Human
    seen: dict[str, list[str]] = field(default_factory=dict)

    def opens(self, path: str) -> None:
        """Goes to the page that the path names, by a link of the page before where it has one."""
        before, _, wanted = path.rpartition(" > ")
        if before and before not in self.seen:
            self.opens(before)
        known = (link for link in self.seen.get(before, ()) if re.fullmatch(wanted, link))
        address = next(known, None) if before else wanted
        assert address is not None, f"nothing leads to {path}"
        self.human.goes_to(address)
        links = "all => all.map(a => a.pathname + a.search)"
        self.seen[path] = self.human.page.locator("a").evaluate_all(links)
        if "/viewer/" in self.human.page.url:
            self.human.page.wait_for_selector("[data-state=live]", timeout=60_000)


@pytest.fixture(scope="module")
def desks(region: live.LivePortal, chromium: Browser) -> Iterator[Callable[[str], Desk]]:
    """The desk of an address; who sat down stays there, so that nobody signs in twice."""
    taken: dict[str, Desk] = {}

    def at(email: str) -> Desk:
        if email not in taken:
            taken[email] = Desk(sit_down(chromium, region, email, PASSWORD))
            if email:
                taken[email].human.signs_in()
        return taken[email]

    yield at
    for desk in taken.values():
        desk.human.page.context.close()


@pytest.mark.xdist_group("pages")
@pytest.mark.parametrize("email", PAGES, ids=lambda email: email.partition("@")[0] or "stranger")
def test_axe_finds_nothing_on_any_page_at_desk_or_phone(
    desks: Callable[[str], Desk], email: str
) -> None:
    desk, found = desks(email), []
    human = desk.human
    for path in PAGES[email]:
        desk.opens(path)
        human.page.evaluate(AXE_SCRIPT)
        for width, height in (DESK, TABLET, PHONE):
            human.page.set_viewport_size({"width": width, "height": height})
            said = [*sideways(human), *(complaints(human) if width != TABLET[0] else ())]
            found += [f"{path} at {width}: {what}" for what in said]
    assert not found, "\n".join(found)
    assert not human.complaints, human.complaints


def sideways(human: Human) -> list[str]:
    """Whether the page is wider than the window."""
    wide = human.page.evaluate("document.documentElement.scrollWidth > innerWidth")
    return ["scrolls sideways"] if wide else []


def complaints(human: Human) -> list[str]:
    """What axe says."""
    results = human.page.evaluate("rules => axe.run(rules)", RULES)
    return [
        f"{violation['id']} {[node['target'] for node in violation['nodes'][:3]]}"
        for violation in results["violations"]
    ]


OURS = re.compile(
    "|".join(
        (
            "Riverside General Hospital|Hilltop Family Clinic|Lakeside Imaging Centre",
            "Mingde Hospital|Northgate Eye Hospital|Sandbox Test Systems|Imaging Exchange",
            "^(Riverside|Hilltop|Lakeside|Mingde|Northgate|Sandbox|Imaging|riverside)$",
            "(Dr )?(Ada Brandt|Ben Hartley|Cleo Marsh|Eva Example|Ines Roth|Mei Tan|Nora Lind)",
            "Olga Weiss|Rita Sole|Sam Field",
            "(CT |MR )?(Chest, (one|two) views?|head without contrast|head, follow-up|head)",
            "CT chest with contrast|MR knee|Mammography screening|Echocardiogram",
            "Chest PA, side corrected|Demonstration|A demonstration|Webhook|English",
            "The patient asked, by telephone",
            r"https?://|[\w.-]*[@/.:]\w[\w./@:-]*|https?\b",  # addresses, scopes, host names
            r"psych\*|pacs-readers = radiologist|\[\w+\]",  # examples; what scripts fill in
        )
    )
)
"""What the demo's people and hospitals are called, and what they wrote."""
ENGLISH = re.compile(r"[A-Za-z][a-z’']+ [a-z’']{2,}|^[A-Za-z][a-z]{3,}$|\b[a-z]{4,}\b")
TEXTS = """() => {
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const around = walker.currentNode.parentElement;
    if (around.closest('script, style, kbd, code, template, noscript')) continue;
    if (around.closest('[lang="en"], [lang="und"], [name="time_zone"]')) continue;
    found.push(walker.currentNode.textContent.trim().replace(/\\s+/g, ' '));
  }
  for (const name of ['aria-label', 'alt', 'placeholder', 'title']) {
    for (const each of document.querySelectorAll(`[${name}]`)) found.push(each.getAttribute(name));
  }
  return found;
}"""


@pytest.mark.xdist_group("pages")
@pytest.mark.parametrize("email", PAGES, ids=lambda email: email.partition("@")[0] or "stranger")
def test_a_chinese_reader_reads_no_english_but_names(
    desks: Callable[[str], Desk], email: str
) -> None:
    desk, found = desks(email), []
    page = desk.human.page
    page.set_viewport_size({"width": DESK[0], "height": DESK[1]})
    desk.human.goes_to("/open/")
    page.get_by_role("button", name="简体中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-hans")
    for path in PAGES[email]:
        desk.opens(path)
        texts = page.evaluate(TEXTS)
        found += [f"{path}: {text}" for text in texts if ENGLISH.search(OURS.sub("", text))]
    assert not found, "\n".join(found)
