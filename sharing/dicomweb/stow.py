"""STOW-RS: storing (PS3.18 10.5). The body goes to the archive as it comes in."""

from typing import Any

import orjson
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, HttpResponseBase
from django.utils import timezone

from sharing.archive.rules import (
    CANNOT_UNDERSTAND,
    FAILURE_REASONS,
    Door,
    Outcome,
)
from sharing.archive.services.receiving import Line, receive_from
from sharing.tenants.rules import Duty

from .gate import JSON, needs, root, where
from .parts import BadBody
from .submission import submission


@needs("dicomweb.write")
def store(request: Any, **path: str) -> HttpResponseBase:
    """POST studies, POST studies/UID."""
    actor = request.actor
    if not actor.may(Duty.UPLOAD) or path.get("organization", "") not in (
        "",
        actor.organization_code,
    ):
        raise PermissionDenied
    receipt = receive_from(
        actor,
        door=Door.STOW,
        files=submission(request),
        at=timezone.now(),
        study_uid=where(path).study_uid if "study" in path else None,
    )
    items = receipt.items
    if not items:
        raise BadBody("The body holds no part.")
    answer = _response(items, root(actor.organization_code))
    return HttpResponse(orjson.dumps(answer), content_type=JSON, status=_status(items))


def _good(item: Line) -> bool:
    return item.outcome in (Outcome.STORED, Outcome.DUPLICATE)


def _status(items: tuple[Line, ...]) -> int:
    """All, some or none (PS3.18 table 10.5.3-1)."""
    good = sum(_good(item) for item in items)
    if good == len(items):
        return 200
    return 202 if good else 409


def _response(items: tuple[Line, ...], address: str) -> dict[str, Any]:
    """The Store Instances Response (PS3.18 table 10.5.3-2)."""
    made: dict[str, Any] = {}
    studies = {item.study_uid for item in items if _good(item)}
    if len(studies) == 1:
        made["00081190"] = _one("UR", f"{address}/studies/{studies.pop()}")
    sequences = {
        "00081198": [_failed(item) for item in items if not _good(item) and item.sop_uid],
        "00081199": [_referenced(item, address) for item in items if _good(item)],
        "0008119A": [_reason(item) for item in items if not _good(item) and not item.sop_uid],
    }
    return made | {tag: {"vr": "SQ", "Value": v} for tag, v in sequences.items() if v}


def _referenced(item: Line, address: str) -> dict[str, Any]:
    named = _named(item)
    url = f"{address}/studies/{item.study_uid}"
    named["00081190"] = _one("UR", f"{url}/instances?SOPInstanceUID={item.sop_uid}")
    return named


def _failed(item: Line) -> dict[str, Any]:
    return _named(item) | _reason(item)


def _named(item: Line) -> dict[str, Any]:
    return {"00081150": _one("UI", item.sop_class_uid), "00081155": _one("UI", item.sop_uid)}


def _reason(item: Line) -> dict[str, Any]:
    return {"00081197": _one("US", FAILURE_REASONS.get(item.code, CANNOT_UNDERSTAND))}


def _one(vr: str, value: Any) -> dict[str, Any]:
    return {"vr": vr, "Value": [value]}
