"""How a person wants to be told by e-mail: at once, once a day or not at all, and never at night.

What is kept back waits in a table; a bell of the beat sends it, all that waits for a person and an
organization in one e-mail.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, time
from typing import Any

from django.db import transaction
from django.utils import timezone

from sharing.audit.rules import What
from sharing.audit.services import record
from sharing.tenants.models import Organization, User
from sharing.tenants.rules import Actor
from sharing.tenants.services import organization_to_run

from .models import HouseWish, Quiet, Waiting, Wish
from .rules import CHOOSABLE, Way, due_at


def ways_of(user_id: int, organization_id: int) -> dict[str, Way]:
    """The way for each kind that one can choose about: the person's, else the organization's, else
    at once.
    """
    said = dict(Wish.objects.filter(user_id=user_id).values_list("kind", "way"))
    house = ways_of_house(organization_id)
    return {kind: Way(said.get(kind, house[kind])) for kind in CHOOSABLE}


def ways_of_house(organization_id: int) -> dict[str, Way]:
    """How people of an organization are told who chose nothing."""
    rows = HouseWish.objects.filter(organization_id=organization_id)
    said = dict(rows.values_list("kind", "way"))
    return {kind: Way(said.get(kind, Way.AT_ONCE)) for kind in CHOOSABLE}


@transaction.atomic
def choose_for_house(*, ways: Mapping[str, Way], by: Actor, at: datetime) -> None:
    """Holds for what comes now, for all there who chose nothing. Raises NotAllowed."""
    own = organization_to_run(by)
    for kind, way in ways.items():
        HouseWish.objects.update_or_create(organization=own, kind=kind, defaults={"way": way.value})
    detail = {kind: way.value for kind, way in ways.items()}
    what = What(custodian=own.code, detail=detail)
    record(who=by.who, action="organization.set_notices", at=at, what=what)


def quiet_of(user_id: int) -> tuple[time, time] | None:
    """From when to when nothing is written to this person, in the portal's time zone."""
    return Quiet.objects.filter(user_id=user_id).values_list("begins", "ends").first()


@transaction.atomic
def choose(*, by: Actor, ways: Mapping[str, Way], quiet: tuple[time, time] | None) -> None:
    """What the person chose, in place of what they chose before. It holds for what comes now."""
    mine: dict[str, Any] = {"user_id": by.user_id}
    for kind, way in ways.items():
        Wish.objects.update_or_create(**mine, kind=kind, defaults={"way": way.value})
    if quiet is None:
        Quiet.objects.filter(**mine).delete()
    else:
        begins, ends = quiet
        Quiet.objects.update_or_create(**mine, defaults={"begins": begins, "ends": ends})


def kept_back(
    user: User,
    key: str,
    kind: str,
    organization: Organization,
    context: Callable[[], Mapping[str, Any]],
    *,
    at: datetime,
) -> bool:
    """Whether an e-mail is not to leave now: it waits, or the person wants none of its kind."""
    if kind not in CHOOSABLE:
        return False
    way, local = ways_of(user.pk, organization.pk)[kind], timezone.localtime(at)
    leaves = due_at(way, quiet_of(user.pk), local)
    if way != Way.NEVER and leaves == local:
        return False
    if way != Way.NEVER:
        said = context()
        values = {"text": said["text"], "link": said["link"], "due_at": leaves, "made_at": at}
        Waiting.objects.get_or_create(
            user=user, key=key, defaults=values | {"organization": organization}
        )
    return True
