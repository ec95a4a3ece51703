"""What a page of 50 studies by REST costs, of 200,000.

`python -m bench rest [--studies 200000] [--rounds 300]` fills a database of its own by bulk rows,
asks `/api/v1/studies/` with a token through Django's whole chain without a socket, and prints the
median and the 95th percentile. Run it under `python tests/postgres.py` for PostgreSQL.
"""

import argparse
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from typing import Any

WANTED = 50.0
"""Milliseconds that the 95th percentile may take on PostgreSQL."""


def main() -> int:
    """Fill, ask, print; 1 where it takes longer than wanted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=300)
    given = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="portal-bench-")
    os.environ.setdefault("DATABASE_URL", "")
    os.environ.update(
        DATA_DIR=folder, PORTAL_MODE="embedded", PUBLIC_URL="http://bench", LOG_LEVEL="WARNING",
        REST_REQUESTS_A_MINUTE="0",
    )  # fmt: skip
    os.environ["DJANGO_SETTINGS_MODULE"] = "portal.settings"
    try:
        return _run(given)
    finally:
        shutil.rmtree(folder)


def _run(given: argparse.Namespace) -> int:
    import django

    django.setup()
    from django.core.management import call_command

    from bench import search
    from sharing.kernel import scope

    with scope.as_house():
        call_command("migrate", verbosity=0)
        world = search._world()
        print(f"{given.studies} studies filled in {search._fill(world, 0, given.studies):.0f} s")
        tokens = dict(_tokens())
    worst = 0.0
    for name, path in PAGES.items():
        for house, token in tokens.items():
            took = sorted(_asked(path, token, given.rounds))
            middle, late = took[len(took) // 2], took[int(len(took) * 0.95)]
            print(f"{name:32} {house:10} median {middle:7.2f} ms   p95 {late:7.2f} ms")
            worst = max(worst, late)
    return int(worst > WANTED)


PAGES = {
    "the newest 50": "/api/v1/studies/?limit=50",
    "the oldest 50": "/api/v1/studies/?limit=50&ordering=received_at",
    "50 of one modality": "/api/v1/studies/?limit=50&modality=CT",
}


def _tokens() -> Iterator[tuple[str, str]]:
    from django.utils import timezone

    from sharing.partners.services import issue_token
    from sharing.tenants.models import Organization

    for code in ("riverside", "hilltop"):
        house = Organization.objects.get(code=code)
        yield (
            code,
            issue_token(
                organization=house, name="bench", scopes=["studies.read"], at=timezone.now()
            ),
        )


def _asked(path: str, token: str, rounds: int) -> Iterator[float]:
    from django.test import Client

    browser, headers = Client(SERVER_NAME="bench"), {"Authorization": f"Bearer {token}"}
    for turn in range(rounds + 10):
        began = time.perf_counter()
        answer: Any = browser.get(path, headers=headers)
        took = (time.perf_counter() - began) * 1000
        assert answer.status_code == 200, answer.content
        if turn >= 10:
            yield took
