"""What can be searched for, at which level, and what each key means in SQL.

`archive_study` stands under its own name, for the fence; l is its row in `archive_listed` for any
modality, p its patient, s a series, i an instance.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

from sharing.archive.matching import (
    EMPTY,
    LAST,
    Entry,
    Span,
    as_moments,
    days,
    entries,
    has_wildcard,
    head_of,
    in_line,
    is_universal,
    listed,
    numbers,
    times,
    uids,
)

from .query import Bound, Query, among, any_of, exact, like


class Level(IntEnum):
    """What is searched for."""

    STUDY = 1
    SERIES = 2
    INSTANCE = 3


Match = Callable[[str, Query], Bound]
PATIENT_NAME = "PatientName"


@dataclass(frozen=True)
class Key:
    """A key: the level of its attribute, and what a value of it means."""

    level: Level
    match: Match


def searchable(keyword: str, level: Level) -> bool:
    """Whether it is a key of that level, or of one above."""
    return keyword in KEYS and KEYS[keyword].level <= level


def conditions(query: Query, level: Level, *, but: tuple[str, ...] = ()) -> list[Bound]:
    """Of all keys of one level, without those named in `but`. Raises BadValue."""
    given = {k: v for k, v in query.keys.items() if k not in but and not _is_open(v, query)}
    found = []
    for date_key, time_key, match in _MOMENTS:
        spans = as_moments(given.get(date_key, ""), given.get(time_key, ""))
        if KEYS[date_key].level == level and spans:
            found.append(match(*spans))
            del given[date_key], given[time_key]
    if level == Level.SERIES and given.keys() >= set(_REQUESTED):
        found += _in_one_request(given, query)
    given_twice = [(k, v) for k, v in query.also.items() if not _is_open(v, query)]
    for key, value in (*given.items(), *given_twice):
        if KEYS[key].level == level:
            found.append(KEYS[key].match(value, query))
    return found


def name_entries(query: Query) -> list[Entry]:
    """What a search by the patient's name can walk along; empty where it can't."""
    value = query.keys.get(PATIENT_NAME, "")
    if _is_open(value, query) or value == EMPTY or (query.several and "\\" in value):
        return []
    return entries(value, fuzzy=query.fuzzy)


def entered(alias: str, entry: Entry) -> Bound:
    """A row of `archive_namekey` that is in the range."""
    sql, params = f"{alias}.key >= %s AND {alias}.key < %s", [entry.head, entry.head + LAST]
    if entry.pattern is None:
        return sql, params
    fit, values = like(f"{alias}.key", entry.pattern)
    return f"{sql} AND {fit}", params + values


def is_plain(query: Query, keyword: str) -> bool:
    """Whether the key has one value that can be looked up as it is."""
    value = query.keys.get(keyword, "")
    if _is_open(value, query) or has_wildcard(value) or (query.empty and value == EMPTY):
        return False
    return not (query.several and "\\" in value)


def _is_open(value: str, query: Query) -> bool:
    return is_universal(value) and not (query.empty and value == EMPTY)


def _words(value: str, query: Query, *, commas: bool = False) -> list[str]:
    """The alternatives: with `multiplevaluematching`, and where a VR has no such character."""
    if commas:
        return listed(value)
    return [word for word in value.split("\\") if word] if query.several else [value]


def _text(column: str, guard: str = "") -> Match:
    """A key on a text column: equal, or like a pattern when it holds a wildcard."""

    def match(value: str, query: Query) -> Bound:
        if query.empty and value == EMPTY:
            return (f"({column} = '' OR NOT {guard})" if guard else f"{column} = ''"), []
        sql, params = any_of([text_is(column, word) for word in _words(value, query)])
        return (f"{guard} AND {sql}" if guard else sql), params

    return match


def text_is(column: str, word: str) -> Bound:
    """Equal, or a range of what begins alike that fits the pattern."""
    if not has_wildcard(word):
        return f"{exact(column)} = %s", [word]
    head = head_of(word)
    fit, values = like(column, word)
    if not head:
        return fit, values
    low, high = f"{exact(column)} >= %s", f"{exact(column)} < %s"
    return f"{low} AND {high} AND {fit}", [head, head + LAST, *values]


def _uid(column: str) -> Match:
    def match(value: str, query: Query) -> Bound:
        if query.empty and value == EMPTY:
            return "1 = 0", []  # what is stored has all its UIDs
        return among(column, uids(value))

    return match


def _number(column: str) -> Match:
    def match(value: str, query: Query) -> Bound:
        if query.empty and value == EMPTY:
            return f"{column} IS NULL", []
        return among(column, numbers(_words(value, query, commas=True)))

    return match


def _code(column: str) -> Match:
    """A code string of a column; commas separate alternatives, for no code holds one."""

    def match(value: str, query: Query) -> Bound:
        if query.empty and value == EMPTY:
            return f"{column} = ''", []
        return any_of([text_is(column, word) for word in _words(value, query, commas=True)])

    return match


def _day(column: str) -> Match:
    """A key on a day as a number, 0 being unknown."""

    def match(value: str, query: Query) -> Bound:
        if query.empty and value == EMPTY:
            return f"{column} = 0", []
        spans = [days(word) for word in _words(value, query, commas=True)]
        return any_of([_between(column, span, "0") for span in spans])

    return match


def _birth(value: str, query: Query) -> Bound:
    if query.empty and value == EMPTY:
        return "p.birth_date IS NULL", []
    return any_of([_born(days(word)) for word in _words(value, query, commas=True)])


def _born(span: Span) -> Bound:
    ends = [end and f"{end // 10000:04}-{end // 100 % 100:02}-{end % 100:02}" for end in
            (span.first, span.last)]  # fmt: skip
    return _between("p.birth_date", Span(*ends), "'0001-01-01'")


def _time(column: str) -> Match:
    def match(value: str, query: Query) -> Bound:
        if query.empty and value == EMPTY:
            return f"{column} = ''", []
        spans = [times(word) for word in _words(value, query, commas=True)]
        return any_of([_between(exact(column), span, "''") for span in spans])

    return match


def _between(column: str, span: Span, unknown: str) -> Bound:
    sql, params = [f"{column} > {unknown}"], []
    if span.first is not None:
        sql.append(f"{column} >= %s")
        params.append(span.first)
    if span.last is not None:
        sql.append(f"{column} <= %s")
        params.append(span.last)
    return " AND ".join(sql), params


def _moment(day: str, time: str) -> Callable[[Span, Span], Bound]:
    """Date and time as one: from a time of the first day to a time of the last (PS3.4 C.2.2.2.5)"""

    def match(dates: Span, hours: Span) -> Bound:
        sql, params = [f"{day} > 0"], []
        for sign, date_end, time_end in (
            (">", dates.first, hours.first),
            ("<", dates.last, hours.last),
        ):
            if date_end is None:
                continue
            if time_end is None:
                sql.append(f"{day} {sign}= %s")
                params.append(date_end)
            else:
                on_the_day = f"({day} = %s AND {time} <> '' AND {exact(time)} {sign}= %s)"
                sql.append(f"({day} {sign} %s OR {on_the_day})")
                params += [date_end, date_end, time_end]
        return " AND ".join(sql), params

    return match


def _patient_name(value: str, query: Query) -> Bound:
    if query.empty and value == EMPTY:
        return "p.name = ''", []
    return any_of([_named(word, query) for word in _words(value, query)])


def _named(word: str, query: Query) -> Bound:
    sql, params = ["p.id > 0"], []
    for entry in entries(word, fuzzy=query.fuzzy):
        condition, values = entered("k", entry)
        sql.append(
            "EXISTS (SELECT 1 FROM archive_namekey k"  # noqa: S608
            f" WHERE k.patient_id = p.id AND {condition})"
        )
        params += values
    return " AND ".join(sql), params


def _referrer(value: str, query: Query) -> Bound:
    if query.empty and value == EMPTY:
        return "l.referrer = ''", []
    return any_of([_in_line("l.referrer", word, query) for word in _words(value, query)])


def _in_line(column: str, word: str, query: Query) -> Bound:
    found = [like(f"(' ' || {column} || ' ')", p) for p in in_line(word, fuzzy=query.fuzzy)]
    if not found:
        return f"{column} <> ''", []
    return " AND ".join(sql for sql, _ in found), [v for _, values in found for v in values]


def _modalities(value: str, query: Query) -> Bound:
    if query.empty and value == EMPTY:
        return "archive_study.modalities = '|'", []
    sql, params = any_of(
        [text_is("m.modality", word) for word in _words(value, query, commas=True)]
    )
    return (
        "EXISTS (SELECT 1 FROM archive_listed m WHERE m.study_id = archive_study.id"  # noqa: S608
        f" AND m.modality <> '' AND {sql})"
    ), params


def _requested(column: str) -> Match:
    def match(value: str, query: Query) -> Bound:
        if query.empty and value == EMPTY:
            inside = f"SELECT r.series_id FROM archive_requested r WHERE r.{column} <> ''"  # noqa: S608
            return f"s.id NOT IN ({inside})", []
        return _requested_as(_request_says(column, value, query))

    return match


def _request_says(column: str, value: str, query: Query) -> Bound:
    return any_of([text_is(f"r.{column}", word) for word in _words(value, query)])


def _requested_as(*conditions: Bound) -> Bound:
    """Series with one request that all of this is true of."""
    sql = " AND ".join(text for text, _ in conditions)
    params = [value for _, values in conditions for value in values]
    return f"s.id IN (SELECT r.series_id FROM archive_requested r WHERE {sql})", params  # noqa: S608


def _in_one_request(given: dict[str, str], query: Query) -> list[Bound]:
    """Both keys on requests, which must match in the same item (PS3.4 C.2.2.2.6)."""
    if query.empty and EMPTY in (given[key] for key in _REQUESTED):
        return []
    says = [_request_says(column, given.pop(key), query) for key, column in _REQUESTED.items()]
    return [_requested_as(*says)]


_S, _E, _I = Level.STUDY, Level.SERIES, Level.INSTANCE
_REQUEST = "RequestAttributesSequence"
_REQUESTED = {
    f"{_REQUEST}.ScheduledProcedureStepID": "step",
    f"{_REQUEST}.RequestedProcedureID": "procedure",
}
KEYS: dict[str, Key] = {
    "StudyInstanceUID": Key(_S, _uid("archive_study.study_uid")),
    "StudyDate": Key(_S, _day("l.day")),
    "StudyTime": Key(_S, _time("archive_study.study_time")),
    "AccessionNumber": Key(_S, _text("archive_study.accession_number")),
    "ModalitiesInStudy": Key(_S, _modalities),
    "ReferringPhysicianName": Key(_S, _referrer),
    "StudyID": Key(_S, _text("archive_study.study_id")),
    "StudyDescription": Key(_S, _text("archive_study.description")),
    PATIENT_NAME: Key(_S, _patient_name),
    "PatientID": Key(_S, _text("p.identifier", "p.certain")),
    "IssuerOfPatientID": Key(_S, _text("p.issuer", "p.certain")),
    "PatientBirthDate": Key(_S, _birth),
    "PatientSex": Key(_S, _code("p.sex")),
    "SeriesInstanceUID": Key(_E, _uid("s.series_uid")),
    "Modality": Key(_E, _code("s.modality")),
    "SeriesNumber": Key(_E, _number("s.number")),
    "SeriesDescription": Key(_E, _text("s.description")),
    "BodyPartExamined": Key(_E, _code("s.body_part")),
    "Laterality": Key(_E, _code("s.laterality")),
    "PerformedProcedureStepStartDate": Key(_E, _day("s.performed_day")),
    "PerformedProcedureStepStartTime": Key(_E, _time("s.performed_time")),
    **{key: Key(_E, _requested(column)) for key, column in _REQUESTED.items()},
    "SOPInstanceUID": Key(_I, _uid("i.sop_uid")),
    "SOPClassUID": Key(_I, _uid("i.sop_class_uid")),
    "AvailableTransferSyntaxUID": Key(_I, _uid("i.transfer_syntax")),
    "InstanceNumber": Key(_I, _number("i.number")),
    "Rows": Key(_I, _number("i.rows")),
    "Columns": Key(_I, _number("i.columns")),
}
"""What can be searched for anywhere; anything else is said so, never matched in secret."""
_MOMENTS = (
    ("StudyDate", "StudyTime", _moment("l.day", "archive_study.study_time")),
    (
        "PerformedProcedureStepStartDate",
        "PerformedProcedureStepStartTime",
        _moment("s.performed_day", "s.performed_time"),
    ),
)
