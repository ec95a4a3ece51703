"""A broker that is away must not keep the sender of images waiting."""

import pytest
from celery import current_app
from kombu.exceptions import OperationalError

from sharing.kernel import later


def test_a_broker_that_did_not_answer_is_left_alone_for_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each bell would wait for it again; the sweep rings what is owed (F05)."""
    asked = []

    def away(task: str, **_: object) -> None:
        asked.append(task)
        raise OperationalError

    monkeypatch.setitem(later._away, "until", 0.0)
    monkeypatch.setattr(current_app, "send_task", away)
    for _ in range(3):
        later._ring("outbox.run_job", 0, {"job_id": 1})
    assert asked == ["outbox.run_job"]
    monkeypatch.setitem(later._away, "until", 0.0)
    later._ring("outbox.run_job", 0, {"job_id": 1})
    assert len(asked) == 2
