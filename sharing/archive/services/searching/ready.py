"""All instances of one series, as a document that lies ready: what viewers and OHIF ask for first.

The same objects in the same order as the search gives them; the fence is asked each time, and only
the text is kept (`documents`).
"""

from datetime import datetime
from typing import Any

from sharing.archive.documents import Sheet
from sharing.archive.sql import fence_sql, rows
from sharing.kernel.purposes import Action
from sharing.tenants.rules import Actor

from .query import Query

_PATH = {"StudyInstanceUID", "SeriesInstanceUID"}


def ready_instances(actor: Actor, query: Query, *, at: datetime, mount: str) -> Sheet | None:
    """The document that answers a search for a series' instances; None: search.

    Only for all that one named series of one named study holds. `mount` as `describe` takes it.
    """
    fence = fence_sql(actor, Action.DISCOVER, at)
    if fence is None or not _is_whole(query):
        return None
    condition, bound = fence
    study, series = query.keys["StudyInstanceUID"], query.keys["SeriesInstanceUID"]
    at_one = [query.custodian] if query.custodian else []
    sql = _asked(bool(at_one), condition)
    found = rows(sql, [series, study, *at_one, *bound, actor.organization_id])
    if not found or not 0 < (found[0][-1] or 0) <= query.page:
        return None
    code, changed_at, pk, version, _ = found[0]
    address = f"{mount.format(code)}/studies/{study}"
    return Sheet(pk, series, version, changed_at, address, listed=True)


def _is_whole(query: Query) -> bool:
    beyond: tuple[Any, ...] = (query.stored, query.also, query.include, query.offset)
    return query.keys.keys() == _PATH and not any(beyond)


def _asked(at_one: bool, fence: str) -> str:
    """The one study that a search below it would look into, own organization's first."""
    return f"""SELECT o.code, CAST(archive_study.changed_at AS varchar), s.id, s.version,
s.instance_count
FROM archive_study JOIN tenants_organization o ON o.id = archive_study.organization_id
LEFT JOIN archive_series s ON s.study_id = archive_study.id AND s.series_uid = %s
WHERE archive_study.study_uid = %s {"AND o.code = %s" if at_one else ""} AND {fence}
ORDER BY archive_study.organization_id <> %s, archive_study.id LIMIT 1"""  # noqa: S608 - ours
