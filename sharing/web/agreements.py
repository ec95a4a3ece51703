"""Agreements between organizations: the operator keeps them, each side reads its own."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from sharing.kernel.purposes import Purpose
from sharing.tenants import services
from sharing.tenants.errors import AgreementInvalid, AgreementNotFound
from sharing.tenants.services import Actor, Duty

from .doors import actor_of
from .forms.agreements import AgreementForm
from .forms.removal import WordsForm
from .wording import and_list, modality_word

ROWS = 25
form_page = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """Those that concern the actor, newest first. Raises NotAllowed."""
    actor, at = actor_of(request), timezone.now()
    page = Paginator(services.agreements(actor), ROWS).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": [_row(agreement, at) for agreement in page],
        "may_record": actor.may(Duty.RECORD_AGREEMENT),
        "demanded": services.region_settings().agreements,
    }
    return render(request, "web/agreements/list.html", context)


@form_page
def new(request: HttpRequest) -> HttpResponse:
    """Record what two organizations signed. Raises NotAllowed."""
    actor, at = actor_of(request), timezone.now()
    services.require(actor, Duty.RECORD_AGREEMENT)
    form = AgreementForm(
        request.POST or None,
        request.FILES or None,
        organizations=services.organization_options(without=0),
    )
    if request.method == "POST" and form.is_valid():
        document = form.cleaned_data["document"]
        try:
            services.record_agreement(
                terms=form.terms, document=document, name=document.name, by=actor, at=at
            )
        except AgreementInvalid as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, "The agreement is on file.")
            return redirect("web:agreements")
    status = 422 if form.is_bound else 200
    return render(request, "web/agreements/new.html", {"form": form}, status=status)


@form_page
def end(request: HttpRequest, public_id: str) -> HttpResponse:
    """End one before its time. Raises NotAllowed, AgreementNotFound."""
    actor, at = actor_of(request), timezone.now()
    services.require(actor, Duty.RECORD_AGREEMENT)
    agreement = _one(actor, public_id)
    form = WordsForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        why = form.cleaned_data["words"]
        try:
            services.end_agreement(public_id=public_id, why=why, by=actor, at=at)
        except AgreementInvalid as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, "The agreement has ended.")
            return redirect("web:agreements")
    context = {
        "form": form,
        "row": _row(agreement, at),
        "demanded": services.region_settings().agreements,
    }
    status = 422 if form.is_bound else 200
    return render(request, "web/agreements/end.html", context, status=status)


def _one(actor: Actor, public_id: str) -> Any:
    found = services.agreements(actor).filter(public_id=public_id).first()
    if found is None:
        raise AgreementNotFound()
    return found


def _row(agreement: Any, at: datetime) -> dict[str, Any]:
    purposes = [each.words for each in Purpose if each in agreement.purpose_set]
    kinds = [modality_word(each.value) for each in agreement.modalities.all()]
    over, waits = agreement.ends_at <= at, at < agreement.starts_at
    chip = ("In force", "check-lg", "ok")
    if over:
        ended = agreement.ended_at is not None
        chip = ("Ended early", "x-lg", "no") if ended else ("Over", "clock", "")
    elif waits:
        chip = ("Not begun", "hourglass-split", "wait")
    return {
        "agreement": agreement,
        "purposes": and_list(purposes).capitalize(),
        "kinds": and_list(kinds) or "All kinds",
        "chip": chip,
        "open": not over,
    }
