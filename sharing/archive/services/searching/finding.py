"""The three searches: which tables are walked, in which order, and what of each row is given."""

from dataclasses import replace
from datetime import datetime
from heapq import merge
from typing import Any

from sharing.archive.matching import Entry, uids
from sharing.archive.services.alike import look_again
from sharing.archive.sql import fence_sql, rows
from sharing.kernel.purposes import Action
from sharing.tenants.rules import Actor

from .arms import Arm, arms
from .keys import (
    PATIENT_NAME,
    Level,
    conditions,
    entered,
    is_plain,
    name_entries,
)
from .query import STUDY, Bound, Found, Order, Query, Select, among, one_by_one
from .stored import KEY_OF, matched, metadata_of

LISTED, PATIENT = "archive_listed l", "identity_patient p"
SERIES, INSTANCE = "archive_series s", "archive_instance i"
WALKED = "archive_listed w"
NEWEST = (Order("l.day", falling=True), Order("l.study_id", falling=True))
_ON = {
    LISTED: "l.study_id = archive_study.id AND l.modality = ''",
    PATIENT: "p.id = archive_study.patient_id",
    SERIES: "s.study_id = archive_study.id",
    INSTANCE: "i.series_id = s.id",
}
_BELOW = {
    Level.STUDY: (),
    Level.SERIES: (Order("s.number IS NULL"), Order("COALESCE(s.number, 0)"), Order("s.id")),
    Level.INSTANCE: (
        Order("s.number IS NULL"), Order("COALESCE(s.number, 0)"), Order("s.id"),
        Order("i.number IS NULL"), Order("COALESCE(i.number, 0)"), Order("i.id"),
    ),
}  # fmt: skip
_WITHIN = {
    Level.SERIES: (Order("s.number"), Order("s.id")),
    Level.INSTANCE: (Order("s.number"), Order("s.id"), Order("i.number"), Order("i.id")),
}
"""Below one study, where no other select's rows are merged in; an index may give the order."""
_CUSTODIAN = "archive_study.organization_id"
_STUDY_COLUMNS = ["l.summary", "archive_study.series_count", "archive_study.instance_count"]
_SERIES_COLUMNS = ["archive_study.study_uid", "s.series_uid", "s.modality", "s.number",
                   "s.description", "s.body_part", "s.laterality", "s.instance_count",
                   "s.attributes"]  # fmt: skip
_CODES = "SELECT id, code FROM tenants_organization WHERE "


def search_studies(actor: Actor, query: Query, *, at: datetime) -> Found:
    """Rows of the custodian's code, `summaries.study_summary`, and the counts of series and
    instances; newest first, or by name where the patient's name is searched for. Raises BadValue.
    """
    return _search(actor, query, at, Level.STUDY, _STUDY_COLUMNS)


def search_series(actor: Actor, query: Query, *, at: datetime) -> Found:
    """Rows of the study's as `search_studies` gives them, and then the study's UID and the series'
    UID, modality, number, description, body part, laterality, count of instances, and attributes.
    Raises BadValue.
    """
    return _search(actor, query, at, Level.SERIES, _STUDY_COLUMNS + _SERIES_COLUMNS)


def search_instances(actor: Actor, query: Query, *, at: datetime, alone: bool) -> Found:
    """Rows of the series' as `search_series` gives them, and `summaries.summary`. `alone`: only the
    custodian's code and the summary. Raises BadValue.
    """
    if alone:
        return _search(actor, query, at, Level.INSTANCE, ["i.summary"])
    columns = [*_STUDY_COLUMNS, *_SERIES_COLUMNS, "i.summary"]
    return _search(actor, query, at, Level.INSTANCE, columns)


def _search(actor: Actor, query: Query, at: datetime, level: Level, columns: list[str]) -> Found:
    fence = fence_sql(actor, Action.DISCOVER, at)
    custodian = _custodian(actor, query.custodian)
    if fence is None or custodian == 0:
        return Found([])
    listed = any("l." in column for column in columns)
    selects = _selects(actor, query, at, level, custodian, fence, listed)
    whose = selects[0].custodian if len(selects) == 1 else None
    reads = query.stored or query.include
    keys = [KEY_OF[level]] if reads else []
    columns = [*keys, *([] if whose else [_CUSTODIAN]), *columns]
    images = fence_sql(actor, Action.IMAGES, at, uncounted=True) if reads else None
    if query.stored:
        found = matched(selects, columns, query, level, images)
    else:
        taken = _taken(selects, columns, most=query.page + 1, start=query.offset) if selects else []
        found = Found(taken[: query.page], more=len(taken) > query.page)
    if not found.rows:
        _look_again(query, level, custodian, fence)
    if query.include:
        metadata = metadata_of([row[0] for row in found.rows], level, images)
        found = replace(found, metadata=metadata)
    return replace(found, rows=_named(actor, found.rows, len(keys), whose))


def _look_again(query: Query, level: Level, custodian: int | None, fence: Bound) -> None:
    """Of a key that few studies can have: nothing found takes as long as something hidden."""
    bare = _narrow(query, level)
    if bare is None:
        return
    if custodian is not None:
        bare.add((f"{_CUSTODIAN} = %s", [custodian]))
    text = _complete(bare, query, level, None).text(["archive_study.id"], most=1)
    look_again(str(sorted(query.keys.items())), lambda: bool(rows(*text)), fence)


def _taken(selects: list[Select], columns: list[str], *, most: int, start: int) -> list[Any]:
    """Rows of all selects in their common order."""
    if len(selects) == 1:
        return rows(*selects[0].text(columns, most=most, start=start))
    parts = [
        [(one.place(row), row) for row in rows(*one.text(columns, most=start + most, placed=True))]
        for one in selects
    ]
    merged = list(merge(*parts, key=lambda pair: pair[0]))[start : start + most]
    return [row[len(place) :] for place, row in merged]


def _named(actor: Actor, found: list[Any], keys: int, whose: int | None) -> list[Any]:
    """Rows that begin with the custodian's code: in the place of the custodian's key or, where all
    are of one, before them; without the rows' own `keys`.
    """
    here = {whose} if whose else {row[keys] for row in found}
    codes = {actor.organization_id: actor.organization_code}
    if unknown := here - set(codes):
        sql, params = among("id", sorted(unknown))
        codes |= dict(rows(_CODES + sql, params))
    if whose:
        code = codes[whose]
        return [(code, *row[keys:]) for row in found]
    return [(codes[row[keys]], *row[keys + 1 :]) for row in found]


def _custodian(actor: Actor, code: str) -> int | None:
    """The key of the only custodian that is meant; None for all, 0 for nobody."""
    if not code:
        return None
    if code == actor.organization_code:
        return actor.organization_id
    found = rows("SELECT id FROM tenants_organization WHERE code = %s", [code])
    return found[0][0] if found else 0


def _selects(
    actor: Actor, query: Query, at: datetime, level: Level, custodian: int | None, fence: Bound,
    listed: bool,
) -> list[Select]:  # fmt: skip
    """One select where something narrow is named, else one for each arm; all inside the fence."""
    below = level > Level.STUDY and is_plain(query, "StudyInstanceUID")
    if below and len(uids(_uid_of(query))) == 1:
        one = _one_study(actor, query, custodian, fence)
        return [_within(one, query, level, listed)] if one else []
    narrow = _narrow(query, level)
    if narrow is not None:
        if custodian is not None:
            narrow.add(("archive_study.organization_id = %s", [custodian]))
        return [_complete(narrow, query, level, fence)]
    entries = name_entries(query)
    but = (PATIENT_NAME,) if entries else ()
    found = arms(actor, at, custodian_id=custodian)
    return [
        _complete(
            _walk(arm, query, entries, level), query, level, None if arm.open else fence, but=but
        )
        for arm in found
    ]


def _one_study(actor: Actor, query: Query, custodian: int | None, fence: Bound) -> Select | None:
    """Below a named study: the one that retrieving it would open, own organization first."""
    ask = Select([STUDY], []).add(among("archive_study.study_uid", uids(_uid_of(query))))
    if custodian is not None:
        ask.add(("archive_study.organization_id = %s", [custodian]))
    ask.add(fence)
    sql = (
        f"SELECT archive_study.id, {_CUSTODIAN} FROM archive_study"  # noqa: S608 - our own names
        f" WHERE {' AND '.join(ask.where)}"
        " ORDER BY archive_study.organization_id <> %s, archive_study.id LIMIT 1"
    )
    for key, whose in rows(sql, [*ask.params, actor.organization_id]):
        return Select([STUDY], [], custodian=whose).add(("archive_study.id = %s", [key]))
    return None


def _uid_of(query: Query) -> str:
    return query.keys["StudyInstanceUID"]


def _within(select: Select, query: Query, level: Level, listed: bool) -> Select:
    """Below one study that was found visible."""
    wanted = conditions(query, Level.STUDY, but=("StudyInstanceUID",))
    if listed or any("l." in sql for sql, _ in wanted):
        select.join(LISTED, _ON[LISTED])
    if any("p." in sql for sql, _ in wanted):
        select.join(PATIENT, _ON[PATIENT])
    select.add(*wanted)
    _descend(select, query, level)
    select.order = list(_WITHIN[level])
    one = is_plain(query, "SeriesInstanceUID") and len(uids(query.keys["SeriesInstanceUID"])) == 1
    if one and level == Level.INSTANCE:
        select.order = [part for part in select.order if part.sql[0] == "i"]
    return select


def _descend(select: Select, query: Query, level: Level) -> None:
    if level >= Level.SERIES:
        select.join(SERIES, _ON[SERIES]).add(*conditions(query, Level.SERIES))
    if level == Level.INSTANCE:
        select.join(INSTANCE, _ON[INSTANCE]).add(*conditions(query, Level.INSTANCE))


def _complete(
    select: Select, query: Query, level: Level, fence: Bound | None, *, but: tuple[str, ...] = ()
) -> Select:
    """With the other tables, all conditions, the fence, and the order of the level."""
    if WALKED in select.tables and _modality(query, Level.STUDY):
        but = (*but, "ModalitiesInStudy")  # walked along already
    wanted = conditions(query, Level.STUDY, but=but)
    if WALKED in select.tables:
        wanted = [(sql.replace("l.day", "w.day"), params) for sql, params in wanted]
    select.join(LISTED, _ON[LISTED])
    if any("p." in sql for sql, _ in wanted):
        select.join(PATIENT, _ON[PATIENT])
    select.add(*wanted)
    _descend(select, query, level)
    if fence is not None:
        select.add(fence)
    select.order = [*select.order, *_BELOW[level]]
    return select


def _narrow(query: Query, level: Level) -> Select | None:
    """What begins at a key of which only few studies, series or instances can be."""
    newest = list(NEWEST)
    if is_plain(query, "StudyInstanceUID"):
        return Select([STUDY], newest)
    if level == Level.INSTANCE and is_plain(query, "SOPInstanceUID"):
        made = Select([INSTANCE, SERIES, STUDY], newest, where=[_ON[INSTANCE], _ON[SERIES]])
        return made.add(("i.organization_id IN (SELECT id FROM tenants_organization)", []))
    if level >= Level.SERIES and is_plain(query, "SeriesInstanceUID"):
        return Select([SERIES, STUDY], newest, where=[_ON[SERIES]])
    if level >= Level.SERIES and any(is_plain(query, key) for key in _REQUESTS):
        return Select([SERIES, STUDY], newest, where=[_ON[SERIES]])
    if is_plain(query, "PatientID"):
        return Select([PATIENT, STUDY, LISTED], newest, where=[_ON[PATIENT], _ON[LISTED]])
    if is_plain(query, "AccessionNumber"):
        return Select([STUDY], newest)
    return None


_REQUESTS = (
    "RequestAttributesSequence.ScheduledProcedureStepID",
    "RequestAttributesSequence.RequestedProcedureID",
)


def _walk(arm: Arm, query: Query, entries: list[Entry], level: Level) -> Select:
    """An arm's studies: by the name that was entered, or else by day."""
    if entries:
        return _by_name(arm, entries)
    if arm.organization_id is None:
        return one_by_one(arm.studies, list(NEWEST))
    modality = _modality(query, level)
    if not modality:
        select = Select([LISTED, STUDY], list(NEWEST), where=[_ON[LISTED]])
        return select.add(("l.organization_id = %s", [arm.organization_id]))
    order = [Order("w.day", falling=True), Order("w.study_id", falling=True)]
    select = Select([WALKED, STUDY], order, where=["archive_study.id = w.study_id"])
    select.add(("w.organization_id = %s", [arm.organization_id]), ("w.modality = %s", [modality]))
    return select


def _modality(query: Query, level: Level) -> str:
    """The one modality that a study must have to be of interest."""
    for keyword in ("ModalitiesInStudy", *(("Modality",) if level > Level.STUDY else ())):
        value = query.keys.get(keyword, "")
        if is_plain(query, keyword) and not any(mark in value for mark in ",\\"):
            return value[:16]
    return ""


def _by_name(arm: Arm, entries: list[Entry]) -> Select:
    """Walk the first entry; the others are looked up for each patient that it yields.

    A patient may be entered at several keys of the range: the first one counts.
    """
    order = [Order("n.key"), Order("n.patient_id"), Order("archive_study.id", falling=True)]
    if arm.organization_id is None:
        select = one_by_one(arm.studies, order)
        select.tables.append("archive_namekey n")
    else:
        select = Select(["archive_namekey n", STUDY], order)
        select.add(("n.organization_id = %s", [arm.organization_id]))
    select.add(("n.patient_id = archive_study.patient_id", []), entered("n", entries[0]))
    earlier, params = _entered_at(entries[0], "e.key < n.key")
    select.add((f"NOT {earlier}", params))
    return select.add(*(_entered_at(entry) for entry in entries[1:]))


def _entered_at(entry: Entry, also: str = "e.id > 0") -> Bound:
    """Whether the patient of n has a key in the range."""
    condition, params = entered("e", entry)
    inside = "SELECT 1 FROM archive_namekey e WHERE e.patient_id = n.patient_id"
    return f"EXISTS ({inside} AND {also} AND {condition})", params
