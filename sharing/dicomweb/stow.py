"""STOW-RS: storing (PS3.18 10.5). The body goes to the archive as it comes in.

The answer is built of the receipt alone: every part that was sent has its line in it.
"""

from collections.abc import Iterable
from itertools import chain
from typing import Any

import orjson
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, HttpResponseBase
from django.utils import timezone

from sharing.archive.errors import NotAcceptable
from sharing.archive.rules import CANNOT_UNDERSTAND, COERCED, FAILURE_REASONS, Door, Outcome
from sharing.archive.services.allowance import allow
from sharing.archive.services.receiving import Line, receive_from
from sharing.archive.summaries import element
from sharing.dicom.xml_model import to_xml
from sharing.tenants.rules import Duty

from .accept import JSON, MULTIPART, XML, takes_json, wanted
from .gate import needs, root, where
from .multipart import Outgoing, answer
from .parts import BadBody
from .submission import submission


@needs("dicomweb.write")
def store(request: Any, **path: str) -> HttpResponseBase:
    """POST studies, POST studies/UID. Nothing is read where no answer would be acceptable."""
    actor = request.actor
    own = path.get("organization", "") in ("", actor.organization_code)
    if not actor.may(Duty.UPLOAD) or not own:
        raise PermissionDenied
    form, at = _form(request), timezone.now()
    study_uid = where(path).study_uid if "study" in path else None
    most = allow(actor, announced=_announced(request), at=at)
    files = submission(request, most=most)
    first = next(files, None)
    if first is None:
        raise BadBody("The body holds no part.")
    files = chain((first,), files)
    receipt = receive_from(actor, door=Door.STOW, files=files, at=at, study_uid=study_uid)
    return _told(receipt.items, root(actor.organization_code), form)


def _announced(request: Any) -> int:
    length = request.META.get("CONTENT_LENGTH") or ""
    return int(length) if length.isdecimal() else 0


def _form(request: Any) -> str:
    """JSON, XML or MULTIPART (XML in one part), by Accept. Raises NotAcceptable."""
    for want in wanted(request):
        if takes_json(want):
            return JSON
        if want.first(XML):
            return MULTIPART if want.multipart else XML
    raise NotAcceptable()


def _told(items: tuple[Line, ...], address: str, form: str) -> HttpResponseBase:
    made, status = _response(items, address), _status(items)
    response: HttpResponseBase
    if form == JSON:
        response = HttpResponse(orjson.dumps(made), content_type=JSON, status=status)
    elif form == XML:
        response = HttpResponse(to_xml(made), content_type=XML, status=status)
    else:
        raw = to_xml(made)
        response = answer([Outgoing(XML, [raw], len(raw))], XML)
        response.status_code = status
    if any(item.outcome == Outcome.STORED for item in items) and "Value" in made["00081190"]:
        response["Location"] = made["00081190"]["Value"][0]
    return response


def _good(item: Line) -> bool:
    return item.outcome in (Outcome.STORED, Outcome.DUPLICATE)


def _status(items: Iterable[Line]) -> int:
    """All without a warning, some, or none (PS3.18 table 10.5.3-1)."""
    good = [item for item in items if _good(item)]
    if not good:
        return 409
    whole = all(_good(item) and not item.corrected for item in items)
    return 200 if whole else 202


def _response(items: tuple[Line, ...], address: str) -> dict[str, Any]:
    """The Store Instances Response Module (PS3.18 table I.1-1)."""
    studies = {item.study_uid for item in items if _good(item)}
    made = {"00081190": {"vr": "UR"}}
    if len(studies) == 1:
        made["00081190"] = element("UR", f"{address}/studies/{studies.pop()}")
    bad = [item for item in items if not _good(item)]
    sequences = {
        "00081198": [_named(item) | _reason(item) for item in bad if item.sop_uid],
        "00081199": [_referenced(item, address) for item in items if _good(item)],
        "0008119A": [_reason(item) for item in bad if not item.sop_uid],
    }
    return made | {tag: {"vr": "SQ", "Value": v} for tag, v in sequences.items() if v}


def _referenced(item: Line, address: str) -> dict[str, Any]:
    series = f"{address}/studies/{item.study_uid}/series/{item.series_uid}"
    named = _named(item) | {"00081190": element("UR", f"{series}/instances/{item.sop_uid}")}
    if item.corrected:
        named["00081196"] = element("US", COERCED)
    return named


def _named(item: Line) -> dict[str, Any]:
    return {"00081150": element("UI", item.sop_class_uid), "00081155": element("UI", item.sop_uid)}


def _reason(item: Line) -> dict[str, Any]:
    return {"00081197": element("US", FAILURE_REASONS.get(item.code, CANNOT_UNDERSTAND))}
