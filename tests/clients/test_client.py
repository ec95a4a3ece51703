"""The client package and its command line do what their README says, against a served portal."""

import asyncio
import io
import re
import stat
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from imaging_sharing import AsyncClient, Client, PortalError, Progress, Refused, Unreachable
from imaging_sharing import models as told_models
from imaging_sharing.cli import main

from tests.clients.conftest import Partner
from tests.faces.fhir import documents

README = Path(__file__).parents[2] / "clients" / "python" / "README.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL)


def apart(call: Callable[..., Any], *values: Any) -> Any:
    """In a thread of its own: a browser of the same process keeps a loop running in this one."""
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(call, *values).result()


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
@pytest.mark.usefixtures("rita")
def test_every_example_of_the_readme_runs(
    partner: Partner, number: int, capsys: pytest.CaptureFixture[str]
) -> None:
    names = {
        "URL": partner.url, "TOKEN": partner.token, "FOLDER": partner.folder,
        "CLIENT": partner.machine, "SECRET": partner.secret, "KEY": partner.key,
        "SIGNER": partner.signer, "APP": partner.app,
    }  # fmt: skip
    code = compile(EXAMPLES[number], f"README example {number}", "exec")
    apart(exec, code, names)
    assert capsys.readouterr().out


def test_a_folder_is_sent_and_every_file_is_counted(partner: Partner) -> None:
    seen: list[Progress] = []
    with Client(partner.url, partner.token) as portal:
        receipt = portal.upload(partner.folder, told=seen.append)
        assert receipt.sent == 6
        assert receipt.stored + receipt.duplicates == 5
        assert receipt.ignored + receipt.rejected == 1
        assert (seen[-1].files_done, seen[-1].bytes_done) == (6, seen[-1].bytes)
        assert [each.bytes_done for each in seen] == sorted(each.bytes_done for each in seen)
        study = portal.study(receipt.studies[0]["id"])
        assert study.study_uid == "2.25.1"
        assert {series.modality for series in study.series} == {"SR", "KO", "DOC"}


class Breaks(httpx.HTTPTransport):
    """A connection that breaks after the first piece of a file arrived."""

    broken = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = super().handle_request(request)
        if request.method == "PATCH" and not self.broken:
            self.broken = True
            raise httpx.ReadError("broken off", request=request)
        return answer


def test_a_connection_that_breaks_goes_on_where_it_was(partner: Partner, tmp_path: Path) -> None:
    path = documents.file_of(tmp_path, documents.BASIC_TEXT, 9)
    transport = Breaks()
    with Client(partner.url, partner.token, transport=transport) as portal:
        receipt = portal.upload(path)
    assert transport.broken
    assert receipt.stored + receipt.duplicates == 1


def test_the_awaited_client_tells_the_same(partner: Partner) -> None:
    async def all_of_it() -> list[object]:
        async with AsyncClient(partner.url, partner.token) as portal:
            studies = [each async for each in portal.studies(q="Example")]
            shares = [each async for each in portal.shares()]
            return [await portal.me(), studies, await portal.study(studies[0].id), shares]

    with Client(partner.url, partner.token) as portal:
        studies = list(portal.studies(q="Example"))
        same = [portal.me(), studies, portal.study(studies[0].id)]
        with pytest.raises(Refused):
            list(portal.shares())  # the token has no scope for shares
    with pytest.raises(Refused) as refused:
        apart(asyncio.run, all_of_it())
    assert (refused.value.status, refused.value.code) == (403, "forbidden")

    async def but_shares() -> list[object]:
        async with AsyncClient(partner.url, partner.token) as portal:
            found = [each async for each in portal.studies(q="Example")]
            return [await portal.me(), found, await portal.study(found[0].id)]

    assert apart(asyncio.run, but_shares()) == same


def test_what_the_portal_refuses_is_raised_with_its_code(partner: Partner) -> None:
    with Client(partner.url, "not-a-token") as portal, pytest.raises(Refused) as refused:
        portal.me()
    assert (refused.value.status, refused.value.code) == (401, "token_invalid")
    with Client(partner.url, partner.token) as portal:
        with pytest.raises(Refused) as refused:
            portal.fhir("ImagingStudy", started="x")
        assert (refused.value.status, refused.value.code) == (400, "search_invalid")
        until = told_models.datetime.fromisoformat("2027-01-01T00:00:00+00:00")
        with pytest.raises(Refused):
            portal.share(["x"], to="hilltop", until=until)
    with Client("http://127.0.0.1:9", partner.token) as portal, pytest.raises(Unreachable):
        portal.me()
    with pytest.raises(PortalError):
        Client("ftp://portal.example", partner.token)


def test_the_token_goes_to_no_other_address(partner: Partner) -> None:
    def elsewhere(request: httpx.Request) -> httpx.Response:
        assert request.url.host == "portal.example"
        told = {"results": [], "next": "https://elsewhere.example/api/v1/studies/?cursor=x"}
        return httpx.Response(200, json=told)

    transport = httpx.MockTransport(elsewhere)
    with (
        Client("https://portal.example", "t", transport=transport) as portal,
        pytest.raises(PortalError),
    ):
        list(portal.studies())


def test_login_keeps_the_token_for_its_owner_alone(
    partner: Partner,
    own_home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["studies"]) == 1  # nobody signed in
    monkeypatch.setattr("sys.stdin", io.StringIO("wrong\n"))
    assert main(["login", partner.url]) == 1
    assert not own_home.exists()
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{partner.token}\n"))
    assert main(["login", partner.url]) == 0
    assert "Sandbox Test Systems" in capsys.readouterr().out
    assert stat.S_IMODE(own_home.stat().st_mode) == 0o600
    assert main(["studies", "-q", "example"]) == 0
    assert "Chest, one view" in capsys.readouterr().out
    assert main(["upload", str(partner.folder / "1.dcm")]) == 0
    assert "1 sent" in capsys.readouterr().out
    assert main(["share", "x", "--to", "hilltop"]) == 1
    assert "403" in capsys.readouterr().err


def test_watch_names_what_comes_into_sight(
    partner: Partner, own_home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setenv("IMAGING_SHARING_URL", partner.url)
    monkeypatch.setenv("IMAGING_SHARING_TOKEN", partner.token)
    path = documents.file_of(tmp_path, documents.BASIC_TEXT, 7, StudyInstanceUID="2.25.77")

    def send() -> None:
        with Client(partner.url, partner.token) as portal:
            portal.upload(path)

    sending = threading.Timer(1.0, send)
    sending.start()
    assert main(["watch", "--every", "0.5", "--most", "1", "--json"]) == 0
    sending.join()
    assert '"study_uid": "2.25.77"' in capsys.readouterr().out
