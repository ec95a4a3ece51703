"""Every access that the log tells of, decided again with the facts of its moment."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import QuerySet

from sharing.access.rules import Ask, Decision, Rule, decide
from sharing.access.services import facts_at
from sharing.audit.models import Event
from sharing.audit.rules import UNNAMED_COPY, What
from sharing.kernel.purposes import Action, Obligation
from sharing.tenants.services import actor_at

from .past import subject_at

EDGE = timedelta(seconds=5)
"""A request names the moment at which it came in, and is decided a little later: what was changed
so near to it may have been seen or not."""
ACCESSES = {f"study.{action}": action for action in Action} | {
    "study.thumbnail": Action.IMAGES,
    UNNAMED_COPY: Action.DOWNLOAD,
}


@dataclass
class Replayed:
    """How many accesses were decided again, and which came out otherwise."""

    same: int = 0
    at_the_edge: int = 0
    differences: list[str] = field(default_factory=list)


def replay(*, since: datetime | None = None, until: datetime | None = None) -> Replayed:
    """Decide each access of that time again, permitted or refused: same rule, same consent."""
    found = Replayed()
    for event in accesses(since=since, until=until).iterator(chunk_size=500):
        if _same(event, decided_again(event)):
            found.same += 1
        elif any(_same(event, decided_again(event, by)) for by in (EDGE, -EDGE)):
            found.at_the_edge += 1
        else:
            found.differences.append(_told(event, decided_again(event)))
    return found


def accesses(*, since: datetime | None, until: datetime | None) -> QuerySet[Event]:
    """The lines of the log that hold a decision about a study, oldest first."""
    names = [name + end for name in ACCESSES for end in ("", ".refused")]
    rules = [rule.value for rule in Rule]
    found = Event.objects.filter(action__in=names, rule__in=rules).exclude(study="")
    if since is not None:
        found = found.filter(at__gte=since)
    if until is not None:
        found = found.filter(at__lte=until)
    return found.order_by("at", "pk")


def decided_again(event: Event, later: timedelta = timedelta(0)) -> Decision | None:
    """The decision about the same question, with the facts of that moment, or of one near by.

    None: who asked acted for nobody then, or nobody knows the study.
    """
    moment = event.at + later
    actor = actor_at(event.who, at=moment, assured=event.detail.get("assured", True))
    subject = subject_at(_what(event), at=moment)
    if actor is None or subject is None:
        return None
    name = event.action.removesuffix(".refused")
    ask = Ask(actor, ACCESSES[name], subject, event.at, deidentified=name == UNNAMED_COPY)
    return decide(ask, facts_at([subject], moment))


def _same(event: Event, decision: Decision | None) -> bool:
    if decision is None:
        return False
    if _was_bare(event, decision):
        return True
    said = (event.permitted, event.rule, event.consent)
    return said == (decision.allowed, decision.basis.rule, decision.basis.consent)


def _was_bare(event: Event, decision: Decision) -> bool:
    """It was permitted with the reader's name on the images, and asked for without."""
    marked = decision.allowed and Obligation.WATERMARK in decision.obligations
    said = (event.permitted, event.rule, event.consent)
    return marked and said == (False, Rule.OBLIGATION_FORBIDS, decision.basis.consent)


def _what(event: Event) -> What:
    return What(event.custodian, event.patient, event.study, event.study_uid)


def _told(event: Event, decision: Decision | None) -> str:
    """By numbers and rules: no name of a patient."""
    was = f"{event.rule} {event.consent}".strip()
    now = f"{decision.basis.rule} {decision.basis.consent}".strip() if decision else "unknown"
    return f"event {event.pk}, {event.action}: was {was}, is {now}"
