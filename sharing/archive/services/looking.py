"""Open viewers and downloads under way: noticed as they ask whether they still may, so that it can
be said beforehand how many of them a consent or its end would stop.
"""

import logging
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import Error

from sharing.access.rules import Ask, Facts, Subject, decide
from sharing.archive.models import Look, Study
from sharing.audit.rules import Who
from sharing.kernel import scope
from sharing.kernel.purposes import Action
from sharing.tenants.rules import Actor
from sharing.tenants.services import actor_at

log = logging.getLogger(__name__)
VIEWER, STREAM = "viewer", "stream"
NOTED_EVERY = 5.0
"""Seconds: a viewer asks each second, and is written down once in so many."""
OPEN_FOR = timedelta(seconds=12)
KEPT_FOR = timedelta(hours=1)
MOST_KNOWN = 10_000
_ACTIONS = {VIEWER: Action.IMAGES, STREAM: Action.DOWNLOAD}
_noted: dict[tuple[str, ...], float] = {}


def note(actor: Actor, *, public_id: str, kind: str, at: datetime) -> None:
    """This actor has the study open. It is only counted: where it can't be written, it is told to
    the log and nothing else stops.
    """
    key = (public_id, actor.kind, actor.id, actor.organization_code, actor.purpose, kind)
    now = time.monotonic()
    if now - _noted.get(key, -NOTED_EVERY) < NOTED_EVERY:
        return
    if len(_noted) >= MOST_KNOWN:
        _noted.clear()
    _noted[key] = now
    try:
        _write(actor, public_id, kind, at)
    except Error as error:
        log.warning("an open viewer was not counted: %s", type(error).__name__)


@scope.as_house()  # who came by a link is of no organization
def _write(actor: Actor, public_id: str, kind: str, at: datetime) -> None:
    study = Study.objects.filter(public_id=public_id).values_list("pk", flat=True).first()
    if study is None:
        return
    mine: dict[str, Any] = {"actor_kind": actor.kind, "actor_id": actor.id}
    where: dict[str, Any] = {"organization_id": actor.organization_id or None}
    Look.objects.update_or_create(
        study_id=study,
        **where,
        purpose=actor.purpose,
        kind=kind,
        **mine,
        defaults={"seen_at": at},
    )
    Look.objects.filter(**mine, seen_at__lt=at - KEPT_FOR).delete()


def forget() -> None:
    """What this process knows it wrote."""
    _noted.clear()


def stopped(subjects: Sequence[Subject], before: Facts, after: Facts, *, at: datetime) -> int:
    """How many viewers and downloads that are open now would be stopped by this change."""
    by_id = {subject.study: subject for subject in subjects}
    open_now = Look.objects.filter(study__public_id__in=by_id, seen_at__gt=at - OPEN_FOR)
    count = 0
    for look in open_now.select_related("study", "organization"):
        actor = actor_at(_who(look), at=at)
        if actor is not None:
            ask = Ask(actor, _ACTIONS[look.kind], by_id[look.study.public_id], at)
            count += decide(ask, before).allowed and not decide(ask, after).allowed
    return count


def _who(look: Look) -> Who:
    code = look.organization.code if look.organization else ""
    return Who(look.actor_kind, look.actor_id, "", code, "", look.purpose)
