"""Revocation trials: `python -m tests.durability.revocation --trials 200 [--megabytes 2000]`.

Against the served portal: a consent is given; a big download, copies of many objects (a link's ZIP,
a whole study by WADO-RS), an open viewer's pulse, and new requests by session and by token run; the
consent is revoked at a random moment. Measured from its commit: the last byte of the download and
of the copies, the viewer's first refusal, and the end of the last request that was still answered.
No request that begins after the commit may be answered, no object of a ZIP begin.
"""

import argparse
import http.client
import json
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests import live
from tests.durability import copies
from tests.durability.sending import Made, head_of, store, uids_of

LIMIT = 1.0
LATEST = 15.0
"""Seconds after which nobody waits for an end any more."""
PULSE = 0.6
"""As frontend/viewer/fence.js asks."""
SIDE = 1000
PIECE = 256 * 1024
STUDY, BIG = "a big study", 9999
"""The number of the big object: it is read last."""
LATE_PARTS = 3
"""Objects of a multipart answer that begin in a tenth of a second at the rate of a copy: so old an
answer may be as one begins."""


@dataclass
class Portal:
    """The running portal, its two tokens, Ben's cookie, and the desk."""

    port: int
    read: str
    cookie: str
    study_uid: str
    study: str
    path: str
    desk: subprocess.Popen[str]

    def say(self, word: str) -> dict[str, str | float]:
        """`permit` or `revoke`; the moment of its commit, and the link that was given."""
        assert self.desk.stdin
        assert self.desk.stdout
        self.desk.stdin.write(word + "\n")
        self.desk.stdin.flush()
        return dict(json.loads(self.desk.stdout.readline()))

    def get(self, path: str, *, by: str) -> int:
        """The status of one request, by `token` or by `session`."""
        wire = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        wire.request("GET", path, headers=self.headers(by))
        answer = wire.getresponse()
        answer.read()
        wire.close()
        return answer.status

    def headers(self, by: str) -> dict[str, str]:
        """How the request shows whose it is."""
        if by == "token":
            return {"Authorization": f"Bearer {self.read}"}
        return {"Cookie": self.cookie}


@dataclass
class Seen:
    """What one trial saw; moments on the common clock, and statuses by the moment of asking."""

    begun: threading.Event = field(default_factory=threading.Event)
    received: int = 0
    last_byte: float = 0.0
    whole: bool = False
    blanked: float = 0.0
    asked: list[tuple[float, float, int]] = field(default_factory=list)


@dataclass(frozen=True)
class Trial:
    """Seconds after the commit; `late`: requests begun after it and answered all the same."""

    stream: float
    viewer: float
    request: float
    late: int
    whole: bool
    zipped: float = 0.0
    parts: float = 0.0
    late_in_zip: int = 0
    late_parts: int = 0


def trial(portal: Portal, chance: random.Random, rate: float) -> Trial:
    """One consent, given and revoked. `rate`: bytes a second that the download takes."""
    link = portal.say("permit")
    zipped = copies.of_the_bearer(portal.port, portal.study, str(link["secret"]), str(link["code"]))
    parts = copies.of_a_machine(portal.study_uid, portal.headers("token"))
    seen, over = Seen(), threading.Event()
    jobs: list[Callable[[], None]] = [
        lambda: _download(portal, seen, rate),
        lambda: zipped.run(portal.port),
        lambda: parts.run(portal.port),
        lambda: _look(portal, seen, over, chance.uniform(0, PULSE)),
        lambda: _ask(portal, seen, over, "token", f"{portal.path}/metadata"),
        lambda: _ask(portal, seen, over, "session", f"/studies/{portal.study}/state/"),
    ]
    threads = [threading.Thread(target=job) for job in jobs]
    for thread in threads:
        thread.start()
    for begun in (seen.begun, zipped.begun, parts.begun):
        assert begun.wait(20), "a download never began"
    time.sleep(chance.uniform(0.2, 1.2))
    committed = float(portal.say("revoke")["committed"])
    sent = zipped.sent(), parts.sent()
    time.sleep(LIMIT + 1.1)
    while not seen.blanked and time.monotonic() < committed + LATEST:
        time.sleep(0.1)
    over.set()
    for thread in threads:
        thread.join(30)
    answered = [(start, end) for start, end, status in seen.asked if status == 200]
    last = max((end for _, end in answered), default=committed)
    return Trial(
        stream=seen.last_byte - committed,
        viewer=(seen.blanked or committed + 99) - committed,
        request=max(0.0, last - committed),
        late=sum(start > committed for start, _ in answered),
        whole=seen.whole or zipped.whole or parts.whole,
        zipped=zipped.last_byte - committed,
        parts=parts.last_byte - committed,
        late_in_zip=zipped.later(sent[0]),
        late_parts=parts.later(sent[1]),
    )


def _download(portal: Portal, seen: Seen, rate: float) -> None:
    wire = http.client.HTTPConnection("127.0.0.1", portal.port, timeout=20)
    wire.connect()
    wire.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, PIECE)
    wire.request("GET", portal.path, headers=portal.headers("token"))
    answer = wire.getresponse()
    assert answer.status == 200, answer.status
    length, began = int(answer.headers["Content-Length"]), time.monotonic()
    with suppress(OSError, http.client.HTTPException):  # cut: what is looked for
        while piece := answer.read1(PIECE):
            seen.last_byte = time.monotonic()
            seen.received += len(piece)
            seen.begun.set()
            time.sleep(max(0.0, began + seen.received / rate - seen.last_byte))
    seen.whole = seen.received == length
    wire.close()


def _look(portal: Portal, seen: Seen, over: threading.Event, phase: float) -> None:
    """An open viewer: it asks every 0.6 s and blanks at the first refusal."""
    time.sleep(phase)
    while not over.is_set() and not seen.blanked:
        if portal.get(f"/viewer/{portal.study}/pulse", by="session") == 404:
            seen.blanked = time.monotonic()
        over.wait(PULSE)


def _ask(portal: Portal, seen: Seen, over: threading.Event, by: str, path: str) -> None:
    """New requests, one after another."""
    while not over.is_set():
        start = time.monotonic()
        status = portal.get(path, by=by)
        seen.asked.append((start, time.monotonic(), status))
        over.wait(0.05)


@contextmanager
def staged(folder: Path, megabytes: int) -> Iterator[Portal]:
    """A portal with one study of that size, and the desk that gives and takes back the consent."""
    running = live.start(folder)
    try:
        call = "from tests.durability import revoking; revoking."
        said = running.manage("shell", "-c", f"{call}stage()")
        told = json.loads(said[said.index("{") : said.rindex("}") + 1])
        port = int(running.url.rsplit(":", 1)[1])
        study, series, sop = uids_of(STUDY, BIG)
        _store(port, told["write"], megabytes)
        for start in range(0, copies.PARTS, 20):
            _store_small(port, told["write"], range(start, start + 20))
        path = f"/dicomweb/studies/{study}/series/{series}/instances/{sop}"
        with subprocess.Popen(
            [sys.executable, "manage.py", "shell", "-v0", "-c", f"{call}desk({study!r})"],
            cwd=live.ROOT, env=running.environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True,
        ) as desk:  # fmt: skip
            assert desk.stdout
            public = json.loads(desk.stdout.readline())["study"]
            cookie = _sign_in(port, told["password"])
            yield Portal(port, told["read"], cookie, study, public, path, desk)
    finally:
        live.stop(running)


def _store(port: int, token: str, megabytes: int) -> None:
    frames = megabytes * 1_000_000 // (SIDE * SIDE)
    head = head_of(STUDY, BIG, side=SIDE, frames=frames)
    start = b"--b\r\nContent-Type: application/dicom\r\n\r\n"
    end = b"\r\n--b--\r\n"
    wire = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
    wire.putrequest("POST", "/dicomweb/studies")
    wire.putheader("Authorization", f"Bearer {token}")
    wire.putheader("Content-Type", 'multipart/related; type="application/dicom"; boundary=b')
    size = len(start) + len(head) + SIDE * SIDE * frames + len(end)
    wire.putheader("Content-Length", str(size))
    wire.endheaders()
    wire.send(start + head)
    for _ in range(frames):
        wire.send(bytes(SIDE * SIDE))
    wire.send(end)
    answer = wire.getresponse()
    body = answer.read()
    wire.close()
    assert answer.status == 200, body[-500:]


def _store_small(port: int, token: str, numbers: range) -> None:
    """Objects of a megabyte, of zeros, in the same study."""
    pixels = bytes(SIDE * SIDE)
    made = [
        Made(*uids_of(STUDY, number), head_of(STUDY, number, side=SIDE, frames=1) + pixels)
        for number in numbers
    ]
    answer = store(port, token, made)
    assert answer.status == 200, answer.body[-500:]


def _sign_in(port: int, password: str) -> str:
    """Ben's cookie, as his browser gets it."""
    _, token, held = copies.form_of(port, "/accounts/login/")
    form = {"login": "ben@hilltop.example", "password": password, "csrfmiddlewaretoken": token}
    return copies.written(held | copies.post(port, "/accounts/login/", form, held))


def run(folder: Path, *, trials: int, megabytes: int, rate: float, seed: int = 1) -> list[Trial]:
    """All trials against one portal."""
    chance = random.Random(seed)
    with staged(folder, megabytes) as portal:
        return [trial(portal, chance, rate) for _ in range(trials)]


def broken(found: Sequence[Trial], limit: float = LIMIT) -> list[str]:
    """What the promise forbids, in words; empty when all was kept."""
    checks = {
        "a stream went on for too long": any(
            max(each.stream, each.zipped, each.parts) > limit for each in found
        ),
        "an object of a ZIP began after the commit": any(each.late_in_zip for each in found),
        "parts began long after the commit": any(
            each.late_parts > LATE_PARTS * limit / LIMIT for each in found
        ),
        "a viewer went on for too long": any(each.viewer > limit for each in found),
        "a request of after the commit was answered": any(each.late for each in found),
        "a download was whole: it was too small to be cut": any(each.whole for each in found),
    }
    return [words for words, wrong in checks.items() if wrong]


def figures(values: Sequence[float]) -> str:
    """p50, p99 and p100."""
    ordered = sorted(values)
    at = [ordered[min(len(ordered) - 1, int(len(ordered) * part))] for part in (0.5, 0.99)]
    return f"p50 {at[0]:.2f} s, p99 {at[1]:.2f} s, p100 {ordered[-1]:.2f} s"


def main() -> int:
    """Exit code 1 when a promise was broken."""
    options = argparse.ArgumentParser()
    options.add_argument("--trials", type=int, default=200)
    options.add_argument("--megabytes", type=int, default=2000)
    options.add_argument("--rate", type=float, default=400e6, help="bytes a second")
    given = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="portal-revoke-") as folder:
        began = time.monotonic()
        found = run(Path(folder), trials=given.trials, megabytes=given.megabytes, rate=given.rate)
    print(f"{given.trials} revocations in {time.monotonic() - began:.0f} s, {given.megabytes} MB")
    print(f"last byte of a download: {figures([each.stream for each in found])}")
    print(f"last byte of a link's ZIP: {figures([each.zipped for each in found])}")
    print(f"last byte of a study by WADO-RS: {figures([each.parts for each in found])}")
    late = sum(each.late_in_zip for each in found), max(each.late_parts for each in found)
    print(f"objects begun after the commit: {late[0]} of ZIPs; at most {late[1]} of one study's")
    print(f"first refusal of a viewer: {figures([each.viewer for each in found])}")
    print(f"end of the last answered request: {figures([each.request for each in found])}")
    wrong = broken(found)
    print(f"answered after the commit: {sum(each.late for each in found)}; {wrong or 'all kept'}")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
