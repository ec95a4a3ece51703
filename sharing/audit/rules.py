"""What an event says: who, what, on what ground. Plain values, so that every room can fill it."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any


@dataclass(frozen=True)
class Who:
    """The acting person, client or process, by value."""

    kind: str
    id: str = ""
    name: str = ""
    organization: str = ""
    organization_name: str = ""
    purpose: str = ""
    client: str = ""
    """The app that a person let act; a machine is its own actor."""


SYSTEM = Who(kind="system", name="The portal")
ANONYMOUS = Who(kind="anonymous", name="Not signed in")


@dataclass(frozen=True)
class What:
    """The thing acted on, by value; blank where the event concerns no study."""

    custodian: str = ""
    patient: str = ""
    study: str = ""
    study_uid: str = ""
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Ground:
    """Why it was permitted or refused."""

    permitted: bool = True
    rule: str = ""
    reason: str = ""
    consent: str = ""


UNNAMED_COPY = "study.copy_unnamed"
"""A copy left that names nobody. Its line alone knows of which study it is, and under which UID it
left: `detail["as"]`.
"""


def window_of(at: datetime) -> datetime:
    """The start of the quarter of an hour that `at` falls in: repeated reads count as one event."""
    return at - timedelta(minutes=at.minute % 15, seconds=at.second, microseconds=at.microsecond)
