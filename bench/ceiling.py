"""How fast an application behind our web server can be at all: ours beside one that knows by heart.

`python -m bench ceiling --rounds 3` (DICOMWEB_BENCH names the benchmark). The other one stands in
front of the portal, asks it once for each answer, and tells it again from memory: no token is
looked at, no fence asked, no log written, no file read. What a figure of ours lacks to its is what
we could ever gain; what it lacks to the figures asked is out of reach behind this server.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench.dicomweb import REST_SECONDS, portal
from tests import live

UPSTREAM = os.environ.get("CEILING_OF", "")
FIGURES = {
    "QIDO by PatientID, ms": "qido.patient_id.c1.p50_ms",
    "QIDO instances of a series, ms": "qido.instances.c1.p50_ms",
    "series metadata, repeat, ms": "wado.metadata.c1.p50_ms",
    "frames again, 1 client, per s": "wado.frame.again.c1.per_s",
    "frames again, 4 clients, per s": "wado.frame.again.c4.per_s",
    "frames again, 16 clients, per s": "wado.frame.again.c16.per_s",
}
Answer = tuple[str, list[tuple[str, str]], bytes]
_known: dict[tuple[str, ...], Answer] = {}


def application(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    """WSGI: reads come from memory once they were answered; stores go through."""
    names = ("REQUEST_METHOD", "PATH_INFO", "QUERY_STRING", "HTTP_ACCEPT")
    asked = tuple(environ.get(name, "") for name in names)
    answer = _known.get(asked)
    if answer is None:
        answer = _forwarded(environ)
        if asked[0] == "GET":
            _known[asked] = answer
    status, headers, body = answer
    start(status, headers)
    return (body,)


def _forwarded(environ: dict[str, Any]) -> Answer:
    sent = {"Accept": environ.get("HTTP_ACCEPT", ""), "Host": urlsplit(UPSTREAM).netloc}
    sent["Authorization"] = environ["HTTP_AUTHORIZATION"]
    if environ.get("CONTENT_TYPE"):
        sent["Content-Type"] = environ["CONTENT_TYPE"]
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(length) if length else None
    address = f"{environ['PATH_INFO']}?{environ.get('QUERY_STRING', '')}".rstrip("?")
    upstream = HTTPConnection(sent["Host"], timeout=60)
    upstream.request(environ["REQUEST_METHOD"], address, body, sent)
    found = upstream.getresponse()
    told = found.read()
    upstream.close()
    kept = [pair for pair in found.getheaders() if pair[0].lower() not in _OF_THE_WAY]
    return f"{found.status} {found.reason}", [*kept, ("Content-Length", str(len(told)))], told


_OF_THE_WAY = {"connection", "content-length", "date", "keep-alive", "server", "transfer-encoding"}


@contextmanager
def by_heart(ours: live.LivePortal) -> Iterator[str]:
    """The other application behind the same web server, with the same options; its address."""
    port = live.free_port()
    command = [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws", "--port", str(port)),
        *("--workers", "2", "--blocking-threads", "4", "--log-level", "warning"),
        "bench.ceiling:application",
    ]
    server = subprocess.Popen(command, env={**ours.environ, "CEILING_OF": ours.url}, cwd=live.ROOT)
    try:
        time.sleep(REST_SECONDS)
        yield f"http://127.0.0.1:{port}/dicomweb"
    finally:
        server.terminate()
        server.wait(timeout=20)


def _measured(script: str, rounds: int, folder: Path) -> dict[str, Any]:
    with portal(folder / "portal") as (ours, token), by_heart(ours) as other:
        out = folder / "pair.json"
        command = [
            *(sys.executable, script, "--pair", f"{ours.url}/dicomweb", other),
            *("--rounds", str(rounds), "--studies", "4", "--sections", "stow,qido,wado"),
            *("--header", f"Authorization: Bearer {token}", "--out", str(out)),
        ]
        subprocess.run(command, check=False)
        result: dict[str, Any] = json.loads(out.read_text())
        return result


def main() -> int:
    """Print the table; 1 where an answer was wrong."""
    parser = argparse.ArgumentParser(prog="bench ceiling", description=__doc__)
    parser.add_argument("--script", default=os.environ.get("DICOMWEB_BENCH"), required=False)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    if not given.script:
        raise SystemExit("Say where dicomweb_bench.py is: --script PATH or DICOMWEB_BENCH=PATH.")
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=os.environ.get("BENCH_DIR")))
    try:
        result = _measured(given.script, given.rounds, folder)
    finally:
        shutil.rmtree(folder)
    print("\n| figure | ours | known by heart | times better |\n|---|---|---|---|")
    for words, figure in FIGURES.items():
        row = result["ratios"][figure]
        print(f"| {words} | {row['a']:.2f} | {row['b']:.2f} | {row['advantage_median']:.2f} |")
    return 1 if result["errors"] else 0
