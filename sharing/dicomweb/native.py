"""WADO-RS metadata as XML of the Native DICOM Model, one part an instance (PS3.18 8.7.3, F.1)."""

from collections.abc import Iterator
from typing import Any

from django.http import HttpResponseBase
from django.utils import timezone

from sharing.archive.services.retrieving import guarded, open_images
from sharing.archive.services.values import each_metadata
from sharing.dicom.xml_model import to_xml

from .accept import XML
from .gate import root, tag, unchanged, where
from .multipart import Outgoing, answer_as_made


def xml_metadata(request: Any, path: dict[str, str]) -> HttpResponseBase:
    """The metadata of a study, a series or an instance. Raises StudyNotFound."""
    at = timezone.now()
    opened = open_images(request.actor, where(path), at=at, request_id=request.request_id)
    found = each_metadata(opened, root=root(opened.study.custodian))
    etag = tag(opened.version, XML)
    if answer_304 := unchanged(request, etag):
        return answer_304

    def parts() -> Iterator[Outgoing]:
        watched = guarded(found, request.actor, opened.study.public_id, timezone.now)
        for json in watched:
            made = to_xml(json)
            yield Outgoing(XML, (made,), len(made))

    response = answer_as_made(parts(), XML)
    response["ETag"] = etag
    return response
