"""The routes of PS3.18, twice: over all that the caller may see, and over one custodian."""

from typing import Any

from django.http import HttpResponseBase
from django.urls import include, path
from django.views.decorators.http import require_http_methods, require_safe

from . import qido, rendered, stow, wado

app_name = "dicomweb"


@require_http_methods(["GET", "HEAD", "POST"])
def studies(request: Any, **where: str) -> HttpResponseBase:
    """Search for studies, or store instances."""
    view = stow.store if request.method == "POST" else qido.studies
    return view(request, **where)


@require_http_methods(["GET", "HEAD", "POST"])
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
    (f"{_STUDY}/metadata", wado.metadata_view, "study-metadata"),
    (f"{_STUDY}/rendered", rendered.rendered_view, "study-rendered"),
    (f"{_STUDY}/thumbnail", rendered.thumbnail_view, "study-thumbnail"),
    (_SERIES, wado.objects_view, "series"),
    (f"{_SERIES}/instances", qido.instances, "series-instances"),
    (f"{_SERIES}/metadata", wado.metadata_view, "series-metadata"),
    (f"{_SERIES}/rendered", rendered.rendered_view, "series-rendered"),
    (f"{_SERIES}/thumbnail", rendered.thumbnail_view, "series-thumbnail"),
    (_INSTANCE, wado.objects_view, "instance"),
    (f"{_INSTANCE}/metadata", wado.metadata_view, "instance-metadata"),
    (f"{_INSTANCE}/thumbnail", rendered.thumbnail_view, "instance-thumbnail"),
    (f"{_INSTANCE}/rendered", rendered.rendered_view, "instance-rendered"),
    (f"{_INSTANCE}/bulkdata/<path:bulk>", wado.bulk_view, "bulkdata"),
    (f"{_INSTANCE}/frames/<str:frames>", wado.frames_view, "frames"),
    (f"{_INSTANCE}/frames/<str:frames>/rendered", rendered.rendered_view, "frame-rendered"),
    (f"{_INSTANCE}/frames/<str:frames>/thumbnail", rendered.thumbnail_view, "frame-thumbnail"),
)
_routes = [
    path("studies", studies, name="studies"),
    path(_STUDY, study, name="study"),
    *(path(route, require_safe(view), name=name) for route, view, name in _SAFE),
]
urlpatterns = [path("o/<slug:organization>/", include(_routes)), *_routes]
