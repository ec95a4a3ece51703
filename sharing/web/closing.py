"""Closing an organization that leaves: the first word and the second, from either console."""

from datetime import datetime
from typing import Any

from sharing.office import services as office
from sharing.tenants.services import Actor


def closing(own: Any, actor: Actor, at: datetime) -> str:
    """The first word or the second, whichever is open. Raises NotNow, ExportMissing, SamePerson."""
    found = office.leaving_of(own.pk)
    if found is None or found.asked_at is None:
        office.ask_closing(organization=own, by=actor, at=at)
        return "Noted. A second person must confirm; one of the two is of the region’s operator."
    office.confirm_closing(organization=own, by=actor, at=at)
    return "Confirmed. The checksums are looked at again, then everything is deleted."
