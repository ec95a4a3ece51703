"""Events over syslog with TLS: RFC 5424 messages in RFC 5425 frames. No database."""

import contextlib
import json
import socket
import ssl
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

SECONDS = 10.0
PORT = 6514
AUDIT, NOTICE, WARNING = 13, 5, 4
"""Facility "log audit" and severities (RFC 5424 6.2.1)."""
BOM = b"\xef\xbb\xbf"


def framed(message: bytes) -> bytes:
    """MSG-LEN SP SYSLOG-MSG (RFC 5425 4.3)."""
    return b"%d %s" % (len(message), message)


def message(resource: Mapping[str, Any], *, host: str, place: int) -> bytes:
    """An AuditEvent as one message; its MSGID says what the body is (RFC 5424 6)."""
    severity = NOTICE if resource["outcome"] == "0" else WARNING
    priority = AUDIT * 8 + severity
    where = "".join(letter for letter in host if 32 < ord(letter) < 127)[:255] or "-"
    head = f"<{priority}>1 {resource['recorded']} {where} portal - AuditEvent "
    head += f'[meta sequenceId="{place % 2147483647 + 1}"] '
    body = json.dumps(resource, ensure_ascii=False, separators=(",", ":"))
    return head.encode("ascii") + BOM + body.encode()


def send(url: str, frames: Iterable[bytes]) -> None:
    """All frames over one connection to `tls://host:6514?ca=file&cert=file&key=file`.

    The server must prove its name. Raises OSError (ssl.SSLError too): then send all once more.
    """
    parts = urlsplit(url)
    options = {name: values[0] for name, values in parse_qs(parts.query).items()}
    context = ssl.create_default_context(cafile=options.get("ca"))
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if "cert" in options:
        context.load_cert_chain(options["cert"], options.get("key"))
    host = parts.hostname or ""
    with (
        socket.create_connection((host, parts.port or PORT), SECONDS) as raw,
        context.wrap_socket(raw, server_hostname=host) as line,
    ):
        for frame in frames:
            line.sendall(frame)
        with contextlib.suppress(ssl.SSLError, TimeoutError):  # RFC 5425 4.4: it need not answer
            line.unwrap()
