"""OHIF as published, served as a careful site would: gzip made beforehand, hashed files immutable;
what begins with /dicomweb goes on to the portal.
"""

import gzip
import http.client
import mimetypes
import re
import threading
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from tests import ohif
from tests.faces.dicomweb.test_ohif import CONFIG

_HASHED = re.compile(r"\.[0-9a-f]{16,}\.|[.-][0-9a-f]{20}\.")
_TEXT = (".js", ".css", ".html", ".json", ".svg", ".wasm", ".map")


@lru_cache(maxsize=4096)
def _file(path: Path) -> tuple[bytes, bool]:
    """A file's bytes, and whether they are gzip."""
    raw = path.read_bytes()
    if path.suffix not in _TEXT or len(raw) < 1024:
        return raw, False
    return gzip.compress(raw, 9), True


class OhifServer:
    """`with OhifServer(portal_port) as port`."""

    def __init__(self, portal: int) -> None:
        self.files = ohif.folder()
        for path in sorted(self.files.rglob("*")):  # nothing is compressed while time is taken
            if path.is_file():
                _file(path)
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self.files, portal))
        self.server.daemon_threads = True

    def __enter__(self) -> int:
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return int(self.server.server_address[1])

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()


def _handler(files: Path, portal: int) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            if path.startswith("/dicomweb"):
                self._pass_on()
            elif path == "/app-config.js":
                self._answer(CONFIG.encode(), "text/javascript", zipped=False, kept=False)
            else:
                file = files / path.lstrip("/")
                file = file if file.is_file() else files / "index.html"
                kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
                body, zipped = _file(file)
                self._answer(body, kind, zipped=zipped, kept=bool(_HASHED.search(file.name)))

        def _answer(self, body: bytes, kind: str, *, zipped: bool, kept: bool) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            if zipped:
                self.send_header("Content-Encoding", "gzip")
            self.send_header(
                "Cache-Control", "max-age=31536000, immutable" if kept else "max-age=3600"
            )
            self.end_headers()
            self.wfile.write(body)

        def _pass_on(self) -> None:
            there = http.client.HTTPConnection("127.0.0.1", portal, timeout=60)
            try:
                headers = {k: v for k, v in self.headers.items() if k.lower() != "connection"}
                there.request("GET", self.path, headers=headers)
                answer = there.getresponse()
                body = answer.read()
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in ("transfer-encoding", "content-length", "connection"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            finally:
                there.close()

        def log_message(self, *_: object) -> None:
            """Nothing: the line is what is looked at."""

    return Handler
