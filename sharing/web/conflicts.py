"""The worklist of conflicts, each side by side; and what was rejected, while it can come back."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from sharing.archive.errors import BlobUnavailable, OnHold, RemovalInvalid
from sharing.archive.rules import REASONS, Why
from sharing.archive.services.deciding import (
    CONFLICT,
    Comparison,
    compare,
    keep_old,
    picture_of,
    studies_of,
    take_new,
    waiting,
)
from sharing.archive.services.rejecting import rejections, take_back
from sharing.archive.services.showing import named_in_log
from sharing.tenants.services import Actor, Duty

from . import present
from .doors import actor_of

ROWS = 25
DIFFERENCES = 60
"""More different elements than anybody reads; the rest is counted."""

form_page = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """What waits for a decision, oldest first. Raises NotAllowed."""
    actor, at = actor_of(request), timezone.now()
    page = Paginator(waiting(actor), ROWS).get_page(request.GET.get("page"))
    studies = studies_of(actor, list(page), at=at)
    rows = [(each, studies.get(each.study_uid), _why(each)) for each in page]
    titled = [
        (conflict, study, present.title_of(study) if study else "", why)
        for conflict, study, why in rows
    ]
    context = {"page": page, "rows": titled, **_tabs(actor)}
    return render(request, "web/conflicts/list.html", context)


@form_page
def show(request: HttpRequest, conflict_id: int) -> HttpResponse:
    """Both objects; which one shall stand? Raises NotAllowed, ConflictNotFound."""
    actor, at = actor_of(request), timezone.now()
    error = ""
    if request.method == "POST":
        try:
            said = _decide(actor, conflict_id, request.POST.get("decision", ""))
        except (OnHold, RemovalInvalid, BlobUnavailable) as refusal:
            error = str(refusal)
        else:
            messages.success(request, said)
            return redirect("web:conflicts")
    request_id = getattr(request, "request_id", "")
    found = compare(actor, conflict_id=conflict_id, at=at, request_id=request_id)
    status = 422 if error else 200
    context = {"error": error, **_context(found)}
    return render(request, "web/conflicts/show.html", context, status=status)


def _decide(actor: Actor, conflict_id: int, decision: str) -> str:
    at = timezone.now()
    if decision == "new":
        take_new(actor, conflict_id=conflict_id, at=at)
        return "The new object is stored; the old one is kept aside for a time."
    if decision == "old":
        keep_old(actor, conflict_id=conflict_id, at=at)
        return "The stored object stays; the new one is kept aside for a time."
    raise RemovalInvalid("Choose which one shall stand.")


def _context(found: Comparison) -> dict[str, Any]:
    study = found.study
    return {
        "conflict": found.conflict,
        "study": study,
        "patient": study.patient if study else None,
        "title": present.title_of(study) if study else "",
        "old": found.old,
        "new": found.new,
        "differences": found.differences[:DIFFERENCES],
        "more": max(0, len(found.differences) - DIFFERENCES),
        "same_pixels": found.same_pixels,
        "replaceable": found.old is not None and found.conflict.code == CONFLICT,
        "why": _why(found.conflict),
        "keep_days": settings.REJECTED_KEEP_DAYS,
    }


def _why(conflict: Any) -> str:
    return REASONS.get(conflict.code, "")


@require_safe
def picture(request: HttpRequest, conflict_id: int, side: str) -> HttpResponse:
    """The small picture of the old or the new object."""
    if side not in {"old", "new"}:
        raise Http404
    jpeg = picture_of(
        actor_of(request),
        conflict_id=conflict_id,
        new=side == "new",
        at=timezone.now(),
        request_id=getattr(request, "request_id", ""),
    )
    return HttpResponse(
        jpeg, content_type="image/jpeg", headers={"Cache-Control": "private, no-store"}
    )


@require_safe
def rejected(request: HttpRequest) -> HttpResponse:
    """What was rejected and can be taken back, newest first. Raises NotAllowed."""
    actor = actor_of(request)
    page = Paginator(rejections(actor), ROWS).get_page(request.GET.get("page"))
    studies = named_in_log(actor, (each.study for each in page), at=timezone.now())
    rows = [(each, Why(each.reason).words, studies.get(each.study)) for each in page]
    context = {"page": page, "rows": rows, **_tabs(actor)}
    return render(request, "web/conflicts/rejected.html", context)


@require_POST
def return_rejected(request: HttpRequest, public_id: str) -> HttpResponse:
    """Take a rejection back. Raises NotAllowed, StudyNotFound, BlobUnavailable."""
    count = take_back(actor_of(request), public_id=public_id, at=timezone.now())
    done = "image is" if count == 1 else "images are"
    messages.success(request, f"{count:,} {done} back.")
    return redirect("web:rejections")


def _tabs(actor: Actor) -> dict[str, Any]:
    return {"waiting_count": waiting(actor).count() if actor.may(Duty.DECIDE) else 0}
