"""Doorbells of the offices."""

from celery import shared_task
from django.utils import timezone

from . import services


@shared_task(name="office.test_link")
def test_link(test_id: int) -> None:
    """An organization's connection is to be tested."""
    services.run_test(test_id=test_id, at=timezone.now())


@shared_task(name="office.test_links")
def test_links() -> None:
    """All connections, at night; the beat calls this."""
    services.ask_nightly(at=timezone.now())


@shared_task(name="office.export")
def export(organization_id: int) -> None:
    """An organization leaves: all of it as files."""
    services.export(organization_id=organization_id, at=timezone.now())


@shared_task(name="office.close")
def close(leaving_id: int) -> None:
    """Two persons let an organization be deleted."""
    services.close(leaving_id=leaving_id, at=timezone.now())
