"""From a study's page: deleting it, rejecting images of it, putting it on legal hold."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from sharing.access.services import shares_of_study
from sharing.archive.errors import HoldNotFound, OnHold, RemovalInvalid
from sharing.archive.services.holding import holds_on, lift_hold, place_hold, study_to_hold
from sharing.archive.services.rejecting import numbered, reject_images, study_to_reject_from
from sharing.archive.services.removing import delete_study, study_to_delete
from sharing.archive.services.showing import series_of
from sharing.tenants.services import Actor, Duty

from . import present, words
from .doors import actor_of
from .forms.removal import DeleteForm, RejectForm, WordsForm

form_page = require_http_methods(["GET", "HEAD", "POST"])


def offered(actor: Actor, study: Any) -> dict[str, Any]:
    """What a study's page offers to the custodian's people, and the holds in force."""
    return {
        "holds": holds_on(study),
        "may_delete": actor.may(Duty.DELETE),
        "may_reject": actor.may(Duty.REJECT),
        "may_hold": actor.may(Duty.HOLD),
    }


@form_page
def delete(request: HttpRequest, public_id: str) -> HttpResponse:
    """Name the consequence, have it typed, delete. Raises NotAllowed, StudyNotFound."""
    actor, at = actor_of(request), timezone.now()
    study = study_to_delete(actor, public_id=public_id, at=at)
    wanted, what = _to_type(study)
    form = DeleteForm(request.POST or None, wanted=wanted, what=what)
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data["words"]
        try:
            delete_study(actor, public_id=public_id, why=form.why, words=told, at=at)
        except (OnHold, RemovalInvalid) as error:
            form.add_error(None, str(error))
        else:
            count = words.span(study.instance_count, "image")
            messages.success(request, f"The study with {count} is deleted.")
            return redirect("web:studies" if actor.treating else "web:home")
    context = {"form": form, "losing": _losing(study, at), **_about(study)}
    status = 422 if form.is_bound else 200
    return render(request, "web/removal/delete.html", context, status=status)


def _to_type(study: Any) -> tuple[str, str]:
    """What is typed to confirm: the patient's identifier, so that it is looked at once more."""
    patient = study.patient
    if patient.certain and patient.identifier:
        return patient.identifier, f"the patient’s identifier, {patient.identifier}"
    count = str(study.instance_count)
    return count, f"the number of images, {count}"


@form_page
def reject(request: HttpRequest, public_id: str) -> HttpResponse:
    """Choose images, say why, reject them. Raises NotAllowed, StudyNotFound."""
    actor, at = actor_of(request), timezone.now()
    study = study_to_reject_from(actor, public_id=public_id, at=at)
    cards = [_card(series, pictured=pictured) for series, pictured in series_of(study)]
    form = RejectForm(request.POST or None, series=[(c["uid"], c["title"]) for c in cards])
    if request.method == "POST" and form.is_valid():
        try:
            count = _reject(actor, study, form, at)
        except (OnHold, RemovalInvalid) as error:
            form.add_error(None, str(error))
        else:
            done = "is" if count == 1 else "are"
            messages.success(request, f"{words.span(count, 'image')} {done} rejected.")
            return redirect("web:rejections")
    chosen = set(form["series"].value() or ())
    context = {"form": form, "cards": cards, "chosen": chosen, **_about(study)}
    status = 422 if form.is_bound else 200
    return render(request, "web/removal/reject.html", context, status=status)


def _reject(actor: Actor, study: Any, form: RejectForm, at: datetime) -> int:
    said = form.cleaned_data
    series, numbers = said["series"], said["numbers"]
    sop_uids = numbered(study, series_uid=series[0], numbers=numbers) if numbers else []
    removal = reject_images(
        actor,
        public_id=study.public_id,
        series_uids=series,
        sop_uids=sop_uids,
        why=form.why,
        words=said["words"],
        at=at,
    )
    return removal.instances


def _card(series: Any, *, pictured: bool) -> dict[str, Any]:
    return {
        "uid": series.series_uid,
        "title": series.description or f"Series {series.number or 'without number'}",
        "modality": series.modality,
        "images": series.instance_count,
        "pictured": pictured,
    }


@form_page
def hold(request: HttpRequest, public_id: str) -> HttpResponse:
    """The holds in force, and a new one. Raises NotAllowed, StudyNotFound."""
    actor, at = actor_of(request), timezone.now()
    study = study_to_hold(actor, public_id=public_id, at=at)
    form = WordsForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        place_hold(actor, public_id=public_id, reason=form.cleaned_data["words"], at=at)
        messages.success(request, "The study is on legal hold.")
        return redirect("web:study", public_id=public_id)
    status = 422 if form.is_bound else 200
    context = {"form": form, **_about(study)}
    return render(request, "web/removal/hold.html", context, status=status)


@form_page
def lift(request: HttpRequest, public_id: str, hold_id: str) -> HttpResponse:
    """Say why a hold ends. Raises NotAllowed, StudyNotFound, HoldNotFound."""
    actor, at = actor_of(request), timezone.now()
    study = study_to_hold(actor, public_id=public_id, at=at)
    held = next((each for each in holds_on(study) if each.public_id == hold_id), None)
    if held is None:
        raise HoldNotFound()
    form = WordsForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        why = form.cleaned_data["words"]
        lift_hold(actor, public_id=public_id, hold_id=hold_id, why=why, at=at)
        messages.success(request, "The hold is lifted.")
        return redirect("web:study", public_id=public_id)
    status = 422 if form.is_bound else 200
    context = {"form": form, "hold": held, **_about(study)}
    return render(request, "web/removal/lift.html", context, status=status)


def _about(study: Any) -> dict[str, Any]:
    return {
        "study": study,
        "patient": study.patient,
        "title": present.title_of(study),
        "holds": holds_on(study),
        "keep_days": settings.REJECTED_KEEP_DAYS,
    }


def _losing(study: Any, at: datetime) -> list[Any]:
    """The organizations and people that a live share names."""
    grants = shares_of_study(
        custodian_id=study.organization_id,
        patient_id=study.patient_id,
        study_uid=study.study_uid,
        at=at,
    )
    named = (grant.organization or grant.user for grant in grants)
    return list(dict.fromkeys(str(each) for each in named))
