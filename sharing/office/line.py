"""The way to the portal as a partner takes it: by its public address, over HTTP."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPSConnection
from urllib.parse import urlsplit

from django.conf import settings

TIMEOUT = 15.0
MOST = 4 * 1024 * 1024
"""Bytes of an answer that are looked at."""


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def ask(method: str, path: str, *, headers: Mapping[str, str], body: bytes = b"") -> Answer:
    """One request to PUBLIC_URL, no redirect followed. Raises OSError, HTTPException."""
    where = urlsplit(settings.PUBLIC_URL)
    if where.scheme == "https":
        secure = ssl.create_default_context()
        line: HTTPConnection = HTTPSConnection(where.netloc, timeout=TIMEOUT, context=secure)
    else:
        line = HTTPConnection(where.netloc, timeout=TIMEOUT)
    try:
        line.request(
            method, where.path.rstrip("/") + path, body=body or None, headers=dict(headers)
        )
        answer = line.getresponse()
        return Answer(answer.status, dict(answer.getheaders()), answer.read(MOST))
    finally:
        line.close()
