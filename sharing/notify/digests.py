"""Sends what waited: one e-mail for each person and organization, with a line for each event."""

from datetime import datetime
from itertools import groupby

from sharing.access.models import Share
from sharing.tenants.models import Membership, Organization, User

from .models import Waiting
from .posting import post
from .rules import Addressee
from .sight import in_sight

MOST = 500
"""Lines in one round; the next round takes the rest."""


def send_waiting(*, at: datetime) -> int:
    """All that is due; how many e-mails left. Whose mailbox refuses is tried again next time.

    Who left the organization meanwhile is told nothing of it, and nobody of a share whose studies
    they no longer see.
    """
    due = Waiting.objects.filter(sent_at=None, due_at__lte=at, user__is_active=True)
    lines = list(
        due.select_related("user", "organization").order_by("user", "organization", "pk")[:MOST]
    )
    over = [line for line in lines if not _still_holds(line, at)]
    Waiting.objects.filter(pk__in=[line.pk for line in over]).delete()
    lines = [line for line in lines if line not in over]
    groups = groupby(lines, key=lambda line: (line.user, line.organization))
    failures: list[Exception] = []
    sent = 0
    for (user, organization), held in groups:
        try:
            _send(user, organization, list(held), at=at)
            sent += 1
        except (OSError, ValueError) as error:
            failures.append(error)
    if failures:
        raise failures[0]
    return sent


def _still_holds(line: Waiting, at: datetime) -> bool:
    kind, _, name = line.key.partition(":")
    here = Membership.objects.filter(user=line.user, organization=line.organization, ended_at=None)
    if kind != "shared" or not here.exists():
        return here.exists()
    share = Share.objects.get(pk=name)
    return bool(in_sight(share, line.organization, [line.user], at=at))


def _send(user: User, organization: Organization, lines: list[Waiting], *, at: datetime) -> None:
    to = Addressee(user.email, user.name)
    post(
        f"digest:{user.pk}:{lines[0].pk}:{lines[-1].pk}",
        to,
        "digest",
        organization,
        lambda: {"lines": lines},
        at=at,
    )
    Waiting.objects.filter(pk__in=[line.pk for line in lines]).update(sent_at=at)
