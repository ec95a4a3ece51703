"""QIDO-RS: searching (PS3.18 10.6)."""

import re
from collections.abc import Callable
from typing import Any

import orjson
from django.http import HttpResponse, HttpResponseBase
from django.utils import timezone
from pydicom.datadict import keyword_for_tag

from sharing.archive.services.searching import (
    MOST,
    Query,
    search_instances,
    search_series,
    search_studies,
    unknown_keys,
)
from sharing.kernel.errors import BadValue

from .accept import require_json, wanted
from .dataset import instance_object, series_object, study_object
from .gate import JSON, needs

_OWN = frozenset({"limit", "offset", "includefield", "fuzzymatching", "accept"})
_PATH = {
    "study": "StudyInstanceUID",
    "series": "SeriesInstanceUID",
    "instance": "SOPInstanceUID",
}
_TAG = re.compile(r"[0-9A-Fa-f]{8}")
Search = Callable[..., list[tuple[Any, ...]]]


@needs("dicomweb.read")
def studies(request: Any, **path: str) -> HttpResponseBase:
    """GET studies."""
    return _search(request, path, search_studies, study_object)


@needs("dicomweb.read")
def series(request: Any, **path: str) -> HttpResponseBase:
    """GET series, GET studies/UID/series."""
    return _search(request, path, search_series, series_object)


@needs("dicomweb.read")
def instances(request: Any, **path: str) -> HttpResponseBase:
    """GET instances, also below a study or a series."""
    return _search(request, path, search_instances, instance_object)


def _search(
    request: Any, path: dict[str, str], search: Search, form: Callable[[tuple[Any, ...]], Any]
) -> HttpResponse:
    require_json(wanted(request))
    query, left_out = _query(request, path)
    rows = search(request.actor, query, at=timezone.now())
    more = len(rows) == min(query.limit, MOST) and "limit" not in request.GET
    response = HttpResponse(orjson.dumps([form(row) for row in rows]), content_type=JSON)
    if left_out or more:
        # One fixed sentence: how many were left out depends on nothing hidden (PS3.18 8.3.4.4).
        words = "matching keys were ignored" if left_out else "there may be more results"
        response["Warning"] = f'299 portal "{words}"'
    return response


def _query(request: Any, path: dict[str, str]) -> tuple[Query, list[str]]:
    given = {
        _keyword(name): ",".join(values) for name, values in request.GET.lists() if name not in _OWN
    }
    left_out = unknown_keys(given)
    for name in left_out:
        del given[name]
    given |= {keyword: path[name] for name, keyword in _PATH.items() if name in path}
    query = Query(
        keys=given,
        custodian=path.get("organization", ""),
        limit=_number(request.GET.get("limit"), default=MOST),
        offset=_number(request.GET.get("offset"), default=0),
    )
    return query, left_out


def _keyword(name: str) -> str:
    return keyword_for_tag(int(name, 16)) if _TAG.fullmatch(name) else name


def _number(text: str | None, *, default: int) -> int:
    if text is None:
        return default
    if not re.fullmatch(r"\d{1,9}", text):
        raise BadValue("A limit or offset is not a number.")
    return int(text)
