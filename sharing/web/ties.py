"""Referrals, consults and transfers of a patient: recorded and ended by the custodian's people."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from sharing.access.errors import TieInvalid, TieNotFound
from sharing.access.services import Kind, Tie, end_tie, kinds_of, record_tie, ties_of
from sharing.archive.sensing import plain
from sharing.archive.services.finding import find_studies
from sharing.identity.services import own_patient
from sharing.tenants.errors import NotAllowed
from sharing.tenants.services import (
    Actor,
    organization_options,
    region_settings,
    treating_people,
)

from . import present, words
from .doors import actor_of
from .forms.removal import WordsForm
from .forms.ties import NAMES, TieForm, title

MOST_STUDIES = 200
form_page = require_http_methods(["GET", "HEAD", "POST"])


@form_page
def of_patient(request: HttpRequest, public_id: str) -> HttpResponse:
    """What is on file, and a new one. Raises NotAllowed, PatientNotFound."""
    actor, at = _recorder(request), timezone.now()
    patient = own_patient(actor, public_id=public_id)
    studies = list(find_studies(actor, at=at, own=True, patient=public_id)[:MOST_STUDIES])
    people = treating_people(without=actor.organization_id)
    form = _form(request, actor, studies, people, at)
    if request.method == "POST" and form.is_valid():
        try:
            record_tie(tie=_tie(form, patient, studies), by=actor, at=at)
        except TieInvalid as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, "It is on file.")
            return redirect("web:ties", public_id=public_id)
    rows = [_row(tie, studies, kinds_of(actor), at) for tie in ties_of(actor, patient=patient)]
    context = {
        "form": form,
        "patient": patient,
        "holding": [row for row in rows if row["open"]],
        "over": [row for row in rows if not row["open"]],
        "opens": region_settings().implied,
        "named": _named(studies, people, request.GET.get("study", "")),
        "chosen": form["kind"].value(),
    }
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "web/ties/list.html", context, status=status)


@form_page
def end(request: HttpRequest, public_id: str, tie_id: str) -> HttpResponse:
    """Say why it is over. Raises NotAllowed, PatientNotFound, TieNotFound."""
    actor, at = _recorder(request), timezone.now()
    patient = own_patient(actor, public_id=public_id)
    held = ties_of(actor, patient=patient).filter(kind__in=kinds_of(actor), public_id=tie_id)
    tie = held.first()
    if tie is None:
        raise TieNotFound()
    form = WordsForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            end_tie(public_id=tie_id, why=form.cleaned_data["words"], by=actor, at=at)
        except TieInvalid as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, "It has ended.")
            return redirect("web:ties", public_id=public_id)
    context = {"form": form, "patient": patient, "tie": tie, "name": NAMES[Kind(tie.kind)][0]}
    context["opens"] = region_settings().implied
    status = 422 if form.is_bound else 200
    return render(request, "web/ties/end.html", context, status=status)


def _recorder(request: HttpRequest) -> Actor:
    actor = actor_of(request)
    if not kinds_of(actor):
        raise NotAllowed()
    return actor


def _form(
    request: HttpRequest, actor: Actor, studies: Sequence[Any], people: Sequence[Any], at: datetime
) -> TieForm:
    return TieForm(
        request.POST or None,
        kinds=kinds_of(actor),
        studies=[title(study, present.title_of(study)) for study in studies],
        organizations=organization_options(without=actor.organization_id),
        people=people,
        at=at,
        initial={"study": request.GET.get("study", "")},
    )


def _tie(form: TieForm, patient: Any, studies: Sequence[Any]) -> Tie:
    said = form.cleaned_data
    uids = {study.public_id: study.study_uid for study in studies}
    return Tie(
        kind=Kind(said["kind"]),
        patient=patient,
        organization=said["organization"],
        person=said["who"],
        study_uid=uids.get(said["study"], ""),
        until=said["until"],
        reason=said["reason"],
    )


def _named(studies: Sequence[Any], people: Sequence[Any], chosen: str) -> list[dict[str, Any]]:
    """Whom the studies name as referrer, and who in the region has such a name: to be checked."""
    known = [(set(plain(row.user.name).split()), row) for row in people]
    found = []
    for study in studies:
        if study.referring_physician and chosen in ("", study.public_id):
            parts = set(plain(words.latin_name(study.referring_physician)).split())
            alike = [row for name, row in known if len(parts & name) > 1]
            found.append({"study": study, "name": study.referring_physician, "alike": alike})
    return found[:5]


def _row(tie: Any, studies: Sequence[Any], kinds: Sequence[Kind], at: datetime) -> dict[str, Any]:
    about = next((each for each in studies if each.study_uid == tie.study_uid), None)
    still = tie.ends_at > at
    return {
        "tie": tie,
        "name": NAMES[Kind(tie.kind)][0],
        "about": present.title_of(about) if about else "",
        "study": about,
        "open": still,
        "may_end": still and tie.kind in kinds,
    }
