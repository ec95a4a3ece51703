"""The WSGI entry: `granian --interface wsgi portal.wsgi:application`."""

import gc
import os
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
django_application = get_wsgi_application()  # loads the rooms; what needs them is imported after


def entry() -> Application:
    """Machines by their short way, everybody else by Django's chain."""
    from portal.machines import Machines

    return Machines(django_application)


def refuse_when_unsafe() -> None:
    """A server that is started without manage.py meets the same start-up checks."""
    from portal.checks import production_is_safe, second_fence_stands

    if mistakes := production_is_safe() or second_fence_stands():
        raise ImproperlyConfigured(" ".join(mistake.msg for mistake in mistakes))


def warm() -> None:
    """Make what a worker's first requests would each wait for: routes, tasks, machines' fences.

    All of it is code and text; the database and the broker aren't asked.
    """
    from django.urls import get_resolver

    from portal.celery import app
    from sharing.archive.sql import fence_sql
    from sharing.kernel.purposes import Action, Purpose
    from sharing.tenants.rules import Actor, Role

    get_resolver().reverse("alive")
    app.finalize(auto=True)
    _ = app.backend  # loads its modules; the broker is called by the first bell
    machine = Actor(
        kind="client",
        id="",
        name="",
        organization_id=0,
        organization_code="",
        organization_name="",
        organization_mark="",
        purpose=Purpose.TREATMENT,
        roles=frozenset({Role.CLIENT}),
    )
    for action in Action:
        fence_sql(machine, action, datetime.now(UTC))


def settle_memory() -> None:
    """What is loaded by now stays: the collector need not look through it again and again.

    A fifth of what storing an image costs in Python (bench ingest_steps).
    """
    gc.collect()
    gc.freeze()


refuse_when_unsafe()
application = entry()
warm()
settle_memory()
