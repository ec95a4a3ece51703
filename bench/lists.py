"""What a page of a list costs of 200,000 studies: 50 by REST, and what the search box finds.

`python -m bench lists [--studies 200000] [--rounds 200]` fills a database of its own by bulk rows,
asks through Django's whole chain without a socket, as a machine and as a physician, of the hospital
that holds all of them and of one that may see forty, and prints the median and the 95th percentile.
Run it under `python tests/postgres.py` for PostgreSQL.
"""

import argparse
import gc
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any

REST, BOX = 50.0, 100.0
"""Milliseconds that the 95th percentile may take on PostgreSQL, of a page by REST and of a search.
"""
PAGES = {
    "REST, the newest 50": "/api/v1/studies/?limit=50",
    "REST, the oldest 50": "/api/v1/studies/?limit=50&ordering=received_at",
    "REST, 50 of one modality": "/api/v1/studies/?limit=50&modality=CT",
    "page, all": "/studies/",
    "page, a given name": "/studies/?q=given12",
    "page, a name and a modality": "/studies/?q=given12+CT",
    "page, an identifier": "/studies/?q=b-0001234",
    "page, an accession number": "/studies/?q=A123456",
    "page, nothing": "/studies/?q=zzzz",
    "page, a facet": "/studies/?modality=CT&period=year",
    "page, by patient": "/studies/?sort=patient",
    "page, shared with us": "/studies/?shared=1",
    "home": "/",
}
Ask = Callable[[str], Any]


def main() -> int:
    """Fill, ask, print; 1 where anything takes longer than it may."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=200)
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
        houses = [(code, _machine(world[code]), _person(world[code])) for code in search.HOUSES]
    late = 0
    for name, path in PAGES.items():
        rest = name.startswith("REST")
        for code, machine, person in houses:
            took = sorted(_asked(machine if rest else person, path, given.rounds))
            middle, end = took[len(took) // 2], took[int(len(took) * 0.95)]
            over = end > (REST if rest else BOX)
            late += over
            print(f"{name:30} {code:10} {middle:7.1f} ms {end:7.1f} ms {'late' * over}", flush=True)
    return int(late > 0)


def _machine(house: Any) -> Ask:
    from django.test import Client
    from django.utils import timezone

    from sharing.partners.services import issue_token

    token = issue_token(
        organization=house, name="bench", scopes=["studies.read"], at=timezone.now()
    )
    browser = Client(SERVER_NAME="bench", headers={"Authorization": f"Bearer {token}"})
    return browser.get


def _person(house: Any) -> Ask:
    from django.test import Client

    from sharing.tenants.rules import Role
    from tests.cast import make_person
    from tests.sessions import sign_in

    user = make_person("Bench", house, Role.PHYSICIAN).user
    return sign_in(Client(SERVER_NAME="bench"), user).get


def _asked(ask: Ask, path: str, rounds: int) -> Iterator[float]:
    for turn in range(rounds + 10):
        if turn == 10:
            gc.collect()  # as portal.wsgi does before a worker's first request
            gc.freeze()
        began = time.perf_counter()
        answer = ask(path)
        took = (time.perf_counter() - began) * 1000
        assert answer.status_code == 200, (path, answer.status_code)
        if turn >= 10:
            yield took
