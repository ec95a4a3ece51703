"""Copies of many objects that are under way while the consent is revoked: the ZIP of a link's
bearer, and a whole study by WADO-RS.

What the server had sent before is still on its way when the revocation returns: in the kernel's
queues, which are asked how much it is, and inside the server. Only objects beyond it began later.
"""

import http.client
import re
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

PIECE = 64 * 1024
RATE = 20e6
"""Bytes a second that a copy takes: slowly enough that objects begin all the time."""
PARTS = 160
"""Objects of a megabyte: more than a copy takes until it is cut."""
HELD = 7 << 19
"""Bytes that the server holds between us and its socket: measured, with a reader that stood still
for longer than a stream goes without asking, 2.2 to 3.5 MiB came after all that the queues held."""
BEGIN = b"DICM"
"""What stands once in each object, as its pixels are zeros."""


@dataclass
class Copy:
    """One copy: where each object began, how far it came, and whether it looks whole."""

    path: str
    headers: dict[str, str]
    end: bytes
    """What only a whole answer ends with."""
    begun: threading.Event = field(default_factory=threading.Event)
    received: int = 0
    last_byte: float = 0.0
    objects: list[int] = field(default_factory=list)
    tail: bytes = b""
    name: tuple[int, int] = (0, 0)

    def run(self, port: int) -> None:
        """Take it, as fast as RATE, until it is cut."""
        wire = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        wire.connect()
        wire.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * PIECE)
        self.name = (wire.sock.getsockname()[1], port)
        wire.request("GET", self.path, headers=self.headers)
        answer = wire.getresponse()
        assert answer.status == 200, (self.path, answer.status)
        with suppress(OSError, http.client.HTTPException):  # cut: what is looked for
            while piece := answer.read1(PIECE):
                self._take(piece)
                time.sleep(len(piece) / RATE)  # nothing is caught up: it never comes in a rush
        wire.close()

    def _take(self, piece: bytes) -> None:
        seen = self.tail[-len(BEGIN) + 1 :] + piece
        start = self.received + len(piece) - len(seen)
        self.objects += [start + found.start() for found in re.finditer(BEGIN, seen)]
        self.tail = (self.tail + piece)[-64:]
        self.received += len(piece)
        self.last_byte = time.monotonic()
        if len(self.objects) > 1:
            self.begun.set()

    @property
    def whole(self) -> bool:
        """Whether somebody could take what came for all of it."""
        return self.end in self.tail

    def sent(self) -> int:
        """How many bytes of it have left the server by now, at most."""
        return _on_the_way(*self.name) + HELD + self.received

    def later(self, sent: int) -> int:
        """How many objects began beyond that."""
        return sum(place > sent for place in self.objects)


def _on_the_way(mine: int, port: int) -> int:
    """What the two ends of a connection hold in their queues (proc(5), /proc/net/tcp)."""
    found = 0
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, near, far, _, queues, *_ = line.split()
        two = (int(near.rpartition(":")[2], 16), int(far.rpartition(":")[2], 16))
        out, waiting = (int(part, 16) for part in queues.split(":"))
        found += out if two == (port, mine) else waiting if two == (mine, port) else 0
    return found


def of_the_bearer(port: int, study: str, secret: str, code: str) -> Copy:
    """The ZIP of a study, for whoever comes by a link with its code."""
    _, token, cookies = form_of(port, "/open/")
    form = {"link": secret, "code": code, "csrfmiddlewaretoken": token}
    cookies |= post(port, "/open/", form, cookies)
    headers = {"Cookie": written(cookies)}
    return Copy(f"/open/studies/{study}/download/", headers, b"PK\x05\x06")


def of_a_machine(study_uid: str, headers: dict[str, str]) -> Copy:
    """A whole study by WADO-RS; no boundary of ours holds two dashes but the last."""
    return Copy(f"/dicomweb/studies/{study_uid}", headers, b"--\r\n")


def form_of(port: int, path: str) -> tuple[str, str, dict[str, str]]:
    """A page, the token of its form, and its cookies."""
    wire = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    wire.request("GET", path)
    answer = wire.getresponse()
    held, page = _cookies(answer), answer.read().decode()
    wire.close()
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert found, page[:500]
    return page, found[1], held


def post(port: int, path: str, form: dict[str, str], cookies: dict[str, str]) -> dict[str, str]:
    """The cookies that a browser gets for that form; it is sent on to another page."""
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Cookie": written(cookies),
        "Referer": f"http://127.0.0.1:{port}{path}",
    }
    wire = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    wire.request("POST", path, urlencode(form), headers)
    answer = wire.getresponse()
    answer.read()
    wire.close()
    assert answer.status == 302, answer.status
    return _cookies(answer)


def written(cookies: dict[str, str]) -> str:
    """As a browser sends them."""
    return "; ".join(f"{name}={value}" for name, value in cookies.items())


def _cookies(answer: Any) -> dict[str, str]:
    jar: SimpleCookie = SimpleCookie()
    for line in answer.headers.get_all("Set-Cookie") or ():
        jar.load(line)
    return {name: morsel.value for name, morsel in jar.items()}
