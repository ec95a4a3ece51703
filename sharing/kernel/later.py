"""Ring a task's bell once the transaction has committed.

The bell is a wake-up and never the record: what must happen stands in the outbox
(`sharing.outbox.services.promise`), whose sweep rings again when the broker was away.
"""

import logging
from functools import partial
from typing import Any

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

log = logging.getLogger(__name__)


def later(task: str, *, after: float = 0, **ids: Any) -> None:
    """Call the task of that name with ids only, `after` seconds from the commit on."""
    transaction.on_commit(partial(_ring, task, after, ids))


def _ring(task: str, after: float, ids: dict[str, Any]) -> None:
    wait = {"countdown": after} if after else {}
    try:
        current_app.send_task(task, kwargs=ids, retry=False, ignore_result=True, **wait)
    except OperationalError:
        log.warning("broker away, %s waits for the sweep", task)
