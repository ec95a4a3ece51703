"""Searching for studies, series and instances inside the fence, by what DICOM calls matching keys
(PS3.4 C.2.2.2, PS3.18 10.6). Rows come as plain tuples: faces give them their form."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import BooleanField, Case, F, Func, IntegerField, Q, QuerySet, Value, When
from django.db.models.functions import Concat

from sharing.archive.models import Instance, Series, Study
from sharing.dicom.names import fold
from sharing.kernel.errors import BadValue
from sharing.kernel.purposes import Action
from sharing.tenants.rules import Actor

MOST = 1000
STUDY_COLUMNS = (
    "organization__code", "study_uid", "study_date", "study_time", "accession_number",
    "modalities", "referring_physician", "patient__name", "patient__identifier",
    "patient__issuer", "patient__birth_date", "patient__sex", "study_id",
    "description", "series_count", "instance_count",
)  # fmt: skip
SERIES_COLUMNS = (
    "series_uid", "modality", "number", "description", "body_part", "laterality",
    "instance_count",
)  # fmt: skip
INSTANCE_COLUMNS = (
    "sop_uid", "sop_class_uid", "number", "rows", "columns", "frames", "transfer_syntax",
)  # fmt: skip


@dataclass(frozen=True)
class Query:
    """Matching keys by keyword, and which slice of the matches is wanted."""

    keys: dict[str, str]
    custodian: str = ""
    limit: int = 100
    offset: int = 0


def search_studies(actor: Actor, query: Query, *, at: datetime) -> list[tuple[Any, ...]]:
    """STUDY_COLUMNS of the matching studies, newest first. Raises BadValue."""
    found = _studies(actor, query, at).order_by("-study_date", "-pk")
    return list(_slice(found.values_list(*STUDY_COLUMNS), query))


def search_series(actor: Actor, query: Query, *, at: datetime) -> list[tuple[Any, ...]]:
    """STUDY_COLUMNS and then SERIES_COLUMNS of the matching series. Raises BadValue."""
    found = Series.objects.filter(study__in=_one_custodian(actor, query, at))
    found = found.filter(_series_condition(query, ""))
    columns = [*(f"study__{name}" for name in STUDY_COLUMNS), *SERIES_COLUMNS]
    ordered = found.order_by("-study__study_date", "-study_id", "number", "pk")
    return list(_slice(ordered.values_list(*columns), query))


def search_instances(actor: Actor, query: Query, *, at: datetime) -> list[tuple[Any, ...]]:
    """STUDY_, SERIES_ and INSTANCE_COLUMNS of the matching instances. Raises BadValue."""
    found = Instance.objects.filter(series__study__in=_one_custodian(actor, query, at))
    found = found.filter(_series_condition(query, "series__"), _instance_condition(query))
    columns = [
        *(f"series__study__{name}" for name in STUDY_COLUMNS),
        *(f"series__{name}" for name in SERIES_COLUMNS),
        *INSTANCE_COLUMNS,
    ]
    ordered = found.order_by(
        "-series__study__study_date", "-series__study_id", "series__number", "series_id",
        "number", "pk",
    )  # fmt: skip
    return list(_slice(ordered.values_list(*columns), query))


def _slice(rows: Any, query: Query) -> Any:
    return rows[query.offset : query.offset + min(query.limit, MOST)]


def _studies(actor: Actor, query: Query, at: datetime) -> QuerySet[Study]:
    found = Study.objects.visible_to(actor, at, Action.DISCOVER)
    if query.custodian:
        found = found.filter(organization__code=query.custodian)
    for keyword, wanted in query.keys.items():
        if keyword in _STUDY_KEYS and wanted not in ("", "*"):
            found = _STUDY_KEYS[keyword](found, wanted)
    return found


def _one_custodian(actor: Actor, query: Query, at: datetime) -> Any:
    """Below a named study: the one that retrieving it would open, own organization first."""
    found = _studies(actor, query, at)
    if len(_list(query.keys.get("StudyInstanceUID", ""))) != 1:
        return found.values("pk")
    own = Case(
        When(organization_id=actor.organization_id, then=0), default=1, output_field=IntegerField()
    )
    return list(found.order_by(own, "pk").values_list("pk", flat=True)[:1])


def _series_condition(query: Query, prefix: str) -> Q:
    condition = Q()
    for keyword, column in _SERIES_KEYS.items():
        wanted = query.keys.get(keyword, "")
        if wanted not in ("", "*"):
            condition &= Q(**{f"{prefix}{column}__in": _list(wanted)})
    return condition


def _instance_condition(query: Query) -> Q:
    condition = Q()
    for keyword, column in _INSTANCE_KEYS.items():
        wanted = query.keys.get(keyword, "")
        if wanted not in ("", "*"):
            condition &= Q(**{f"{column}__in": _numbers(keyword, _list(wanted))})
    return condition


def _list(wanted: str) -> list[str]:
    return [word for word in re.split(r"[,\\]", wanted) if word]


def _numbers(keyword: str, words: list[str]) -> list[Any]:
    if not keyword.endswith("Number"):
        return list(words)
    if not all(re.fullmatch(r"-?\d{1,9}", word) for word in words):
        raise BadValue("A number in the search is not a number.")
    return [int(word) for word in words]


def _dates(found: QuerySet[Study], wanted: str) -> QuerySet[Study]:
    """A date or a range with one or two ends (PS3.4 C.2.2.2.5)."""
    first, dash, last = wanted.partition("-")
    ends = [_date(word) if word else None for word in (first, last if dash else first)]
    if ends == [None, None]:
        raise BadValue("The date range in the search has no end.")
    if ends[0]:
        found = found.filter(study_date__gte=ends[0])
    return found.filter(study_date__lte=ends[1]) if ends[1] else found


def _date(word: str) -> date:
    match = re.fullmatch(r"(\d{4})(\d\d)(\d\d)", word)
    try:
        return date(*(int(part) for part in match.groups())) if match else _no_date()
    except ValueError:
        return _no_date()


def _no_date() -> date:
    raise BadValue("A date in the search is not of the form YYYYMMDD.")


def _name(found: QuerySet[Study], wanted: str) -> QuerySet[Study]:
    """Whole words of a name unless wildcards say otherwise; case and accents never matter."""
    words = fold(wanted.replace("^", " ").replace("=", " "))
    line = Concat(Value(" "), "patient__search_key", Value(" "))
    return found.filter(Like(line, Value(f"%{_pattern(f' {words} ')}%")))


def _modalities(found: QuerySet[Study], wanted: str) -> QuerySet[Study]:
    condition = Q()
    for word in _list(wanted):
        condition |= Q(modalities__contains=f"|{word}|")
    return found.filter(condition)


def _uids(found: QuerySet[Study], wanted: str) -> QuerySet[Study]:
    return found.filter(study_uid__in=_list(wanted))


class _Text:
    """A key on a text column: equal, or like a pattern when it holds a wildcard."""

    def __init__(self, column: str) -> None:
        self.column = column

    def __call__(self, found: QuerySet[Study], wanted: str) -> QuerySet[Study]:
        """The studies whose column matches."""
        if "*" in wanted or "?" in wanted:
            return found.filter(Like(F(self.column), Value(_pattern(wanted))))
        return found.filter(**{self.column: wanted})


class Like(Func):
    """SQL's LIKE with an escape character, the same on both databases."""

    template = "(%(expressions)s ESCAPE '!')"
    arg_joiner = " LIKE "
    output_field = BooleanField()


def _pattern(wanted: str) -> str:
    escaped = re.sub(r"([!%_])", r"!\1", wanted)
    return re.sub(r"%+", "%", escaped.replace("*", "%").replace("?", "_"))


_STUDY_KEYS: dict[str, Any] = {
    "StudyInstanceUID": _uids,
    "StudyDate": _dates,
    "PatientName": _name,
    "PatientID": _Text("patient__identifier"),
    "IssuerOfPatientID": _Text("patient__issuer"),
    "AccessionNumber": _Text("accession_number"),
    "StudyID": _Text("study_id"),
    "StudyDescription": _Text("description"),
    "ModalitiesInStudy": _modalities,
}
_SERIES_KEYS = {
    "SeriesInstanceUID": "series_uid",
    "Modality": "modality",
    "BodyPartExamined": "body_part",
}
_INSTANCE_KEYS = {
    "SOPInstanceUID": "sop_uid",
    "SOPClassUID": "sop_class_uid",
    "InstanceNumber": "number",
}
KEYS = frozenset({*_STUDY_KEYS, *_SERIES_KEYS, *_INSTANCE_KEYS})
"""What can be searched for; anything else is left out and said so, never matched in secret."""


def unknown_keys(keywords: Iterable[str]) -> list[str]:
    """Those that are no matching keys here."""
    return [keyword for keyword in keywords if keyword not in KEYS]
