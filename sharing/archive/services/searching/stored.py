"""The stored metadata behind rows: for attributes that have no column."""

import zlib
from typing import Any

import orjson

from sharing.archive.matching import matches
from sharing.archive.sql import rows

from .keys import Level
from .query import Found, Query, Select, among

READ_AT_MOST = 5000
"""So many objects are read for one search by attributes that have no column."""
_METADATA = {
    Level.STUDY: "SELECT st.id, (SELECT i.metadata FROM archive_instance i WHERE i.id ="
    " (SELECT MIN(j.id) FROM archive_instance j JOIN archive_series s ON s.id = j.series_id"
    " WHERE s.study_id = st.id)) FROM archive_study st WHERE ",
    Level.SERIES: "SELECT st.id, (SELECT i.metadata FROM archive_instance i WHERE i.id ="
    " (SELECT MIN(j.id) FROM archive_instance j WHERE j.series_id = st.id))"
    " FROM archive_series st WHERE ",
    Level.INSTANCE: "SELECT st.id, st.metadata FROM archive_instance st WHERE ",
}


def metadata_of(keys: list[int], level: Level) -> list[bytes | None]:
    """The `metadata` of each instance, or of the first of each series or study; None without."""
    found: dict[int, Any] = {}
    for start in range(0, len(keys), 500):
        sql, params = among("st.id", keys[start : start + 500])
        found |= dict(rows(_METADATA[level] + sql, params))
    return [found.get(key) for key in keys]


def matched(selects: list[Select], columns: list[str], query: Query, key: str) -> Found:
    """Those rows of one named study whose stored metadata match, too."""
    level = next(level for level, column in _KEY_COLUMNS.items() if column == key)
    if not selects:
        return Found([])
    found = rows(*selects[0].text(columns, most=READ_AT_MOST + 1))
    kept = [row[len(selects[0].order) :] for row in found]
    if len(kept) > READ_AT_MOST:
        taken = kept[query.offset : query.offset + query.page + 1]
        return Found(taken[: query.page], len(taken) > query.page, unmatched=True)
    how = {"fuzzy": query.fuzzy, "empty": query.empty, "several": query.several}
    fit = []
    for start in range(0, len(kept), 500):
        page = kept[start : start + 500]
        for row, text in zip(page, metadata_of([row[0] for row in page], level), strict=True):
            made = orjson.loads(zlib.decompress(text)) if text else {}
            if all(matches(made, path, value, **how) for path, value in query.stored.items()):
                fit.append(row)
    taken = fit[query.offset : query.offset + query.page]
    return Found(taken, more=len(fit) > query.offset + query.page)


_KEY_COLUMNS = {Level.STUDY: "archive_study.id", Level.SERIES: "s.id", Level.INSTANCE: "i.id"}
