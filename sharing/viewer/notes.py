"""The viewer's door for notes: measurements and key images, read again and kept as DICOM."""

from collections.abc import Mapping
from math import isfinite
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from sharing.access.services import decide_one
from sharing.archive.errors import NoteInvalid
from sharing.archive.services.noting import Noted, Notes, keep_notes, notes_on, why_not
from sharing.archive.services.showing import peek
from sharing.dicom.errors import BadDicom
from sharing.dicom.measured import POINTS, Measure, as_points
from sharing.kernel.purposes import Action
from sharing.kernel.uids import SOPInstanceUID
from sharing.viewer.doors import actor_of

FIGURES = frozenset({"mean", "sd", "min", "max", "value"})
UNITS = frozenset({"", "HU", "SUV", "Bq/ml", "counts", "counts/s", "g/ml"})
LABEL_MOST = 60
FRAMES_MOST = 100_000


@require_http_methods(["GET", "HEAD", "POST"])
def notes(request: HttpRequest, public_id: str) -> HttpResponse:
    """What is noted on the study that the reader may see; POST keeps theirs.

    Raises NoActor, StudyNotFound, NoteRefused, NoteInvalid.
    """
    actor, at = actor_of(request), timezone.now()
    request_id = getattr(request, "request_id", "")
    if request.method == "POST":
        said = parsed(request.body)
        count = keep_notes(actor, public_id=public_id, notes=said, at=at, request_id=request_id)
        return _told({"kept": count}, status=201)
    study = peek(actor, public_id=public_id, at=at, action=Action.IMAGES, request_id=request_id)
    decision = decide_one(actor, Action.IMAGES, study.subject, at=at)
    held = [_line(each) for each in notes_on(actor, study, at=at, request_id=request_id)]
    return _told({"why": why_not(actor, decision), "notes": held})


def _told(facts: Mapping[str, Any], status: int = 200) -> JsonResponse:
    return JsonResponse(facts, status=status, headers={"Cache-Control": "no-store"})


def _line(noted: Noted) -> dict[str, Any]:
    said = noted.kept
    return {
        "author": said.author,
        "organization": noted.custodian,
        "mark": noted.mark,
        "day": said.day,
        "sop": said.sop,
        "measures": [
            {
                "kind": each.kind,
                "sop": each.sop,
                "frame": each.frame,
                "points": each.points,
                "label": each.label,
            }
            for each in said.measures
        ],
        "keys": [{"sop": sop, "frame": frame} for sop, frame in said.keys],
    }


def parsed(body: bytes) -> Notes:
    """The notes in a body. Raises NoteInvalid, whatever is wrong with it."""
    try:
        said = orjson.loads(body)
        measures = tuple(_measure(each) for each in said.get("measures", []))
        keys = tuple(_place(each) for each in said.get("keys", []))
    except (orjson.JSONDecodeError, BadDicom, AttributeError, KeyError, TypeError, ValueError):
        raise NoteInvalid() from None
    return Notes(measures, keys)


def _place(said: Mapping[str, Any]) -> tuple[str, int]:
    frame = int(said["frame"])
    if not 1 <= frame <= FRAMES_MOST:
        raise ValueError
    return SOPInstanceUID.parse(str(said["sop"])), frame


def _measure(said: Mapping[str, Any]) -> Measure:
    kind, unit = str(said["kind"]), str(said.get("unit", ""))
    if kind not in POINTS or unit not in UNITS:
        raise ValueError
    read = {
        name: float(said["figures"][name]) for name in said.get("figures", {}) if name in FIGURES
    }
    if not all(isfinite(value) for value in read.values()):
        raise ValueError
    label = " ".join(str(said.get("label", "")).split())[:LABEL_MOST]
    if not label.isprintable():
        raise ValueError
    return Measure(kind, *_place(said), as_points(said["points"], kind), label, read, unit)
