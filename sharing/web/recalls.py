"""Recalls of copies: the custodian's list, and the page on which a recipient answers."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from sharing.notify.errors import RecallInvalid
from sharing.notify.recalls import (
    answer_recall,
    copies_seen,
    may_answer,
    recall_seen,
    recalls_made,
    recalls_received,
)
from sharing.notify.rules import ANSWERED_WITHIN, RecallEvent, state_of
from sharing.tenants.services import Actor, Duty

from .doors import actor_of
from .forms.recalls import AnswerForm

MOST = 200
CHIPS = {  # state -> word, icon, class
    "waiting": ("Waiting", "hourglass-split", "c-wait"),
    "destroyed": ("Destroyed", "check-lg", "c-ok"),
    "kept": ("Kept", "lock", "c-info"),
    "closed": ("Closed", "check-lg", ""),
}


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """What we recall, and what is recalled from us."""
    actor, at = actor_of(request), timezone.now()
    may_make = actor.may(Duty.READ_LOG) or actor.may(Duty.RECORD_CONSENT)
    made = [_line(each, actor, at) for each in recalls_made(actor)[:MOST]] if may_make else []
    context = {
        "may_make": may_make,
        "made": made,
        "waiting": sum(line["recall"].state == "waiting" for line in made),
        "received": [_line(each, actor, at) for each in recalls_received(actor)[:MOST]],
    }
    return render(request, "web/recalls/list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def show(request: HttpRequest, public_id: str) -> HttpResponse:
    """One recall; POST answers it. Raises RecallNotFound, NotNow."""
    actor, at = actor_of(request), timezone.now()
    form = AnswerForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        event = RecallEvent(said["event"])
        try:
            answer_recall(public_id=public_id, event=event, why=said["why"], by=actor, at=at)
        except RecallInvalid as error:
            form.add_error("why", str(error))
        else:
            messages.success(request, "Recorded.")
            return redirect("web:recall", public_id=public_id)
    recall = recall_seen(actor, public_id=public_id)
    copies = copies_seen(actor, recall)
    context = {
        "recall": recall,
        "line": _line(recall, actor, at),
        "copies": copies,
        "said": _said(copies),
        "ours": recall.custodian_id == actor.organization_id,
        "answers": may_answer(actor, recall),
        "form": form,
    }
    status = 422 if form.is_bound else 200
    return render(request, "web/recalls/show.html", context, status=status)


def _said(copies: Iterable[Any]) -> list[Any]:
    """Each answer once: who answers for several copies says it of all of them."""
    said = {(copy.answered_by, copy.answered_at, copy.state): copy for copy in copies}
    return [copy for copy in said.values() if copy.answered_at]


def _line(recall: Any, actor: Actor, at: datetime) -> dict[str, Any]:
    """How it stands with the copies that the actor knows of."""
    copies = copies_seen(actor, recall)
    state = state_of(copy.state for copy in copies) if copies else recall.state
    word, icon, kind = CHIPS[state]
    if state == "waiting":
        day = (at - recall.asked_at).days + 1
        word = "Overdue" if at > recall.due_at else word
        word = f"{word}, day {day} of {ANSWERED_WITHIN.days}"
        kind = "c-no" if at > recall.due_at else kind
    answered = sum(copy.count for copy in copies if copy.answered_at) if state == "waiting" else 0
    return {
        "recall": recall,
        "word": word,
        "icon": icon,
        "kind": kind,
        "count": sum(copy.count for copy in copies),
        "answered": answered,
    }
