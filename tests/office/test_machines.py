"""The desk calls an organization's own machines: its webhooks, and its systems by C-ECHO."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from pynetdicom import AE, evt
from pynetdicom.sop_class import CTImageStorage, Verification  # type: ignore[attr-defined]

from sharing.kernel import outgoing
from sharing.kernel.errors import AddressRefused, BadValue
from sharing.notify import hooks
from sharing.notify.models import Delivery
from sharing.office import echo, line, services
from sharing.office.models import LinkTest
from sharing.office.rules import Check, Result, Verdict
from sharing.tenants.devices import Device, devices_in, devices_of
from sharing.tenants.services import set_devices
from tests.cast import Region
from tests.notify.receiving import checked
from tests.office.test_testing import in_process
from tests.sessions import sign_in

pytestmark = [
    pytest.mark.django_db,
    # pynetdicom leaves the closing of a socket that was refused to the end of its last name.
    pytest.mark.filterwarnings("ignore:Exception ignored in. <socket.socket"),
]


ENDING: list[threading.Thread] = []


@pytest.fixture(autouse=True)
def _line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "ask", in_process)


@pytest.fixture(scope="module", autouse=True)
def _closing() -> Iterator[None]:
    """Servers take half a second to end: they do it beside the next tests."""
    yield
    for thread in ENDING:
        thread.join()


@contextmanager
def system(
    status: int = 0x0000, *, calls_for: str = "PACS", speaks: Any = Verification
) -> Iterator[int]:
    """A real system of a hospital that listens; the port that it listens at."""
    scp = AE(ae_title=calls_for)
    scp.require_called_aet = True
    scp.add_supported_context(speaks)
    server = scp.start_server(
        ("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_ECHO, lambda event: status)]
    )
    try:
        yield server.server_address[1]
    finally:
        ENDING.append(threading.Thread(target=server.shutdown))
        ENDING[-1].start()


@contextmanager
def listener(status: int = 204) -> Iterator[tuple[int, list[tuple[Any, bytes]]]]:
    """A real receiver of webhooks; its port, and what came."""
    came: list[tuple[Any, bytes]] = []

    class Hears(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            came.append((self.headers, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            """Nothing is printed."""

    with HTTPServer(("127.0.0.1", 0), Hears) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_port, came
        server.shutdown()
        thread.join()


def tried(region: Region) -> list[Result]:
    """Ines lets Riverside's connection be tested now."""
    test = services.ask_test(by=region.admin.actor, at=timezone.now())
    return services.run_test(test_id=test.pk, at=timezone.now()).told


def of(check: Check, results: list[Result]) -> list[Result]:
    return [result for result in results if result.check == check]


def has(region: Region, *lines: str) -> None:
    """Riverside's systems."""
    set_devices(devices=devices_in("\n".join(lines)), by=region.admin.actor, at=timezone.now())


def hook_at(region: Region, port: int) -> hooks.Made:
    return hooks.create_webhook(
        url=f"http://127.0.0.1:{port}/hook", kinds=["study.received"], names_studies=False,
        by=region.admin.actor, at=timezone.now(),
    )  # fmt: skip


def test_a_webhook_gets_a_signed_test_once(region: Region, settings: Any) -> None:
    """By the sender of all deliveries, signed as they are, and kept among them."""
    with listener() as (port, came):
        settings.OUTGOING_ALLOWED = [f"127.0.0.1:{port}"]
        made = hook_at(region, port)
        (result,) = of(Check.WEBHOOK, tried(region))
    assert (result.verdict, result.said) == (Verdict.PASSED, "127.0.0.1 took a signed test.")
    ((headers, body),) = came
    assert checked(made.secret, headers, body)
    assert b'"type": "webhook.test"' in body
    kept = Delivery.objects.get()
    assert (kept.state, kept.status, kept.tried) == ("delivered", 204, 1)


@pytest.mark.parametrize("paused", [False, True])
def test_a_webhook_that_refuses_fails_the_test_unless_it_rests(
    region: Region, settings: Any, paused: bool
) -> None:
    """It stands as given up in the deliveries: a test is not sent for forty hours."""
    with listener(status=500) as (port, came):
        settings.OUTGOING_ALLOWED = [f"127.0.0.1:{port}"]
        made = hook_at(region, port)
        if paused:
            hooks.change_webhook(
                public_id=made.webhook.public_id, by=region.admin.actor, at=timezone.now(),
                paused=True,
            )  # fmt: skip
        (result,) = of(Check.WEBHOOK, tried(region))
    assert LinkTest.objects.get().passed is paused
    assert len(came) == (0 if paused else 1)
    if not paused:
        assert (result.verdict, "HTTP 500" in result.said) == (Verdict.FAILED, True)
        assert result.todo
        assert Delivery.objects.get().state == "dead"


def test_a_webhook_that_points_inside_is_not_asked(region: Region, settings: Any) -> None:
    """The operator's word ended: the guard of all deliveries holds for tests."""
    with listener() as (port, came):
        settings.OUTGOING_ALLOWED = [f"127.0.0.1:{port}"]
        hook_at(region, port)
        settings.OUTGOING_ALLOWED = []
        (result,) = of(Check.WEBHOOK, tried(region))
    assert (result.verdict, came) == (Verdict.FAILED, [])


def test_a_system_answers_the_portals_call(region: Region, settings: Any) -> None:
    """A real association and a real C-ECHO, each system with a line of its own."""
    with system() as port, system(calls_for="RIS") as other:
        settings.OUTGOING_ALLOWED = [f"127.0.0.1:{port}", f"127.0.0.1:{other}"]
        has(region, f"PACS@127.0.0.1:{port}", "RV_CT1", f"RIS@127.0.0.1:{other}")
        found = of(Check.ECHO, tried(region))
    assert [(r.verdict, r.said) for r in found] == [
        (Verdict.PASSED, f"PACS answered at 127.0.0.1:{port}."),
        (Verdict.PASSED, f"RIS answered at 127.0.0.1:{other}."),
    ]
    assert LinkTest.objects.get().passed


@pytest.mark.parametrize(
    ("made", "words"),
    [
        ({"calls_for": "OTHER"}, "does not accept the portal"),
        ({"speaks": CTImageStorage}, "nothing speaks DICOM"),
        ({"status": 0x0122}, "did not answer C-ECHO"),
    ],
)
def test_a_system_that_does_not_is_a_result_with_what_to_do(
    settings: Any, made: dict[str, Any], words: str
) -> None:
    """It knows another name, it speaks without the service, it answers with a failure."""
    with system(**made) as port:
        settings.OUTGOING_ALLOWED = [f"127.0.0.1:{port}"]
        heard = echo.echo(Device("PACS", "127.0.0.1", port))
    assert (heard.answered, words in heard.said) == (False, True)


def test_a_port_where_nothing_or_another_protocol_listens_is_a_result(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No crash, and an end to the waiting."""
    monkeypatch.setattr(echo, "SECONDS", 0.3)
    with listener() as (port, _):
        settings.OUTGOING_ALLOWED = ["127.0.0.0/8"]
        heard = echo.echo(Device("PACS", "127.0.0.1", port))
    closed = echo.echo(Device("PACS", "127.0.0.1", port))
    assert [heard.answered, closed.answered] == [False, False]
    assert "nothing speaks DICOM" in closed.said


def test_no_system_inside_the_portals_network_is_called(
    region: Region,
) -> None:
    """Neither by an address, written or called, nor by a name that leads there."""
    with system() as port:
        with pytest.raises(AddressRefused):
            has(region, f"PACS@127.0.0.1:{port}")
        for inside in ("127.0.0.1", "10.0.0.5", "169.254.169.254", "::1", "localhost"):
            heard = echo.echo(Device("PACS", inside, port))
            assert (heard.answered, heard.todo) == (False, echo.TODO_ADDRESS), inside
        home = outgoing.Network(lambda host, port, **kwargs: [(0, 0, 0, "", ("127.0.0.1", port))])
        heard = echo.echo(Device("PACS", "pacs.example.org", port), home)
        assert (heard.answered, heard.todo) == (False, echo.TODO_ADDRESS)


def test_a_name_is_resolved_once_and_that_address_is_called(settings: Any) -> None:
    """What it points to the second time is not asked for."""
    asked: list[str] = []

    def resolve(host: str, port: int, **kwargs: Any) -> Any:
        asked.append(host)
        return [(0, 0, 0, "", ("127.0.0.1", port))]

    with system() as port:
        settings.OUTGOING_ALLOWED = [f"pacs.example.org:{port}"]
        heard = echo.echo(Device("PACS", "pacs.example.org", port), outgoing.Network(resolve))
    assert (heard.answered, asked) == (True, ["pacs.example.org"])


def test_devices_are_read_as_people_write_them() -> None:
    """A title alone, or with an address that has a port; kept and read back the same."""
    found = devices_in("RV CT1, PACS@Pacs.Example.org:104\nV6@[2001:db8::1]:11112; RV CT1\n")
    assert found == [
        Device("RV CT1"), Device("PACS", "pacs.example.org", 104),
        Device("V6", "2001:db8::1", 11112),
    ]  # fmt: skip
    kept = {device.ae_title: device.place for device in found if device.host}
    assert devices_of([device.ae_title for device in found], kept) == found
    for wrong in ("PACS@host", "PACS@host:0", "PACS@host:99999", "@host:104", "A\\B@host:104"):
        with pytest.raises(BadValue):
            devices_in(wrong)


def test_page_report_night_and_command_tell_the_same(
    client: Client, region: Region, settings: Any, run_jobs: Callable[..., int], capsys: Any
) -> None:
    """A device with an address, written on the page and asked from each of the doors."""
    sign_in(client, region.admin.user)
    with system() as port:
        refused = client.post("/organization/devices/", {"devices": f"PACS@127.0.0.1:{port}"})
        assert (refused.status_code, b"Give a public name" in refused.content) == (422, True)
        settings.OUTGOING_ALLOWED = ["127.0.0.0/8"]
        client.post("/organization/devices/", {"devices": f"PACS@127.0.0.1:{port}\nRV_CT1"})
        page = client.get("/organization/devices/").content.decode()
        assert f"127.0.0.1:{port}" in page
        assert "IMAGING_PORTAL" in page
        call_command("organization", "test", "riverside", "--as", region.admin.user.email)
        services.ask_nightly(at=timezone.now())
        run_jobs()
    said = f"PACS answered at 127.0.0.1:{port}."
    assert said in capsys.readouterr().out
    newest = LinkTest.objects.latest("pk")
    assert newest.nightly
    assert said in [result.said for result in newest.told]
    shown = f"/organization/connection/{newest.public_id}/"
    assert said in client.get(shown).content.decode()
    assert client.get(f"{shown}report.pdf").content.startswith(b"%PDF-")
    ENDING[-1].join()
    with pytest.raises(CommandError, match="nothing speaks DICOM"):
        call_command("organization", "test", "riverside", "--as", region.admin.user.email)
