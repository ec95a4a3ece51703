"""What the portal says of itself to whoever sends it readers."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone


@pytest.mark.parametrize("ahead", [timedelta(minutes=5), timedelta(days=-1)])
def test_a_machine_whose_clock_is_not_the_databases_is_given_no_readers(
    db: None, monkeypatch: pytest.MonkeyPatch, ahead: timedelta
) -> None:
    """It would judge by its own time whether a consent still lasts."""
    assert Client().get("/readyz").status_code == 200
    right = timezone.now
    monkeypatch.setattr("django.utils.timezone.now", lambda: right() + ahead)
    answer = Client().get("/readyz")
    assert (answer.status_code, answer.content) == (503, b"clock\n")
    assert Client().get("/healthz").status_code == 200


def test_a_minute_is_nobodys_fault(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    right = timezone.now
    monkeypatch.setattr("django.utils.timezone.now", lambda: right() - timedelta(seconds=50))
    assert Client().get("/readyz").status_code == 200
