"""What ends soon, and letting it go on: shares, standing shares, consents; patients to be told."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from sharing.access.errors import NotCovered, ShareInvalid, ShareWidens
from sharing.access.services import (
    TOLD_HOW,
    actions_of,
    ask_renewal,
    own_share,
    preview_renewal,
    recertify,
    renew_share,
    shares_ending,
    shares_to_review,
    tell_patient,
    uses_to_tell,
)
from sharing.archive.services.gifts import share_in_sight, studies_to_renew
from sharing.consent.errors import ConsentInvalid, EvidenceInvalid, ProxyInvalid
from sharing.consent.services import amend_consent, consents_ending, own_consent, said_by
from sharing.tenants.errors import NotAllowed
from sharing.tenants.services import Actor, Duty, require

from . import present, words
from .doors import actor_of
from .forms.due import AgainForm, RenewForm, ToldForm
from .shares import LONGEST, share_line
from .wording import in_words, wording_of

MOST = 100
_STUDY = re.compile(r"/studies/[A-Za-z0-9_-]{1,40}/")


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """What ends within 30 days, by what the actor can do about it. Raises NotAllowed."""
    actor, at = actor_of(request), timezone.now()
    groups = counts_and_lists(actor, at)
    return render(request, "web/due/list.html", {**groups, "told_form": ToldForm(), "now": at})


def counts_and_lists(actor: Actor, at: datetime) -> dict[str, Any]:
    """The groups that concern the actor's duties; those of other duties are None."""
    shares, records = actor.may(Duty.SHARE), actor.may(Duty.RECORD_CONSENT)
    if not (shares or records):
        raise NotAllowed()
    return {
        "ending": _lines(shares_ending(actor, at=at)[:MOST], actor) if shares else None,
        "reviews": _lines(shares_to_review(actor, at=at)[:MOST], actor) if shares else None,
        "consents": _cards(actor, at) if records else None,
        "to_tell": list(uses_to_tell(actor)[:MOST]) if records else None,
    }


def how_many(actor: Actor, at: datetime) -> int:
    """How many lines the page has, for the word that leads to it."""
    return sum(len(group) for group in counts_and_lists(actor, at).values() if group)


@require_http_methods(["GET", "HEAD", "POST"])
def renew(request: HttpRequest, public_id: str) -> HttpResponse:
    """Let a share go on, inside the consent. Raises NotAllowed, ShareNotFound, NotNow."""
    actor, at = actor_of(request), timezone.now()
    made = own_share(actor, public_id=public_id)
    studies = studies_to_renew(actor, made, at=at)
    previews = preview_renewal(made, [study.subject for study in studies], at=at)
    covered = [each for each in previews if each.after.allowed]
    ends = [each.after.basis.until for each in covered if each.after.basis.until]
    soonest = min(ends, default=None)
    latest = soonest if soonest is not None and soonest < LONGEST else None
    form = RenewForm(request.POST or None, at=at, latest=latest)
    if form.is_bound and form.is_valid() and _renewed(form, made, studies, actor, at):
        until = words.day(form.cleaned_data["until"])
        messages.success(request, f"The share goes on until {until}.")
        return redirect("web:due")
    context = {
        "form": form,
        "line": share_line(made, actor),
        "latest": latest,
        "possible": bool(covered),
        "lacking": [
            (present.title_of(study), study.study_date, preview.missing)
            for study, preview in zip(studies, previews, strict=True)
            if preview.missing
        ],
        "studies": studies,
        "may": present.may_words(actions_of(made)),
    }
    status = 422 if form.is_bound else 200
    return render(request, "web/due/renew.html", context, status=status)


@require_POST
def certify(request: HttpRequest, public_id: str) -> HttpResponse:
    """A standing share is still needed. Raises NotAllowed, ShareNotFound, NotNow."""
    until = recertify(public_id=public_id, by=actor_of(request), at=timezone.now())
    messages.success(request, f"Still needed. You are asked again before {words.day(until)}.")
    return redirect("web:due")


@require_POST
def ask(request: HttpRequest, public_id: str) -> HttpResponse:
    """A grantee asks that a share goes on. Raises ShareNotFound, NotNow."""
    actor, at = actor_of(request), timezone.now()
    share_in_sight(actor, public_id=public_id, at=at)
    ask_renewal(public_id=public_id, by=actor, at=at)
    messages.success(request, "Asked. They are told, and you see here when it goes on.")
    return redirect(request.POST.get("next", "") if _is_study(request) else "web:home")


@require_http_methods(["GET", "HEAD", "POST"])
def again(request: HttpRequest, public_id: str) -> HttpResponse:
    """The patient says the same again: a new version. Raises NotAllowed, ConsentNotFound."""
    actor, at = actor_of(request), timezone.now()
    require(actor, Duty.RECORD_CONSENT)
    consent = own_consent(actor, public_id=public_id)
    form = AgainForm(request.POST or None, request.FILES or None, at=at)
    if form.is_bound and form.is_valid():
        made = _amended(form, consent, actor, at)
        if made is not None:
            messages.success(
                request, f"Consent {made.reference}, version {made.version}, holds now."
            )
            return redirect("web:consent", public_id=made.public_id)
    context = {
        "form": form,
        "consent": consent,
        "card": present.consent_card(consent, at=at),
        "patient": consent.patient,
        "sentence": in_words(wording_of(consent)),
    }
    status = 422 if form.is_bound else 200
    return render(request, "web/due/again.html", context, status=status)


@require_POST
def told(request: HttpRequest, public_id: str) -> HttpResponse:
    """The patient was told of a use. Raises NotAllowed, UseNotFound, NotNow."""
    form = ToldForm(request.POST)
    how = form.cleaned_data["how"] if form.is_valid() else ""
    tell_patient(public_id=public_id, how=how, by=actor_of(request), at=timezone.now())
    messages.success(request, f"Told: {TOLD_HOW[how].lower()}.")
    return redirect("web:due")


def _lines(shares: Iterable[Any], actor: Actor) -> list[dict[str, Any]]:
    return [share_line(each, actor) for each in shares]


def _cards(actor: Actor, at: datetime) -> list[Any]:
    return [present.consent_card(each, at=at) for each in consents_ending(actor, at=at)[:MOST]]


def _renewed(
    form: RenewForm, made: Any, studies: Sequence[Any], actor: Actor, at: datetime
) -> bool:
    subjects = [study.subject for study in studies]
    until = form.cleaned_data["until"]
    try:
        renew_share(public_id=made.public_id, subjects=subjects, until=until, by=actor, at=at)
    except (NotCovered, ShareInvalid, ShareWidens) as error:
        form.add_error(None, str(error))
        return False
    return True


def _amended(form: AgainForm, consent: Any, actor: Actor, at: datetime) -> Any:
    said = form.said_again(said_by(consent), consent.used)
    try:
        return amend_consent(consent=consent, said=said, by=actor, at=at)
    except EvidenceInvalid as error:
        form.add_error("evidence", str(error))
    except (ConsentInvalid, ProxyInvalid) as error:
        form.add_error(None, str(error))
    return None


def _is_study(request: HttpRequest) -> bool:
    """Back to the study that was looked at, and to no other place that a form may name."""
    return _STUDY.fullmatch(request.POST.get("next", "")) is not None
