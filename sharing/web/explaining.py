"""Why somebody may or may not do something with a study: the decision, replayed."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from sharing.archive.errors import StudyNotFound
from sharing.archive.services.explaining import Explained, Wanted, explain_study, may_explain
from sharing.archive.services.showing import peek
from sharing.tenants.services import Actor, treating_people

from . import present
from .doors import actor_of
from .forms.explaining import ExplainForm

NOBODY = -1


@require_safe
def show(request: HttpRequest, public_id: str) -> HttpResponse:
    """Raises StudyNotFound: absent, hidden, and not for this reader to ask are one answer."""
    actor, at = actor_of(request), timezone.now()
    request_id = str(getattr(request, "request_id", ""))
    study = peek(actor, public_id=public_id, at=at, request_id=request_id)
    about_others = may_explain(actor, study)
    people = treating_people(without=NOBODY) if about_others else []
    form = ExplainForm(request.GET or None, people=people)
    told = None
    if not form.is_bound or form.is_valid():
        told = _told(form, actor, public_id, at, request_id)
    context = {
        "study": study,
        "patient": study.patient,
        "title": present.title_of(study),
        "form": form,
        "about_others": about_others,
        "told": told,
        "unknown": form.is_bound and form.is_valid() and told is None,
        **(_words(told, actor) if told else {}),
    }
    return render(request, "web/studies/explain.html", context, status=200 if told else 422)


def _told(
    form: ExplainForm, actor: Actor, public_id: str, at: datetime, request_id: str
) -> Explained | None:
    """None where the person acted for nobody there at that moment, or not for that purpose."""
    if not form.is_bound:
        form.cleaned_data = {}
    code, person = form.whom
    wanted = Wanted(form.action, form.moment(at), person, code, form.for_purpose)
    try:
        return explain_study(
            actor, public_id=public_id, wanted=wanted, at=at, request_id=request_id
        )
    except StudyNotFound:
        return None


def _words(told: Explained, actor: Actor) -> dict[str, Any]:
    decision = told.explanation.decision
    return {
        "allowed": decision.allowed,
        "who": told.actor,
        "does": told.wanted.action.words,
        "moment": told.wanted.moment,
        "purpose": told.actor.purpose.words,
        "ground": present.ground(decision),
        "consent": decision.basis.consent,
        "steps": told.explanation.steps,
        "ways": told.explanation.ways,
    }
