"""From a path to its row in one query: the fence, the whole path, and where the bytes lie.

Whether the actor may is asked anew each time. When the query finds nothing, or the read is the
first of its quarter of an hour, the long way decides with its reason and writes the log
(`finding.open_study_by_uid`), so a refusal and an absence cost and answer the same as ever.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from sharing.access.fence import OBLIGING
from sharing.access.rules import Decision
from sharing.archive.errors import StudyNotFound
from sharing.archive.sql import fence_sql, rows
from sharing.audit.services import repeat_read
from sharing.kernel.purposes import Action, Obligation
from sharing.tenants.rules import Actor

from .finding import open_study_by_uid


@dataclass(frozen=True)
class Where:
    """What is asked for, as its URL names it; `custodian` blank means whoever lets the actor."""

    study_uid: str
    series_uid: str = ""
    sop_uid: str = ""
    custodian: str = ""


@dataclass(frozen=True)
class Asker:
    """Who asks for what, when: what the fence and the log need to know."""

    actor: Actor
    action: Action
    at: datetime
    request_id: str = ""
    raw: bool = False
    """Whether pixels are asked for as they are stored, which bear no mark."""


class Located(NamedTuple):
    """The row that a path names, and the mark that its pictures must bear; blank: none."""

    row: tuple[Any, ...]
    mark: str = ""


SERIES = "JOIN archive_series se ON se.study_id = archive_study.id AND se.series_uid = %s"
INSTANCE = f"""{SERIES} JOIN archive_instance i ON i.series_id = se.id AND i.sop_uid = %s
AND i.organization_id = archive_study.organization_id"""
"""By the custodian and its UID: that index finds one row, where a series may hold thousands."""


def locate(
    asker: Asker, where: Where, *, columns: str, joins: str = "", named: Sequence[str] = ()
) -> Located:
    """The first row that the path names inside the fence, own organization's study first.

    `joins` hang on `archive_study` and `tenants_organization o`; `named` are their parameters.
    A study that only a part of the path fits is opened and logged all the same.
    Raises StudyNotFound, and MarkedOnly where a mark is owed that this answer can't bear.
    """
    row = seen(asker, where, columns=columns, joins=joins, named=named)
    custodian = row[0] if row else where.custodian
    obliged = row is not None and bool(row[1])
    known = (
        row is not None
        and not obliged
        and repeat_read(
            who=asker.actor.who,
            action=f"study.{asker.action}",
            custodian=custodian,
            study_uid=where.study_uid,
            at=asker.at,
        )
    )
    mark = ""
    if not known:
        found = open_study_by_uid(
            asker.actor,
            study_uid=where.study_uid,
            custodian=custodian,
            at=asker.at,
            action=asker.action,
            request_id=asker.request_id,
            raw=asker.raw,
        )
        mark = mark_of(asker.actor, found.decision, asker.at)
    if row is None:
        raise StudyNotFound()
    return Located(row[2:], mark)


def mark_of(actor: Actor, decision: Decision, at: datetime) -> str:
    """What pictures must say of their reader: who, for whom, on which day. Blank: nothing."""
    if Obligation.WATERMARK not in decision.obligations:
        return ""
    return f"{actor.name}, {actor.organization_name}, {at:%Y-%m-%d}"


def seen(
    asker: Asker, where: Where, *, columns: str, joins: str, named: Sequence[str]
) -> tuple[Any, ...] | None:
    """The row of `locate` behind its custodian's code and whether its patient obliges; None: none
    inside the fence. Leaves no trace.
    """
    fence = fence_sql(asker.actor, asker.action, asker.at)
    if fence is None:
        return None
    condition, bound = fence
    custodian = [where.custodian] if where.custodian else []
    here = asker.actor.organization_id
    params = [here, *named, where.study_uid, *custodian, *bound, here]
    found = rows(_query(columns, joins, bool(custodian), condition), params)
    return found[0] if found else None


@lru_cache(maxsize=256)
def _query(columns: str, joins: str, at_one: bool, fence: str) -> str:
    """One text for each shape of request: the driver keeps what it made of it."""
    return f"""SELECT o.code, archive_study.organization_id <> %s AND {OBLIGING}, {columns}
FROM archive_study
JOIN tenants_organization o ON o.id = archive_study.organization_id {joins}
WHERE archive_study.study_uid = %s {"AND o.code = %s" if at_one else ""} AND {fence}
ORDER BY archive_study.organization_id <> %s, archive_study.id LIMIT 1"""  # noqa: S608 - ours
