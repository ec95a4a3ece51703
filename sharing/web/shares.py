"""Sharing own studies: with whom it is possible, what it changes, and doing it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from sharing.access.errors import NotCovered, ShareInvalid
from sharing.access.rules import FOREVER, Rule
from sharing.access.services import Preview, preview_share, share
from sharing.archive.services.showing import own_studies_to_share
from sharing.kernel.purposes import Purpose
from sharing.tenants.services import (
    Actor,
    Duty,
    organization_options,
    physicians_mail,
    require,
)

from . import present, words
from .doors import actor_of
from .forms.share import ShareForm

MOST_STUDIES = 50
LONGEST = FOREVER - timedelta(days=1)


@dataclass(frozen=True)
class Partner:
    """An organization of the region, and whether the consents carry a share with it."""

    organization: Any
    previews: list[Preview]

    @property
    def possible(self) -> bool:
        """Whether every study may be shared with it."""
        return all(preview.after.allowed for preview in self.previews)

    @property
    def reason(self) -> str:
        """Why not."""
        refused = next(p.after for p in self.previews if not p.after.allowed)
        if refused.basis.rule == Rule.CONSENT_DENIES:
            return f"{refused.reason} ({refused.basis.consent})"
        if refused.basis.rule == Rule.IDENTITY_UNCERTAIN:
            return refused.reason
        return "No consent covers it"

    @property
    def latest(self) -> datetime | None:
        """When the first of the consents that carry it ends; None when none of them does."""
        ends = [p.after.basis.until for p in self.previews if p.after.basis.until]
        soonest = min(ends, default=None)
        return soonest if soonest is not None and soonest < LONGEST else None


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Share one or more own studies. Raises NotAllowed, StudyNotFound."""
    actor, at = actor_of(request), timezone.now()
    if request.method != "POST" and not request.GET.getlist("study"):
        require(actor, Duty.SHARE)
        messages.warning(request, "Choose at least one study, then share.")
        return redirect(f"{reverse('web:studies')}?own=1")
    studies = _studies(request, actor, at)
    partners = _partners(actor, studies, at)
    form = _form(request, actor, at)
    form.suggest([each.latest for each in partners if each.possible])
    chosen = _checked(form, partners)
    if form.is_bound and form.is_valid() and _shared(form, actor, studies, at):
        messages.success(request, _done(studies, form))
        return redirect("web:study", public_id=studies[0].public_id)
    context = {
        "form": form,
        "studies": studies,
        "titles": [(study, present.title_of(study)) for study in studies],
        "patients": {study.patient_id: study.patient for study in studies},
        "patient": studies[0].patient,
        "partners": partners,
        **_foreseen(form, chosen, studies, actor),
    }
    return render(request, "web/shares/new.html", context, status=422 if form.is_bound else 200)


@require_POST
def preview(request: HttpRequest) -> HttpResponse:
    """What the share would change, as far as it is filled in. Raises as `new` does."""
    actor, at = actor_of(request), timezone.now()
    studies = _studies(request, actor, at)
    form = _form(request, actor, at)
    chosen = _checked(form, _partners(actor, studies, at))
    context = {"form": form, "studies": studies, **_foreseen(form, chosen, studies, actor)}
    return render(request, "web/shares/_preview.html", {**context, "live": True})


def _studies(request: HttpRequest, actor: Actor, at: datetime) -> list[Any]:
    asked = (request.POST if request.method == "POST" else request.GET).getlist("study")
    return own_studies_to_share(actor, asked[:MOST_STUDIES], at=at)


def _form(request: HttpRequest, actor: Actor, at: datetime) -> ShareForm:
    options = organization_options(without=actor.organization_id)
    return ShareForm(request.POST or None, organizations=options, at=at)


def _partners(actor: Actor, studies: Sequence[Any], at: datetime) -> list[Partner]:
    """Every organization, asked with a share that would never end: the consents set the limit."""
    subjects = [study.subject for study in studies]
    return [
        Partner(
            organization,
            preview_share(
                subjects=subjects, to=organization, purpose=Purpose.TREATMENT, until=LONGEST, at=at
            ),
        )
        for organization in organization_options(without=actor.organization_id)
    ]


def _checked(form: ShareForm, partners: Sequence[Partner]) -> Partner | None:
    """The chosen partner; what the consents do not carry stands beside its field as an error."""
    if not form.is_bound:
        return None
    form.is_valid()
    to = form.cleaned_data.get("to")
    chosen = next((each for each in partners if each.organization == to), None)
    if chosen is None:
        return None
    if not chosen.possible:
        form.add_error("to", f"{chosen.reason}. Nobody gained access.")
        return chosen
    form.keep_inside(chosen.latest)
    return chosen


def _shared(form: ShareForm, actor: Actor, studies: Sequence[Any], at: datetime) -> bool:
    data = form.cleaned_data
    try:
        share(
            subjects=[study.subject for study in studies],
            to=data["to"],
            purpose=Purpose.TREATMENT,
            until=data["until"],
            note=data["note"],
            by=actor,
            at=at,
        )
    except (NotCovered, ShareInvalid) as error:
        form.add_error(None, str(error))
        return False
    return True


def _foreseen(
    form: ShareForm, chosen: Partner | None, studies: Sequence[Any], actor: Actor
) -> dict[str, Any]:
    """Whom it reaches, what is new to them, and the words of the button."""
    if chosen is None:
        return {"chosen": None, "label": _label("", None, len(studies))}
    until = form.cleaned_data.get("until")
    already = [p for p in chosen.previews if p.before.allowed]
    carriers = sorted({p.after.basis.consent for p in chosen.previews if p.after.basis.consent})
    return {
        "chosen": chosen,
        "people": physicians_mail(chosen.organization.pk).count(),
        "new_studies": len(chosen.previews) - len(already),
        "already": len(already),
        "until": until,
        "carriers": carriers,
        "label": _label(chosen.organization.name, until, len(studies)),
    }


def _label(name: str, until: datetime | None, count: int) -> str:
    """`Share with Hilltop until 22 Feb`: what the press will do."""
    what = "Share" if count == 1 else f"Share {count} studies"
    whom = f" with {name.split(' ', 1)[0]}" if name else ""
    end = f" until {words.day(until).rsplit(' ', 1)[0]}" if until else ""
    return f"{what}{whom}{end}"


def _done(studies: Sequence[Any], form: ShareForm) -> str:
    data = form.cleaned_data
    what = words.span(len(studies), "study", "studies")
    return f"{what} shared with {data['to'].name} until {words.day(data['until'])}."
