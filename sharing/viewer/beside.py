"""The viewer's doors for earlier studies: which there are, and one of them beside the open one."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from sharing.archive.services.comparing import Earlier, earlier_than, open_beside
from sharing.archive.services.locating import mark_of
from sharing.archive.services.painting import middle_syntaxes
from sharing.archive.services.showing import peek
from sharing.kernel.purposes import Action
from sharing.viewer import pages
from sharing.viewer.doors import actor_of

NOT_KEPT = {"Cache-Control": "no-store"}


@require_safe
def earlier(request: HttpRequest, public_id: str) -> HttpResponse:
    """The patient's other studies that the reader may see, newest first. Raises StudyNotFound."""
    actor, at = actor_of(request), timezone.now()
    request_id = getattr(request, "request_id", "")
    study = peek(actor, public_id=public_id, at=at, action=Action.IMAGES, request_id=request_id)
    own = actor.organization_id
    found = [_line(each, own) for each in earlier_than(actor, study, at=at)]
    return JsonResponse({"studies": found}, headers=NOT_KEPT)


def _line(each: Earlier, own: int) -> dict[str, Any]:
    study = each.study
    root = f"{pages.root_of(study)}/studies/{study.study_uid}"
    return _facts(study, own) | {
        "proposed": each.proposed,
        "thumbnail": f"{root}/thumbnail" if each.pictured else "",
    }


def _facts(study: Any, own: int) -> dict[str, Any]:
    return {
        "id": study.public_id,
        "title": pages.title_of(study),
        "day": study.study_date.isoformat() if study.study_date else "",
        "custodian": study.organization.name,
        "mark": study.organization.mark,
        "own": study.organization_id == own,
    }


@require_safe
def beside(request: HttpRequest, public_id: str, other: str) -> HttpResponse:
    """What the script needs to show another study of the same patient; its opening is logged.

    Raises StudyNotFound, for another patient's study too: two patients never meet here.
    """
    actor, at = actor_of(request), timezone.now()
    found = open_beside(
        actor,
        public_id=public_id,
        other=other,
        at=at,
        request_id=getattr(request, "request_id", ""),
    )
    lines = pages.lines_of(found.study, middle_syntaxes(found.study))
    pulse = reverse("viewer:pulse", args=[other])
    facts = pages.script_data(found.study, lines, pulse) | _facts(
        found.study, actor.organization_id
    )
    facts["watermark"] = mark_of(actor, found.decision, at)
    return JsonResponse(facts, headers=NOT_KEPT)
