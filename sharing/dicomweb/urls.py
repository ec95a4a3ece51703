"""The routes of PS3.18, twice: over all that the caller may see, and over one custodian."""

import re
from typing import Any

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.urls import URLPattern, include, path
from django.views.decorators.http import require_http_methods

from . import frames, metadata, qido, rendered, stow, wado
from .capabilities import described, methods_of
from .gate import View, sealed

app_name = "dicomweb"
_EVERY = ("GET", "HEAD", "OPTIONS")


def studies(request: Any, **where: str) -> HttpResponseBase:
    """Search for studies, or store instances."""
    view = stow.store if request.method == "POST" else qido.studies
    return view(request, **where)


def study(request: Any, **where: str) -> HttpResponseBase:
    """Retrieve a study, or store instances of it."""
    view = stow.store if request.method == "POST" else wado.objects_view
    return view(request, **where)


_STUDY = "studies/<str:study>"
_SERIES = f"{_STUDY}/series/<str:series>"
_INSTANCE = f"{_SERIES}/instances/<str:instance>"
_SAFE = (
    ("series", qido.series, "all-series"),
    ("instances", qido.instances, "all-instances"),
    (f"{_STUDY}/series", qido.series, "study-series"),
    (f"{_STUDY}/instances", qido.instances, "study-instances"),
    (f"{_STUDY}/metadata", metadata.metadata_view, "study-metadata"),
    (f"{_STUDY}/rendered", rendered.rendered_view, "study-rendered"),
    (f"{_STUDY}/thumbnail", rendered.thumbnail_view, "study-thumbnail"),
    (_SERIES, wado.objects_view, "series"),
    (f"{_SERIES}/instances", qido.instances, "series-instances"),
    (f"{_SERIES}/metadata", metadata.metadata_view, "series-metadata"),
    (f"{_SERIES}/rendered", rendered.rendered_view, "series-rendered"),
    (f"{_SERIES}/thumbnail", rendered.thumbnail_view, "series-thumbnail"),
    (_INSTANCE, wado.objects_view, "instance"),
    (f"{_INSTANCE}/metadata", metadata.metadata_view, "instance-metadata"),
    (f"{_INSTANCE}/thumbnail", rendered.thumbnail_view, "instance-thumbnail"),
    (f"{_INSTANCE}/rendered", rendered.rendered_view, "instance-rendered"),
    (f"{_INSTANCE}/bulkdata/<path:bulk>", wado.bulk_view, "bulkdata"),
    (f"{_INSTANCE}/frames/<str:frames>", frames.frames_view, "frames"),
    (f"{_INSTANCE}/frames/<str:frames>/rendered", rendered.rendered_view, "frame-rendered"),
    (f"{_INSTANCE}/frames/<str:frames>/thumbnail", rendered.thumbnail_view, "frame-thumbnail"),
)
_ALL = (("studies", studies, "studies"), (_STUDY, study, "study"), *_SAFE)
_TEMPLATES = [(re.sub(r"<\w+:(\w+)>", r"{\1}", route), name) for route, _, name in _ALL]


_HOT = ("frames", "series-metadata", "instance-rendered")
"""Matched before all others: most requests are for these."""


def _resource(route: str, view: View, name: str) -> URLPattern:
    """A route with what every resource answers: HEAD without a body, OPTIONS with what it can."""
    verbs = [method.verb for method in methods_of(name)]
    allowed = [verb for verb in ("GET", "HEAD", "POST", "OPTIONS") if verb in (*verbs, *_EVERY)]
    own = {name: template for template, name in _TEMPLATES}.get(name, "")

    def answered(request: Any, **where: str) -> HttpResponseBase:
        if request.method == "OPTIONS":
            mount = f"/o/{where['organization']}" if "organization" in where else ""
            told = described(request, _TEMPLATES, own, mount)
            told["Allow"] = ", ".join(allowed)
            return sealed(told)
        response = view(request, **where)
        return without_body(response) if request.method == "HEAD" else response

    return path(route, require_http_methods(allowed)(answered), name=name)


def without_body(response: HttpResponseBase) -> HttpResponseBase:
    """The headers that GET would have had. A stream is not begun; a small answer was made."""
    if isinstance(response, StreamingHttpResponse):
        response.streaming_content = iter(())
    elif isinstance(response, HttpResponse):
        response.headers.setdefault("Content-Length", str(len(response.content)))
        response.content = b""
    return response


@require_http_methods(["OPTIONS"])
def service(request: Any, **where: str) -> HttpResponseBase:
    """The whole service's capabilities, at its base address (PS3.18 8.9.1.1)."""
    mount = f"/o/{where['organization']}" if "organization" in where else ""
    return sealed(described(request, _TEMPLATES, "", mount))


_routes = [
    *(
        _resource(route, view, name)
        for route, view, name in sorted(_ALL, key=lambda row: row[2] not in _HOT)
    ),
    path("", service, name="service"),
]
urlpatterns = [*_routes, path("o/<slug:organization>/", include(_routes))]
