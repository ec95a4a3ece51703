"""How long sessions last: set by the organization's administrators."""

from datetime import datetime

from django.db import transaction

from sharing.audit.rules import What
from sharing.audit.services import record
from sharing.kernel.errors import BadValue
from sharing.tenants.models import Sitting
from sharing.tenants.rules import Actor, Duty
from sharing.tenants.sittings import Limits

from .acting import require

IDLE, SHARED, LONGEST = range(2, 241), range(1, 61), range(1, 25)


def sitting_of(actor: Actor) -> Limits:
    """What holds at the actor's organization."""
    found = Sitting.objects.filter(organization_id=actor.organization_id).first()
    return found.limits if found else Limits()


@transaction.atomic
def set_sitting(*, limits: Limits, by: Actor, at: datetime) -> None:
    """Holds with the next request of everybody there. Raises NotAllowed, BadValue."""
    require(by, Duty.MANAGE_MEMBERS)
    if not (
        limits.idle_minutes in IDLE
        and limits.shared_minutes in SHARED
        and limits.longest_hours in LONGEST
    ):
        raise BadValue("A session ends after 2 to 240 idle minutes and within a day.")
    values = vars(limits)
    Sitting.objects.update_or_create(organization_id=by.organization_id, defaults=values)
    what = What(custodian=by.organization_code, detail=dict(values))
    record(who=by.who, action="organization.sessions", at=at, what=what)
