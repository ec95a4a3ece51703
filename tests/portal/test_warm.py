"""A web worker is warm before its first request, and asks nobody to become so."""

from datetime import UTC, datetime

from portal import wsgi
from sharing.access import fence
from sharing.archive.sql import fence_sql
from sharing.kernel.purposes import Action, Purpose
from sharing.tenants.rules import Actor, Role


def test_a_machines_first_question_finds_its_fence_compiled() -> None:
    """Without a database: a worker that starts while it's away must start all the same."""
    fence._compiled.cache_clear()
    wsgi.warm()
    made = fence._compiled.cache_info().misses
    machine = Actor(
        "client", "7", "PACS", 3, "riverside", "Riverside", "RI",
        Purpose.TREATMENT, frozenset({Role.CLIENT}), scopes=frozenset({"dicomweb.read"}),
    )  # fmt: skip
    assert fence_sql(machine, Action.IMAGES, datetime.now(UTC)) is not None
    assert fence._compiled.cache_info().misses == made > 0
