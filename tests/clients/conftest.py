"""The partners' client, against the portal as it is served."""

import html
import json
import re
import threading
import webbrowser
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc.jwk import ECKey

from tests import live
from tests.faces.fhir import documents


@dataclass
class Partner:
    """What Sandbox Test Systems has: a token, files to send, clients, and Rita's session."""

    url: str
    token: str
    folder: Path
    key: Path
    machine: str
    secret: str
    signer: str
    app: str
    session: str


SANDBOX = """
import json
from django.test import Client
from django.utils import timezone
from sharing.partners.services import Wish, create_client, issue_token
from sharing.tenants.rules import Role
from tests.cast import make_organization, make_patient, make_person, make_study
from tests.sessions import sign_in
at, scopes = timezone.now(), ("studies.read", "uploads.write")
sandbox = make_organization("sandbox", "Sandbox Test Systems")
make_study(make_patient(sandbox, "SB-0001", name="Example^Max"), description="Chest, one view")
rita = make_person("Rita Sand", sandbox, Role.RADIOLOGIST, Role.ADMINISTRATOR)
def made(name, **more):
    wish = Wish(name=name, scopes=scopes, **more)
    return create_client(wish=wish, by=rita.actor, at=at)
machine, signer = made("RIS"), made("PACS", jwks={"keys": [KEY]})
app = made("Terminal", app=True, public=True, redirects=("http://127.0.0.1/callback",))
browser = sign_in(Client(), rita.user)
token = issue_token(organization=sandbox, name="By hand", scopes=scopes, at=at)
print(json.dumps({
    "token": token, "machine": machine.client.client_id, "secret": machine.secret,
    "signer": signer.client.client_id, "app": app.client.client_id,
    "session": browser.cookies["sessionid"].value,
}))
"""


@pytest.fixture(scope="session")
def partner(live_portal: live.LivePortal, tmp_path_factory: pytest.TempPathFactory) -> Partner:
    """Who may read and send, with a folder of documents."""
    key = ECKey.generate_key("P-384", {"kid": "pacs-1", "use": "sig"}, private=True)
    public = f"KEY = {key.as_dict(private=False)!r}\n"
    said = live_portal.manage("shell", "--no-imports", "-c", public + SANDBOX)
    folder, kept = tmp_path_factory.mktemp("sent"), tmp_path_factory.mktemp("keys") / "key.json"
    kept.write_text(json.dumps(key.as_dict(private=True)), encoding="utf-8")
    documents.all_kinds(folder)
    (folder / "notes.txt").write_text("not DICOM")
    told = json.loads(said.strip().splitlines()[-1])
    return Partner(url=live_portal.url, folder=folder, key=kept, **told)


@pytest.fixture
def own_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where a login is kept."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("IMAGING_SHARING_TOKEN", raising=False)
    return tmp_path / "imaging-sharing" / "login.json"


class RitaBrowser(webbrowser.BaseBrowser):
    """A browser in which Rita is signed in: it reads the page, answers, and follows back."""

    answer = "allow"

    def __init__(self, session: str) -> None:
        super().__init__("rita")
        self.session = session
        self.went: list[str] = []

    def open(self, url: str, new: int = 0, autoraise: bool = True) -> bool:
        """In a thread of its own, as a browser is."""
        threading.Thread(target=self._go, args=[url], daemon=True).start()
        return True

    def _go(self, url: str) -> None:
        with httpx.Client(cookies={"sessionid": self.session}) as browser:
            page = browser.get(url)
            fields = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.text)
            form = {name: html.unescape(value) for name, value in fields}
            headers = {"Referer": url}
            done = browser.post(url, data=form | {"answer": self.answer}, headers=headers)
            self.went.append(done.headers["location"])
            self._back(done.headers["location"])

    def _back(self, address: str) -> None:
        httpx.get(address.replace("state=", "state=not-"))  # somebody else's answer comes first
        httpx.get(address)


@pytest.fixture
def rita(partner: Partner) -> Iterator[RitaBrowser]:
    """The machine's browser, as `webbrowser` finds it."""
    known: Any = webbrowser
    webbrowser.get  # noqa: B018  (it looks for the others at its first use)
    browser = RitaBrowser(partner.session)
    webbrowser.register("rita", None, browser, preferred=True)
    yield browser
    known._browsers.pop("rita")
    known._tryorder.remove("rita")
