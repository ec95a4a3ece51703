"""The stored metadata behind rows: for attributes that have no column.

To know of a study is not to see its images, and what was stored with them goes with them: who may
not see them is told of such attributes, and matched by them, as if they were empty. So is who may
see them so many times, until they open the study: a search uses no consent up.
"""

import zlib
from typing import Any

import orjson

from sharing.archive.matching import matches
from sharing.archive.sql import rows

from .keys import Level
from .query import Bound, Found, Query, Select, among

KEY_OF = {Level.STUDY: "archive_study.id", Level.SERIES: "s.id", Level.INSTANCE: "i.id"}
READ_AT_MOST = 5000
"""So many objects are read for one search by attributes that have no column."""
_METADATA = {
    Level.STUDY: "SELECT archive_study.id, (SELECT m.metadata FROM archive_instance m WHERE m.id ="
    " (SELECT MIN(j.id) FROM archive_instance j JOIN archive_series k ON k.id = j.series_id"
    " WHERE k.study_id = archive_study.id)) FROM archive_study WHERE ",
    Level.SERIES: "SELECT s.id, (SELECT m.metadata FROM archive_instance m WHERE m.id ="
    " (SELECT MIN(j.id) FROM archive_instance j WHERE j.series_id = s.id))"
    " FROM archive_series s JOIN archive_study ON archive_study.id = s.study_id WHERE ",
    Level.INSTANCE: "SELECT i.id, i.metadata FROM archive_instance i"
    " JOIN archive_series s ON s.id = i.series_id"
    " JOIN archive_study ON archive_study.id = s.study_id WHERE ",
}


def metadata_of(keys: list[int], level: Level, images: Bound | None) -> list[bytes | None]:
    """The `metadata` of each instance, or of the first of each series or study; None without.

    `images`: the fence around the studies whose images the actor may see, and no consent counts
    it; None: of no study.
    """
    if images is None:
        return [None] * len(keys)
    found: dict[int, Any] = {}
    for start in range(0, len(keys), 500):
        select = Select([], []).add(among(KEY_OF[level], keys[start : start + 500]), images)
        found |= dict(rows(_METADATA[level] + " AND ".join(select.where), select.params))
    return [found.get(key) for key in keys]


def matched(
    selects: list[Select], columns: list[str], query: Query, level: Level, images: Bound | None
) -> Found:
    """Those rows of one named study whose stored metadata match, too."""
    if not selects:
        return Found([])
    kept = rows(*selects[0].text(columns, most=READ_AT_MOST + 1))
    if len(kept) > READ_AT_MOST:
        taken = kept[query.offset : query.offset + query.page + 1]
        return Found(taken[: query.page], len(taken) > query.page, unmatched=True)
    how = {"fuzzy": query.fuzzy, "empty": query.empty, "several": query.several}
    fit = []
    for start in range(0, len(kept), 500):
        page = kept[start : start + 500]
        held = [row[0] for row in page]
        for row, text in zip(page, metadata_of(held, level, images), strict=True):
            made = orjson.loads(zlib.decompress(text)) if text else {}
            if matches(made, query.stored, **how):
                fit.append(row)
    taken = fit[query.offset : query.offset + query.page]
    return Found(taken, more=len(fit) > query.offset + query.page)
