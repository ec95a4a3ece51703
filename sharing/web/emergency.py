"""Emergency access: asking nobody, telling everybody; and the privacy officers' review of it."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from sharing.access.errors import GlassBlocked, GlassInvalid, GlassQuota
from sharing.access.rules import GlassReason, GlassState, ReviewEvent, may_break, overdue
from sharing.access.services import (
    Emergency,
    break_glass,
    close_review,
    cut_glass,
    end_glass,
    glass_of,
    review_of,
    reviews_waiting,
    used_here,
)
from sharing.archive.services.finding import find_studies
from sharing.archive.services.showing import patient_in_sight
from sharing.archive.services.showing import show as shown_to
from sharing.audit.services import log_in_emergency
from sharing.identity.services import PatientName
from sharing.tenants.errors import NotAllowed
from sharing.tenants.services import Actor, organization_options, region_settings

from . import deeds, present, proof, words
from .doors import actor_of
from .forms.emergency import GlassForm, ReviewForm

MOST = 200
FLAGS = {"self": "Same name as the patient", "family": "Same family name as the patient"}
form_page = require_http_methods(["GET", "HEAD", "POST"])


@form_page
def find(request: HttpRequest) -> HttpResponse:
    """For a patient who is not in sight: named by identifier and birth date.

    Whether there is such a patient is told by nothing here. Raises NotAllowed.
    """
    return _page(request, None)


@form_page
def of_patient(request: HttpRequest, public_id: str) -> HttpResponse:
    """For a patient who is in sight, whether or not anything is hidden.

    Raises NotAllowed, PatientNotFound.
    """
    actor = _eligible(request)
    return _page(request, patient_in_sight(actor, public_id=public_id, at=timezone.now()))


@require_safe
def show(request: HttpRequest, public_id: str) -> HttpResponse:
    """What the broken glass shows, while it lasts. Raises GlassNotFound."""
    actor, at = actor_of(request), timezone.now()
    glass = glass_of(actor, public_id=public_id)
    known = [each.patient for each in glass.patients.select_related("patient__organization")]
    lasts = glass.state == GlassState.OPEN and at < glass.ends_at
    rows = [row for patient in known if lasts for row in _rows(actor, patient, at)]
    # Whoever refused emergencies too is not there, so the name comes with a study or not at all.
    patient = rows[0].patient if rows else None
    context = {"glass": glass, "lasts": lasts, "studies": rows, "patient": patient}
    return render(request, "web/emergency/show.html", context)


@require_POST
def end(request: HttpRequest, public_id: str) -> HttpResponse:
    """The person needs it no longer. Raises GlassNotFound, NotNow."""
    end_glass(public_id=public_id, by=actor_of(request), at=timezone.now())
    messages.success(request, "Emergency access ended.")
    return redirect("web:emergency", public_id=public_id)


@require_safe
def reviews(request: HttpRequest) -> HttpResponse:
    """What waits for a verdict, and how emergency access was used. Raises NotAllowed."""
    actor, at = actor_of(request), timezone.now()
    context = {
        "waiting": [review_line(each, at) for each in reviews_waiting(actor)[:MOST]],
        "used": list(used_here(actor)[:MOST]),
    }
    return render(request, "web/emergency/reviews.html", context)


@form_page
def review(request: HttpRequest, public_id: str) -> HttpResponse:
    """One use, what was opened by it, the verdict. Raises NotAllowed, GlassNotFound."""
    actor, at = actor_of(request), timezone.now()
    found = review_of(actor, public_id=public_id)
    form = ReviewForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and _closed(form, public_id, actor, at):
        messages.success(request, "The review is closed.")
        return redirect("web:emergencies")
    glass = found.glass
    own = [each.patient for each in glass.patients.all()]
    own = [each for each in own if each.organization_id == actor.organization_id]
    entries = log_in_emergency(
        custodian=actor.organization_code,
        actor=glass.user.public_id,
        since=glass.starts_at,
        until=glass.ended_at or glass.ends_at,
    )
    context = {
        "form": form,
        "line": review_line(found, at),
        "patients": own,
        "entries": [deeds.doing(entry, {}, {}) for entry in entries],
        "lasts": glass.state == GlassState.OPEN and at < glass.ends_at,
        "mine": glass.user_id == actor.user_id,
    }
    status = 422 if form.is_bound else 200
    return render(request, "web/emergency/review.html", context, status=status)


@require_POST
def cut(request: HttpRequest, public_id: str) -> HttpResponse:
    """End it before its time. Raises NotAllowed, GlassNotFound, NotNow."""
    cut_glass(review_id=public_id, by=actor_of(request), at=timezone.now())
    messages.success(request, "Emergency access is cut.")
    return redirect("web:review-emergency", public_id=public_id)


def review_line(found: Any, at: datetime) -> dict[str, Any]:
    """A review with what the officer should see at once."""
    glass, left = found.glass, (found.due_at.date() - at.date()).days
    late = overdue(found.state, found.due_at, at)
    due = f"Overdue {words.span(max(-left, 0), 'day')}" if late else "Due today"
    if not late and left > 0:
        due = f"{words.span(left, 'day')} left"
    flags = [FLAGS[flag] for flag in glass.flags.strip("|").split("|") if flag]
    return {
        "review": found,
        "glass": glass,
        "reason": GlassReason(glass.reason).words,
        "due": due,
        "chip": "c-no" if late else "c-wait" if left <= 0 else "c-info",
        "flags": flags,
        "patients": [
            each.patient
            for each in glass.patients.all()
            if each.patient.organization_id == found.organization_id
        ],
        "verdict": found.state.capitalize(),
    }


def _eligible(request: HttpRequest) -> Actor:
    actor = actor_of(request)
    if not may_break(actor):
        raise NotAllowed()
    return actor


def _page(request: HttpRequest, patient: Any) -> HttpResponse:
    actor, at = _eligible(request), timezone.now()
    settings = region_settings()
    form = GlassForm(
        request.POST or None,
        at=at,
        longest=settings.emergency_hours,
        where=organization_options(without=0) if patient is None else None,
        by_code=proof.asks_for_code(request),
        proven=proof.touched_key(request),
    )
    if request.method == "POST" and form.is_valid():
        glass = _broken(request, form, patient, actor, at)
        if glass is not None:
            return redirect("web:emergency", public_id=glass.public_id)
    context = {"form": form, "patient": patient, "days": settings.review_days}
    context["by_key"] = proof.has_key(request) and "proof" in form.fields
    status = 422 if form.is_bound else 200
    return render(request, "web/emergency/new.html", context, status=status)


def _broken(
    request: HttpRequest, form: GlassForm, patient: Any, actor: Actor, at: datetime
) -> Any | None:
    data = form.cleaned_data
    wrong = proof.what_is_wrong(request, data.get("proof", ""))
    if wrong:
        form.add_error("proof", wrong)
        return None
    emergency = Emergency(
        patient=_named(patient, data),
        reason=GlassReason(data["reason"]),
        words=data["words"],
        hours=data["hours"],
        attested=data["attested"],
        proven=True,
    )
    try:
        return break_glass(emergency=emergency, by=actor, at=at)
    except (GlassInvalid, GlassBlocked, GlassQuota) as error:
        form.add_error(None, str(error))
        return None


def _named(patient: Any, data: dict[str, Any]) -> PatientName:
    if patient is not None:
        return PatientName(patient.issuer, patient.identifier, patient.birth_date)
    issuer = data["issuer"].patient_id_issuer
    return PatientName(issuer, data["identifier"].strip(), data["birth_date"])


def _rows(actor: Actor, patient: Any, at: datetime) -> list[Any]:
    found = list(find_studies(actor, at=at, patient=patient.public_id)[:MOST])
    return present.rows(shown_to(actor, found, at=at), organization_id=actor.organization_id)


def _closed(form: ReviewForm, public_id: str, actor: Actor, at: datetime) -> bool:
    data = form.cleaned_data
    verdict = ReviewEvent(data["verdict"])
    try:
        close_review(public_id=public_id, verdict=verdict, remark=data["remark"], by=actor, at=at)
    except GlassInvalid as error:
        form.add_error("remark", str(error))
        return False
    return True
