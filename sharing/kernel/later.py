"""Ring a task's bell once the transaction has committed.

The bell is a wake-up and never the record: what must happen stands in the outbox
(`sharing.outbox.services.promise`), whose sweep rings again when the broker was away.
"""

import logging
import time
from functools import partial
from threading import Thread
from typing import Any

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

log = logging.getLogger(__name__)
REST = 30.0
"""So many seconds a broker that did not answer is left alone: asking a dead one takes six, a hung
one thirty, and the sender of images would wait for a bell that the sweep rings anyway."""
_away = {"until": 0.0}


def later(task: str, *, after: float = 0, **ids: Any) -> None:
    """Call the task of that name with ids only, `after` seconds from the commit on."""
    transaction.on_commit(partial(_ring, task, after, ids))


def ring(task: str, *, after: float = 0, **ids: Any) -> None:
    """Ring now, from a thread of its own: the sender of images waits for no broker.

    Only outside a transaction, or when it has committed.
    """
    Thread(target=_ring, args=(task, after, ids), daemon=True).start()


def _ring(task: str, after: float, ids: dict[str, Any]) -> None:
    if time.monotonic() < _away["until"]:
        return
    wait = {"countdown": after} if after else {}
    try:
        current_app.send_task(task, kwargs=ids, retry=False, ignore_result=True, **wait)
    except OperationalError:
        _away["until"] = time.monotonic() + REST
        log.warning("broker away, %s waits for the sweep", task)
