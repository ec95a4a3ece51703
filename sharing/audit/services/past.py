"""What held at a moment: former values, kept when they change."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sharing.audit.models import Past


def keep_past(*, kind: str, key: str, value: Mapping[str, Any], at: datetime) -> None:
    """Something was `value` until `at`; call it inside the transaction that changes it."""
    Past.objects.create(kind=kind, key=key, until=at, value=dict(value))


def as_it_was(*, kind: str, keys: Iterable[str], at: datetime) -> dict[str, dict[str, Any]]:
    """What each of these was at that moment, of those that changed since."""
    later = Past.objects.filter(kind=kind, key__in=set(keys), until__gt=at)
    found: dict[str, dict[str, Any]] = {}
    for row in later.order_by("until", "pk"):
        found.setdefault(row.key, row.value)
    return found
