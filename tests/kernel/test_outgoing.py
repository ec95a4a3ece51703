"""What the portal asks of others: no spelling and no resolver leads it to a door of its own."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sharing.kernel import outgoing
from sharing.kernel.errors import AddressRefused, NotReached
from sharing.kernel.outgoing import Limits, Network

LOOPBACK = (
    "127.0.0.1", "127.0.0.2", "127.1", "127.0.1", "127.255.255.254", "0", "0.0.0.0", "00000",  # noqa: S104
    "2130706433", "017700000001", "0x7f000001", "0x7f.0.0.1", "0177.0.0.1", "0x7F.1", "127.0.0.01",
    "127.0.0.1.", "127.0.0.1%00", "127。0。0。1", "①②⑦.⓪.⓪.①", "localhost", "LOCALHOST",
    "localhost.", "ip6-localhost", "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]", "[0000::1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[64:ff9b::127.0.0.1]",
    "[2002:7f00:1::]",
    "[2001:0:7f00:1::]", "[fe80::1]", "[fe80::1%25lo]", "[fc00::1]", "[fec0::1]", "[ff02::1]",
)  # fmt: skip
PRIVATE = (
    "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "192.0.0.192",
    "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "2852039166", "0xa9fea9fe",
    "[fd00:ec2::254]",
)  # fmt: skip
TRICKS = (
    "user@127.0.0.1", "example.org@127.0.0.1", "127.0.0.1#.example.org", "127.0.0.1\\.example.org",
    "127.0.0.1%2f.example.org", "example.org\t", "exa mple.org", "-a.example.org", "example.1",
    "loop.example.org", "both.example.org", "embedded.example.org", "",
)  # fmt: skip
NAMES = {
    "loop.example.org": ["127.0.0.1"],
    "both.example.org": ["93.184.216.34", "127.0.0.1"],
    "embedded.example.org": ["::ffff:127.0.0.1"],
}


@pytest.fixture
def sink() -> Iterator[tuple[int, list[str]]]:
    """A door of our own: its port, and who knocked."""
    hits: list[str] = []
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(0.05)
    over = threading.Event()

    def listen() -> None:
        while not over.is_set():
            try:
                caller, _ = server.accept()
            except TimeoutError:
                continue
            hits.append("hit")
            caller.recv(4096)
            caller.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            caller.close()

    thread = threading.Thread(target=listen)
    thread.start()
    yield server.getsockname()[1], hits
    over.set()
    thread.join()
    server.close()


def resolve(host: str, port: int, **kwargs: Any) -> Any:
    """Names as the table has them; whatever else is no address itself leads home."""
    try:
        return socket.getaddrinfo(host, port, flags=socket.AI_NUMERICHOST, **kwargs)
    except OSError:
        return [(0, 0, 0, "", (address, port)) for address in NAMES.get(host, ["127.0.0.1"])]


def test_no_spelling_of_an_address_reaches_a_door_of_our_own(sink: tuple[int, list[str]]) -> None:
    port, hits = sink

    def dial(where: tuple[str, int], timeout: float) -> Any:
        hits.append(where[0])
        raise OSError("nobody is let through")

    ours = Network(resolve, dial)
    assert len(LOOPBACK) + len(PRIVATE) + len(TRICKS) >= 50
    for host in (*LOOPBACK, *PRIVATE, *TRICKS):
        for scheme in ("https", "http", "HTTPS", "gopher", "file", "ftp", "//", ""):
            for url in (f"{scheme}://{host}:{port}/x", f"{scheme}://{host}/"):
                with pytest.raises(AddressRefused):
                    outgoing.request("GET", url, network=ours)
    assert hits == []


def test_what_the_operator_allowed_is_reached(sink: tuple[int, list[str]], settings: Any) -> None:
    """Else the test above would hold for a sender that reaches nothing."""
    port, hits = sink
    settings.OUTGOING_ALLOWED = [f"127.0.0.1:{port}"]
    assert outgoing.request("POST", f"http://127.0.0.1:{port}/", body=b"x").body == b"ok"
    assert hits == ["hit"]
    with pytest.raises(AddressRefused):
        outgoing.check_address(f"http://127.0.0.1:{port + 1}/")


def test_a_network_may_be_allowed_and_only_that(settings: Any) -> None:
    settings.OUTGOING_ALLOWED = ["10.20.0.0/16"]
    outgoing.check_address("https://10.20.1.1/")
    for url in ("https://10.21.1.1/", "http://10.20.1.1/", "https://[::ffff:10.20.1.1]/"):
        with pytest.raises(AddressRefused):
            outgoing.check_address(url)


class Rebinding:
    """A resolver that says a public address first and ours from then on."""

    def __init__(self) -> None:
        self.asked, self.dialled = 0, []

    def resolve(self, host: str, port: int, **kwargs: Any) -> Any:
        self.asked += 1
        at = "93.184.216.34" if self.asked == 1 else "127.0.0.1"
        return [(0, 0, 0, "", (at, port))]

    def dial(self, where: tuple[str, int], timeout: float) -> socket.socket:
        self.dialled.append(where[0])
        raise ConnectionRefusedError


def test_a_name_that_points_elsewhere_the_second_time_is_asked_once() -> None:
    """The connection goes to the address that was checked."""
    other = Rebinding()
    with pytest.raises(NotReached):
        outgoing.request(
            "GET", "https://rebind.example.org/", network=Network(other.resolve, other.dial)
        )
    assert (other.asked, other.dialled) == (1, ["93.184.216.34"])
    with pytest.raises(AddressRefused):
        outgoing.request(
            "GET", "https://rebind.example.org/", network=Network(other.resolve, other.dial)
        )
    assert other.dialled == ["93.184.216.34"]


def answered_by(speak: Callable[[socket.socket], None], settings: Any, **limits: Any) -> Any:
    """What `request` makes of a server that speaks so."""
    server = socket.create_server(("127.0.0.1", 0))
    port = server.getsockname()[1]
    settings.OUTGOING_ALLOWED = [f"127.0.0.1:{port}"]

    def serve() -> None:
        caller, _ = server.accept()
        with caller:
            caller.recv(4096)
            try:
                speak(caller)
            except OSError:
                return

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        return outgoing.request("GET", f"http://127.0.0.1:{port}/", limits=Limits(**limits))
    finally:
        thread.join()
        server.close()


def test_a_redirect_is_an_answer_and_not_followed(settings: Any) -> None:
    head = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n"
    answer = answered_by(lambda caller: caller.sendall(head), settings)
    assert (answer.status, answer.headers["location"]) == (302, "http://127.0.0.1/")


@pytest.mark.parametrize("length", [b"Content-Length: 99999999\r\n", b""])
def test_an_answer_that_is_too_long_is_none(settings: Any, length: bytes) -> None:
    def speak(caller: socket.socket) -> None:
        caller.sendall(b"HTTP/1.1 200 OK\r\n" + length + b"\r\n" + b"x" * 4096)

    with pytest.raises(NotReached):
        answered_by(speak, settings, body=1024)


def test_an_answer_that_drips_is_cut(settings: Any) -> None:
    """Each byte comes in time, the whole never does."""
    said = []

    def speak(caller: socket.socket) -> None:
        for _ in range(1000):
            caller.sendall(b"H")
            said.append("H")
            time.sleep(0.01)

    with pytest.raises(NotReached):
        answered_by(speak, settings, seconds=0.3)
    assert len(said) < 1000  # nobody heard it to the end
