"""The part of S3 that the portal uses, in a thread, with faults by script.

Not a model of any product: one bucket in memory, path style, signatures not looked at. Faults are
drawn for each request from the weights in `faults`.
"""

import hashlib
import random
import threading
import time
import xml.sax.saxutils as xml
from base64 import b64encode
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import uuid4

FAULTS = ("error", "cut", "short", "slow", "done_but_silent")
"""503; closed at once; half of the body; a second of silence; done, then closed."""


class SimpleS3(ThreadingHTTPServer):
    """`with SimpleS3() as s3:` serves; `s3.location` is its BLOB_STORAGE."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, *, rate: float = 0.0, seed: int = 1) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.objects: dict[str, tuple[bytes, datetime]] = {}
        self.uploads: dict[str, dict[int, bytes]] = {}
        self.rate, self.chance = rate, random.Random(seed)
        self.faults: tuple[str, ...] = FAULTS
        self.served = self.failed = 0
        self.lock = threading.Lock()
        self.location = f"s3://key:secret@127.0.0.1:{self.server_port}/images?tls=0"

    def __enter__(self) -> "SimpleS3":
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was killed in the middle is what these tests are about."""

    def draw(self) -> str:
        """The fault of this request, blank for none."""
        with self.lock:
            self.served += 1
            if self.chance.random() >= self.rate:
                return ""
            self.failed += 1
            return self.chance.choice(self.faults)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are two writes: else each waits 40 ms
    server: SimpleS3

    def log_message(self, *_: object) -> None:
        """Quiet."""

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        if len(body) != length:
            self.close_connection = True
            return
        fault = self.server.draw()
        if fault == "error":
            self._answer(503, b"<Error><Code>SlowDown</Code><Message>no</Message></Error>")
        elif fault == "cut":
            self._hang_up()
        else:
            if fault == "slow":
                time.sleep(1)
            self._do(body, fault)

    def _do(self, body: bytes, fault: str) -> None:
        parts = urlsplit(self.path)
        key = unquote(parts.path).partition("/images")[2].lstrip("/")
        query = {name: v[0] for name, v in parse_qs(parts.query, keep_blank_values=True).items()}
        status, answer, headers = getattr(self, f"_{self.command.lower()}")(key, query, body)
        if fault == "done_but_silent":
            self._hang_up()
        else:
            self._answer(status, answer, short=fault == "short", **headers)

    def _put(self, key: str, query: dict[str, str], body: bytes) -> Any:
        given = self.headers.get("Content-MD5")
        if given and given != b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode():
            return 400, b"<Error><Code>BadDigest</Code></Error>", {}
        with self.server.lock:
            if "uploadId" in query:
                if query["uploadId"] not in self.server.uploads:
                    return _no("NoSuchUpload")
                self.server.uploads[query["uploadId"]][int(query["partNumber"])] = body
            else:
                self.server.objects[key] = body, datetime.now(UTC)
        return 200, b"", {"ETag": _etag(body)}

    def _post(self, key: str, query: dict[str, str], body: bytes) -> Any:
        with self.server.lock:
            if "uploads" in query:
                upload = uuid4().hex
                self.server.uploads[upload] = {}
                text = f"<R><UploadId>{upload}</UploadId></R>"
            else:
                parts = self.server.uploads.pop(query["uploadId"], None)
                if parts is None:
                    return _no("NoSuchUpload")
                whole = b"".join(parts[number] for number in sorted(parts))
                self.server.objects[key] = whole, datetime.now(UTC)
                text = f"<R><Key>{xml.escape(key)}</Key></R>"
        return 200, text.encode(), {}

    def _get(self, key: str, query: dict[str, str], body: bytes) -> Any:
        if not key:
            entries = "".join(
                f"<Contents><Key>{xml.escape(name)}</Key><Size>{len(raw)}</Size></Contents>"
                for name, (raw, _) in sorted(self.server.objects.items())
            )
            head = "<IsTruncated>false</IsTruncated>"
            return 200, f"<ListBucketResult>{head}{entries}</ListBucketResult>".encode(), {}
        if key not in self.server.objects:
            return _no("NoSuchKey")
        raw, written = self.server.objects[key]
        headers = {"ETag": _etag(raw), "Last-Modified": format_datetime(written, usegmt=True)}
        wanted = self.headers.get("Range")
        if not wanted:
            return 200, raw, headers
        first, last = (int(word) for word in wanted.removeprefix("bytes=").split("-"))
        part = raw[first : last + 1]
        return 206, part, headers | {"Content-Range": f"bytes {first}-{last}/{len(raw)}"}

    _head = _get

    def _delete(self, key: str, query: dict[str, str], body: bytes) -> Any:
        with self.server.lock:
            self.server.objects.pop(key, None)
            self.server.uploads.pop(query.get("uploadId", ""), None)
        return 204, b"", {}

    def _answer(self, status: int, body: bytes, *, short: bool = False, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body[: len(body) // 2] if short else body)
        if short:
            self._hang_up()

    def _hang_up(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(2)


for _method in ("GET", "PUT", "POST", "DELETE", "HEAD"):
    setattr(_Handler, f"do_{_method}", _Handler._serve)


def _no(code: str) -> Any:
    return 404, f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode(), {}


def _etag(raw: bytes) -> str:
    return f'"{hashlib.md5(raw, usedforsecurity=False).hexdigest()}"'
