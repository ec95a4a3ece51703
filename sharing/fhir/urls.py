"""Routes of the FHIR face: one line per interaction of each type."""

from django.urls import URLPattern, path

from . import metadata, registry, views
from .kinds import KINDS, Kind

app_name = "fhir"


def _routes(kind: Kind) -> list[URLPattern]:
    """`fhir:ImagingStudy`, `fhir:ImagingStudy-search`, `fhir:ImagingStudy-read`, ..."""
    at, one = kind.name, f"{kind.name}/<str:resource_id>"
    made = [
        path(at, views.type_door(kind), name=at),
        path(f"{at}/_search", views.search_door(kind), name=f"{at}-search"),
        path(one, views.instance_door(kind), name=f"{at}-read"),
        path(f"{one}/_history/<str:version>", views.version_door(kind), name=f"{at}-version"),
    ]
    if "history" in kind.written:
        made.append(path(f"{one}/_history", views.history_door(kind), name=f"{at}-history"))
    return made


urlpatterns = [
    path("metadata", metadata.capabilities, name="metadata"),
    *(route for name in registry.TYPES for route in _routes(KINDS[name])),
]
