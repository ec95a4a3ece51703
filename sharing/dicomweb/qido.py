"""QIDO-RS: searching (PS3.18 10.6)."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.http import HttpResponseBase
from django.utils import timezone

from sharing.archive.services.describing import told
from sharing.archive.services.locating import Asker
from sharing.archive.services.searching import (
    Found,
    Level,
    search_instances,
    search_series,
    search_studies,
)
from sharing.kernel.purposes import Action

from .accept import JSON
from .dataset import enriched, instance_text, own_text, placed, series_text, study_text
from .gate import needs, root, where
from .question import Question, question
from .results import form_of, ready, results

_IGNORED = "The search parameters that are not supported were ignored."
_MORE = "There are additional results that can be requested."
Text = Callable[[tuple[Any, ...]], str]


@needs("dicomweb.read")
def studies(request: Any, **path: str) -> HttpResponseBase:
    """GET studies."""
    form = form_of(request)
    asked = question(request, path, Level.STUDY)
    found = search_studies(request.actor, asked.query, at=timezone.now())
    return results(request, form, _texts(found, study_text, asked), _warnings(found, asked))


@needs("dicomweb.read")
def series(request: Any, **path: str) -> HttpResponseBase:
    """GET series, with the studies' attributes, and GET studies/UID/series."""
    form = form_of(request)
    asked = question(request, path, Level.SERIES)
    found = search_series(request.actor, asked.query, at=timezone.now())
    text = partial(series_text, alone="study" in path)
    return results(request, form, _texts(found, text, asked), _warnings(found, asked))


@needs("dicomweb.read")
def instances(request: Any, **path: str) -> HttpResponseBase:
    """GET instances, also below a study or a series: with the attributes of the levels between."""
    form, at = form_of(request), timezone.now()
    asked = question(request, path, Level.INSTANCE)
    alone = "series" in path
    if alone and form == JSON and asked.query.is_whole_series and not asked.ignored:
        asker = Asker(request.actor, Action.DISCOVER, at)
        if sheet := told(asker, where(path), mount=root("{}"), most=asked.query.page):
            return ready(request, sheet)
    found = search_instances(request.actor, asked.query, at=at, alone=alone)
    text = own_text if alone else partial(instance_text, study="study" not in path)
    return results(request, form, _texts(found, text, asked), _warnings(found, asked))


def _texts(found: Found, text: Text, asked: Question) -> list[str]:
    made = [text(row) for row in found.rows]
    if asked.query.include:
        rows = zip(made, found.metadata, found.rows, strict=True)
        made = [enriched(one, metadata, asked.wants, row[0]) for one, metadata, row in rows]
    return placed(made, found.rows)


def _warnings(found: Found, asked: Question) -> list[str]:
    """Fixed sentences: how many are left, or what was ignored, depends on nothing hidden."""
    ignored = asked.ignored or found.unmatched
    return [*([_IGNORED] if ignored else []), *([_MORE] if found.more else [])]
