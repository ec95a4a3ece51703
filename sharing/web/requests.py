"""Asking other organizations for a patient's studies; answering what they ask."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from sharing.access.asking import ANSWERED_WITHIN
from sharing.access.errors import AskedTooMuch, AskInvalid, NotCovered, ShareInvalid
from sharing.access.services import (
    approve_request,
    ask_access,
    my_requests,
    preview_share,
    refuse_request,
    request_to_answer,
    requests_to_answer,
    withdraw_request,
)
from sharing.archive.services.showing import patients_studies_to_share
from sharing.kernel.purposes import Purpose
from sharing.tenants.services import Actor, Duty, organization_options, require

from . import present
from .doors import actor_of
from .forms.asking import ApproveForm, AskForm, RefuseForm

MOST = 100
CHIPS = {  # state -> word, icon, class
    "asked": ("Waiting", "hourglass-split", "c-wait"),
    "approved": ("Approved", "check-lg", "c-ok"),
    "refused": ("Refused", "x-lg", "c-no"),
    "withdrawn": ("Withdrawn", "x-lg", ""),
    "expired": ("No answer", "clock", ""),
}


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """What I asked, and what waits for our answer. Raises NotAllowed."""
    actor, at = actor_of(request), timezone.now()
    require(actor, Duty.SHARE)
    context = {"mine": asked(actor, at), "waiting": list(requests_to_answer(actor, at=at)[:MOST])}
    return render(request, "web/requests/list.html", context)


def asked(actor: Actor, at: datetime, most: int = MOST) -> list[dict[str, Any]]:
    """The actor's own requests with their chips, also for the home page."""
    return [_line(each, at) for each in my_requests(actor)[:most]]


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Ask. The answer is the same whether or not there is such a patient. Raises NotAllowed."""
    actor, at = actor_of(request), timezone.now()
    require(actor, Duty.SHARE)
    options = organization_options(without=actor.organization_id)
    form = AskForm(request.POST or None, organizations=options)
    if form.is_bound and form.is_valid() and _asked(form, actor, at):
        messages.success(request, "Asked. They have 14 days to answer; you are told.")
        return redirect("web:requests")
    status = 422 if form.is_bound else 200
    return render(request, "web/requests/new.html", {"form": form}, status=status)


@require_safe
def answer(request: HttpRequest, public_id: str) -> HttpResponse:
    """One request that waits for our answer. Raises RequestNotFound."""
    actor, at = actor_of(request), timezone.now()
    return _page(request, actor, public_id, at, ApproveForm(at=at), RefuseForm())


@require_POST
def approve(request: HttpRequest, public_id: str) -> HttpResponse:
    """Share what the consents cover. Raises RequestNotFound."""
    actor, at = actor_of(request), timezone.now()
    form = ApproveForm(request.POST, at=at)
    wanted = request_to_answer(actor, public_id=public_id, at=at)
    if form.is_valid():
        until = form.cleaned_data["until"]
        previews = _previews(wanted, _studies(actor, wanted, at), until, at)
        subjects = [preview.subject for preview in previews if preview.after.allowed]
        try:
            approve_request(public_id=public_id, subjects=subjects, until=until, by=actor, at=at)
        except (AskInvalid, NotCovered, ShareInvalid) as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"Shared with {wanted.asked_by.name}.")
            return redirect("web:requests")
    return _page(request, actor, public_id, at, form, RefuseForm(), status=422)


@require_POST
def refuse(request: HttpRequest, public_id: str) -> HttpResponse:
    """Say no, and why. Raises RequestNotFound."""
    actor, at = actor_of(request), timezone.now()
    form = RefuseForm(request.POST)
    if form.is_valid():
        refuse_request(public_id=public_id, why=form.cleaned_data["why"], by=actor, at=at)
        messages.success(request, "Refused. They read your words.")
        return redirect("web:requests")
    return _page(request, actor, public_id, at, ApproveForm(at=at), form, status=422)


@require_POST
def withdraw(request: HttpRequest, public_id: str) -> HttpResponse:
    """I no longer need it. Raises RequestNotFound, NotNow."""
    withdraw_request(public_id=public_id, by=actor_of(request), at=timezone.now())
    messages.success(request, "Withdrawn.")
    return redirect("web:requests")


def _asked(form: AskForm, actor: Actor, at: datetime) -> bool:
    data = form.cleaned_data
    try:
        ask_access(**data, by=actor, at=at)
    except (AskInvalid, AskedTooMuch) as error:
        form.add_error(None, str(error))
        return False
    return True


def _studies(actor: Actor, wanted: Any, at: datetime) -> list[Any]:
    """What may be shared of the patient who was named; nothing where nobody was."""
    if wanted.patient is None:
        return []
    return patients_studies_to_share(actor, [wanted.patient], at=at)


def _previews(wanted: Any, studies: list[Any], until: datetime, at: datetime) -> list[Any]:
    """What the consents cover of these studies for the one who asked, in their order."""
    if not studies:
        return []
    return preview_share(
        subjects=[study.subject for study in studies],
        to=wanted.asked_for,
        purpose=Purpose(wanted.purpose),
        until=until,
        by=wanted.custodian_id,
        at=at,
        person=wanted.asked_by,
    )


def _page(
    request: HttpRequest,
    actor: Actor,
    public_id: str,
    at: datetime,
    approving: ApproveForm,
    refusing: RefuseForm,
    status: int = 200,
) -> HttpResponse:
    wanted = request_to_answer(actor, public_id=public_id, at=at)
    studies = _studies(actor, wanted, at)
    previews = _previews(wanted, studies, at + ANSWERED_WITHIN, at)
    context = {
        "wanted": wanted,
        "patient": wanted.patient,
        "lines": [
            (present.title_of(study), study.study_date, preview.missing)
            for study, preview in zip(studies, previews, strict=True)
        ],
        "possible": any(p.after.allowed for p in previews),
        "approving": approving,
        "refusing": refusing,
    }
    return render(request, "web/requests/answer.html", context, status=status)


def _line(each: Any, at: datetime) -> dict[str, Any]:
    waiting = each.state == "asked" and at < each.expires_at
    word, icon, kind = CHIPS["expired" if each.state == "asked" and not waiting else each.state]
    day = f", day {(at - each.asked_at).days + 1} of {ANSWERED_WITHIN.days}" if waiting else ""
    return {"request": each, "word": f"{word}{day}", "icon": icon, "kind": kind, "open": waiting}
