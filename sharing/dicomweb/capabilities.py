"""What this service can do, told by OPTIONS of each resource (PS3.18 8.9, annex H), as WADL.

Told from the routes alone: nothing is looked up, so nothing can be learnt of what is stored.
"""

from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import quoteattr

import orjson
from django.conf import settings
from django.http import HttpResponse

from sharing.archive.errors import NotAcceptable
from sharing.dicom.scan import EXPLICIT_LE
from sharing.dicom.transcode import TARGETS
from sharing.tenants.errors import NoActor

from .accept import DICOM, JSON, MEDIA, OCTETS, PICTURES, PLAIN_JSON, XML, accepts, wanted

WADL = "application/vnd.sun.wadl+xml"
_SYNTAXES = ("*", EXPLICIT_LE, *TARGETS)
_FILES = tuple(
    f"{form}; transfer-syntax={syntax}"
    for form in (f'multipart/related; type="{DICOM}"', DICOM)
    for syntax in _SYNTAXES
)
_PIXELS = tuple(dict.fromkeys((OCTETS, *MEDIA.values())))
_FRAMES = (*(f'multipart/related; type="{media}"' for media in _PIXELS), *_PIXELS)
_PICTURES = (*PICTURES, *(f'multipart/related; type="{media}"' for media in PICTURES))
_STORED = (
    *(f'multipart/related; type="{media}"' for media in (DICOM, JSON, XML)),
    *(DICOM, JSON),
)
_SEARCH = (
    *("limit", "offset", "includefield"),
    *("fuzzymatching", "emptyvaluematching", "multiplevaluematching"),
    *("accept", "{attributeID}"),
)
_VIEW = ("accept", "window", "viewport", "quality", "annotation", "iccprofile")


@dataclass(frozen=True)
class Method:
    """One thing that can be done with a resource."""

    verb: str
    name: str
    query: tuple[str, ...] = ("accept",)
    takes: tuple[str, ...] = ()
    gives: tuple[str, ...] = ()


_METADATA = (JSON, f'multipart/related; type="{XML}"')
_STORE = Method("POST", "StoreInstances", ("accept",), _STORED, (*_METADATA, XML))
_OF: dict[str, tuple[Method, ...]] = {
    "studies": (Method("GET", "SearchForStudies", _SEARCH, (), _METADATA), _STORE),
    "study": (Method("GET", "RetrieveStudy", gives=_FILES), _STORE),
    "series": (Method("GET", "RetrieveSeries", gives=_FILES),),
    "instance": (Method("GET", "RetrieveInstance", gives=_FILES),),
    "frames": (Method("GET", "RetrieveFrames", gives=_FRAMES),),
    "bulkdata": (Method("GET", "RetrieveBulkdata", gives=_FRAMES),),
}
for _name in ("all-series", "study-series"):
    _OF[_name] = (Method("GET", "SearchForSeries", _SEARCH, (), _METADATA),)
for _name in ("all-instances", "study-instances", "series-instances"):
    _OF[_name] = (Method("GET", "SearchForInstances", _SEARCH, (), _METADATA),)
for _name in ("study", "series", "instance"):
    _OF[f"{_name}-metadata"] = (Method("GET", "RetrieveMetadata", gives=_METADATA),)
for _name in ("study", "series", "instance", "frame"):
    _OF[f"{_name}-rendered"] = (Method("GET", "RetrieveRendered", _VIEW, (), _PICTURES),)
    _OF[f"{_name}-thumbnail"] = (
        Method("GET", "RetrieveThumbnail", ("accept", "viewport"), (), PICTURES),
    )


def methods_of(name: str) -> tuple[Method, ...]:
    """What a route can do, by the route's name."""
    return _OF.get(name, ())


def described(request: Any, routes: list[tuple[str, str]], own: str, mount: str) -> HttpResponse:
    """The description of the route `own`, a template such as studies/{study}, and those below.

    `routes` are (template, name). Raises NoActor, NotAcceptable.
    """
    if request.actor is None:
        raise NoActor()
    wants = wanted(request)
    shown = [
        (template, methods_of(name))
        for template, name in routes
        if not own or template == own or template.startswith(f"{own}/")
    ]
    base = f"{settings.PUBLIC_URL}/dicomweb{mount}"
    if accepts(wants, WADL, "application/xml", "*/*", "application/*"):
        return HttpResponse(_wadl(base, shown), content_type=WADL)
    if accepts(wants, PLAIN_JSON):
        return HttpResponse(_json(base, shown), content_type=PLAIN_JSON)
    raise NotAcceptable()


_Shown = list[tuple[str, tuple[Method, ...]]]


def _wadl(base: str, shown: _Shown) -> str:
    resources = "".join(
        f"<resource path={quoteattr(path)}>{''.join(map(_method, methods))}</resource>"
        for path, methods in shown
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<application xmlns="http://wadl.dev.java.net/2009/02">'
        f"<resources base={quoteattr(base)}>{resources}</resources></application>"
    )


def _method(method: Method) -> str:
    query = "".join(f'<param name={quoteattr(name)} style="query"/>' for name in method.query)
    options = "".join(f"<option value={quoteattr(media)}/>" for media in method.gives)
    takes = "".join(f"<representation mediaType={quoteattr(m)}/>" for m in method.takes)
    gives = "".join(f"<representation mediaType={quoteattr(m)}/>" for m in method.gives)
    accept = f'<param name="Accept" style="header">{options}</param>'
    return (
        f'<method name="{method.verb}" id="{method.name}"><request>{query}{accept}{takes}</request>'
        f'<response status="200">{gives}</response></method>'
    )


def _json(base: str, shown: _Shown) -> bytes:
    resources = [
        {
            "@path": path,
            "method": [
                {
                    "@name": method.verb,
                    "@id": method.name,
                    "request": {
                        "param": [{"@name": name, "@style": "query"} for name in method.query],
                        "representation": [{"@mediaType": media} for media in method.takes],
                    },
                    "response": {
                        "@status": 200,
                        "representation": [{"@mediaType": media} for media in method.gives],
                    },
                }
                for method in methods
            ],
        }
        for path, methods in shown
    ]
    return orjson.dumps({"application": {"resources": {"@base": base, "resource": resources}}})
