"""Starts the provider, and is a person's browser at it."""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import requests
from django.test import Client

from tests.live import free_port

SECRET = "a secret that only the two know, and long"
CALLBACK = "http://testserver/accounts/oidc/{}/login/callback/"


@dataclass(frozen=True)
class House:
    """A running provider."""

    issuer: str
    port: int

    def lets_in(self, browser: Client, code: str, subject: str, asked: str = "") -> Any:
        """A person's whole way: portal, provider's two pages, and back; the portal's answer.

        `asked`: what the portal's link asks of the provider.
        """
        given = {"auth_params": asked} if asked else {}
        start = browser.get(f"/accounts/oidc/{code}/login/", given)
        assert start.status_code == 302, start.content.decode()
        with requests.Session() as there:
            there.headers["X-Person"] = subject
            url = start["Location"]
            for _ in range(12):
                answer = there.get(url, allow_redirects=False, timeout=20)
                assert answer.is_redirect, answer.text
                url = urljoin(url, answer.headers["Location"])
                if url.startswith("http://testserver"):
                    return browser.get(url.removeprefix("http://testserver"))
        raise AssertionError("the provider never sent the person back")


@contextmanager
def running(people: dict[str, dict[str, Any]], *codes: str) -> Iterator[House]:
    """A provider with those people, known to these organizations' sign-ins."""
    port = free_port()
    clients = [
        {
            "client_id": code,
            "client_secret": SECRET,
            "redirect_uris": [CALLBACK.format(code)],
        }
        for code in codes
    ]
    node = shutil.which("node")
    assert node, "node is on the PATH by `make setup`"
    process = subprocess.Popen(
        [node, str(Path(__file__).with_name("provider.mjs")), str(port),
         json.dumps({"clients": clients, "people": people})],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # `node` of the wheel is a script that starts the real one
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert any("listening" in line for line in process.stdout), "the provider did not start"
        yield House(f"http://127.0.0.1:{port}", port)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=20)
        if process.stdout is not None:
            process.stdout.close()
