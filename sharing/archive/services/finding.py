"""Finding studies inside the fence, and opening one with its ground and its trace in the log."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from sharing.access.rules import Basis, Decision, Rule
from sharing.access.services import decide_many, is_counted, use
from sharing.archive.errors import MarkedOnly
from sharing.archive.models import Study, StudyQuerySet
from sharing.archive.sql import fence_sql, rows
from sharing.audit.rules import Ground, What, Who
from sharing.audit.services import record_read
from sharing.kernel import scope
from sharing.kernel.prepared import prepared
from sharing.kernel.purposes import LEAVING, Action, Obligation
from sharing.tenants.rules import Actor

from .alike import look_again, name_of_nothing, spend, stand_in, subjects_of
from .lookup import fitting
from .missing import missed
from .sight import in_sight

NEWEST = ("-day", "-pk")
"""By the day of the study, along an index; those without one come last."""


@dataclass(frozen=True)
class Found:
    """A study that the actor may see, and why."""

    study: Study
    decision: Decision


@dataclass(frozen=True)
class Asked:
    """An id that somebody asks for, and how the log names it where it names nothing."""

    text: str
    absent: What


def find_studies(
    actor: Actor,
    *,
    at: datetime,
    query: str = "",
    modality: str = "",
    custodian: str = "",
    shared: bool = False,
    own: bool = False,
    patient: str = "",
    inside: StudyQuerySet | None = None,
) -> QuerySet[Study]:
    """The studies that the actor may know of, newest first; page it, then ask `grounds`.

    `inside`: what `in_sight` gave, for who asks for more than one list.
    """
    if inside is None:
        inside = Study.objects.visible_to(actor, at) if patient else in_sight(actor, at, own=own)
    found = inside.with_owners()
    if shared:
        found = found.shared_with(actor, at)
    if own:
        found = found.filter(organization_id=actor.organization_id)
    if modality:
        found = found.filter(modalities__contains=f"|{modality}|")
    if custodian:
        found = found.filter(organization__code=custodian)
    if patient:
        found = found.filter(patient__public_id=patient)
    return fitting(found, query).order_by(*NEWEST)


def grounds(actor: Actor, studies: Sequence[Study], *, at: datetime) -> list[Found]:
    """Each study with the ground on which the actor sees it.

    A study whose consent ended between the list and this moment is left out.
    """
    subjects = [study.subject for study in studies]
    decisions = decide_many(actor, Action.DISCOVER, subjects, at=at)
    pairs = zip(studies, decisions, strict=True)
    return [Found(study, decision) for study, decision in pairs if decision.allowed]


@scope.as_house()  # a refusal is logged with what was refused, so it has to be seen
def open_study(
    actor: Actor,
    *,
    public_id: str,
    at: datetime,
    action: Action = Action.DISCOVER,
    request_id: str = "",
) -> Found:
    """One study by its public id, with the read or the refusal logged before this returns.

    Raises StudyNotFound, the same for what is hidden and for what does not exist; and in the same
    way TooManyMisses for an actor who guesses.
    """
    held = prepared(_by_public_id, [public_id])
    absent = What(study_uid=name_of_nothing(public_id))
    return _opened(actor, held, Asked(public_id, absent), action, at, request_id)


@scope.as_house()  # as above
def open_study_by_uid(
    actor: Actor,
    *,
    study_uid: str,
    custodian: str = "",
    at: datetime,
    action: Action = Action.IMAGES,
    request_id: str = "",
    raw: bool = False,
) -> Found:
    """One study by its UID, at one custodian or, without, own organization first.

    `raw`: its pixels as they are stored. Raises StudyNotFound as `open_study` does, and MarkedOnly
    where the patient wants that images carry their reader's name and these would not.
    """
    if custodian:
        named = prepared(_at_one, [study_uid], [custodian])
    else:
        named = prepared(_anywhere, [study_uid])
    asked = Asked(study_uid, What(study_uid=study_uid))
    return _opened(actor, named, asked, action, at, request_id, raw)


def _anywhere(uids: list[str]) -> QuerySet[Study]:
    return Study.objects.with_owners().filter(study_uid__in=uids)


def _at_one(uids: list[str], custodians: list[str]) -> QuerySet[Study]:
    return _anywhere(uids).filter(organization__code__in=custodians)


def _by_public_id(names: list[str]) -> QuerySet[Study]:
    return Study.objects.with_owners().filter(public_id__in=names)


def still_allowed(
    actor: Actor,
    *,
    public_id: str,
    at: datetime,
    action: Action = Action.IMAGES,
    deidentified: bool = False,
) -> bool:
    """Whether the actor may view the study's images now; leaves no trace, reads nothing else."""
    fence = fence_sql(actor, action, at, deidentified=deidentified)
    if fence is None:
        return False
    condition, params = fence
    query = f"SELECT 1 FROM archive_study WHERE public_id = %s AND {condition}"  # noqa: S608
    if rows(query, [public_id, *params]):
        return True
    look_again(public_id, lambda: bool(rows(_THERE, [public_id])), fence)
    return False


_THERE = "SELECT 1 FROM archive_study WHERE public_id = %s"


def _opened(
    actor: Actor,
    held: Sequence[Study],
    asked: Asked,
    action: Action,
    at: datetime,
    request_id: str,
    raw: bool = False,
) -> Found:
    """Absent and hidden take the same way: one decision, one line in a log, one answer."""
    studies = held or stand_in(asked.text)
    subjects = subjects_of(studies)
    found = _first(actor, studies, decide_many(actor, action, subjects, at=at))
    if held and found and found.decision.allowed:
        return _given(actor, found, action, at, request_id, raw)
    if held:
        spend(asked.text)
    for subject in subjects:
        subject.series()  # by now it was asked, whatever the decision rests on
    what, ground = asked.absent, _ABSENT
    if held and found:
        what, ground = _what(found.study, actor), found.decision.ground
    _log(actor.who, action, what, ground, at, request_id)
    raise missed(actor, at, request_id)


def _first(actor: Actor, studies: Sequence[Study], decisions: Sequence[Decision]) -> Found | None:
    """The one to open, own organization's first; where none may be, the first that is refused."""

    def order(found: Found) -> tuple[bool, bool, int]:
        study = found.study
        elsewhere = study.organization_id != actor.organization_id
        return not found.decision.allowed, elsewhere, study.pk

    pairs = zip(studies, decisions, strict=True)
    return min((Found(study, decision) for study, decision in pairs), key=order, default=None)


def _given(
    actor: Actor, found: Found, action: Action, at: datetime, request_id: str, raw: bool
) -> Found:
    """An allowed one, when its reading is counted and in the log."""
    study, decision = found.study, found.decision
    if _would_be_bare(actor, action, decision, raw):
        ground = replace(decision, allowed=False, reason=_BARE, basis=_bare_basis(decision)).ground
        _log(actor.who, action, study.subject.what, ground, at, request_id)
        raise MarkedOnly()
    if is_counted(decision, action):
        decision = _used(actor, study, action, at, request_id)
    else:
        _log(decision.who(actor), action, _what(study, actor), decision.ground, at, request_id)
    if not decision.allowed:
        raise missed(actor, at, request_id)
    return Found(study, decision)


def _what(study: Study, actor: Actor) -> What:
    """The study; and that no second factor was used, which no row tells later."""
    what = study.subject.what
    return what if actor.assured else replace(what, detail={"assured": False})


_BARE = "The patient permitted images that carry the reader's name"


def _bare_basis(decision: Decision) -> Basis:
    return Basis(Rule.OBLIGATION_FORBIDS, decision.basis.consent)


def _would_be_bare(actor: Actor, action: Action, decision: Decision, raw: bool) -> bool:
    """People read stored pixels in the viewer, which lays the mark over them; a machine shows them
    as they are. A copy can't be marked without becoming another object.
    """
    if not decision.allowed or Obligation.WATERMARK not in decision.obligations:
        return False
    return action in LEAVING or (raw and actor.kind == "client")


@transaction.atomic
def _used(actor: Actor, study: Study, action: Action, at: datetime, request_id: str) -> Decision:
    """The use is counted and the read is in the log together, or neither is."""
    decision = use(actor, action, study.subject, at=at)
    _log(decision.who(actor), action, study.subject.what, decision.ground, at, request_id)
    return decision


_ABSENT = Ground(permitted=False, rule="absent", reason="No such study")


def _log(
    who: Who, action: Action, what: What, ground: Ground, at: datetime, request_id: str
) -> None:
    name = f"study.{action}" if ground.permitted else f"study.{action}.refused"
    record_read(who=who, action=name, at=at, what=what, ground=ground, request_id=request_id)
