"""Sharing studies, and sharing them on: with whom it is possible, what it changes, ending it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from sharing.access.errors import NotCovered, ShareInvalid, ShareWidens
from sharing.access.rules import FOREVER
from sharing.access.services import (
    Preview,
    facts_on_file,
    preview_share,
    revoke_share,
    share,
    shares_made,
)
from sharing.archive.services.showing import (
    patient_in_sight,
    patients_studies_to_share,
    studies_to_share,
)
from sharing.tenants.services import (
    Actor,
    Duty,
    organization_options,
    physicians_mail,
    require,
    teams_that_treat,
    treating_members,
    treating_people,
)

from . import present, words
from .doors import actor_of
from .forms.share import ALL, MAY, THESE, ShareForm

MOST_STUDIES = 50
LONGEST = FOREVER - timedelta(days=1)


@dataclass(frozen=True)
class Partner:
    """An organization of the region, and whether the consents carry a share with it."""

    organization: Any
    previews: list[Preview]
    standing: bool = False

    @property
    def possible(self) -> bool:
        """Whether every study may be shared with it; of a patient's studies to come, one now."""
        covered = [preview.after.allowed for preview in self.previews]
        return any(covered) if self.standing else all(covered)

    @property
    def reason(self) -> str:
        """Why not."""
        return next(each.missing for each in self.previews if not each.after.allowed)

    @property
    def latest(self) -> datetime | None:
        """When the first of the consents that carry it ends; None when none of them does."""
        ends = [p.after.basis.until for p in self.previews if p.after.basis.until]
        soonest = min(ends, default=None)
        return soonest if soonest is not None and soonest < LONGEST else None


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Share studies, or all of a patient's. Raises NotAllowed, StudyNotFound."""
    actor, at = actor_of(request), timezone.now()
    asked = request.GET
    if request.method != "POST" and not (asked.getlist("study") or asked.get("patient")):
        require(actor, Duty.SHARE)
        messages.warning(request, "Choose at least one study, then share.")
        return redirect(f"{reverse('web:studies')}?own=1")
    chosen_studies = _studies(request, actor, at)
    form = _form(request, actor, at)
    studies = _meant(form, chosen_studies, actor, at)
    partners = _partners(form, actor, studies, at)
    form.suggest([each.latest for each in partners if each.possible])
    chosen = _checked(form, partners, studies, actor, at)
    if form.is_bound and form.is_valid() and _shared(form, actor, studies, at):
        messages.success(request, _done(studies, form))
        return redirect("web:study", public_id=studies[0].public_id)
    context = {
        "form": form,
        "studies": chosen_studies,
        "titles": [(study, present.title_of(study)) for study in chosen_studies],
        "patients": {study.patient_id: study.patient for study in chosen_studies},
        "patient": chosen_studies[0].patient,
        "custodian": chosen_studies[0].organization,
        "partners": partners,
        "may": MAY,
        "strongest": [each for each in form.actions if each in {m[0] for m in MAY}][-1],
        **_foreseen(form, chosen, studies),
    }
    return render(request, "web/shares/new.html", context, status=422 if form.is_bound else 200)


@require_POST
def preview(request: HttpRequest) -> HttpResponse:
    """What the share would change, as far as it is filled in. Raises as `new` does."""
    actor, at = actor_of(request), timezone.now()
    form = _form(request, actor, at)
    studies = _meant(form, _studies(request, actor, at), actor, at)
    chosen = _checked(form, _partners(form, actor, studies, at), studies, actor, at)
    context = {"form": form, "studies": studies, **_foreseen(form, chosen, studies)}
    return render(request, "web/shares/_preview.html", {**context, "live": True})


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """The living shares that the organization made, or of what it holds. Raises NotAllowed."""
    actor, at = actor_of(request), timezone.now()
    shares = list(shares_made(actor, at=at)[:MOST_LINES])
    context = {
        "shares": [share_line(each, actor) for each in shares],
        "may_renew": actor.may(Duty.SHARE),
    }
    return render(request, "web/shares/list.html", context)


@require_POST
def end(request: HttpRequest, public_id: str) -> HttpResponse:
    """End a share at once. Raises NotAllowed, ShareNotFound."""
    ended = revoke_share(public_id=public_id, by=actor_of(request), at=timezone.now())
    on = f" {words.span(ended - 1, 'line')} shared on ended with it." if ended > 1 else ""
    messages.success(request, f"The share ended. They lost sight at once.{on}")
    return redirect("web:shares")


MOST_LINES = 200
A_LINK = "Whoever has a link"


def share_line(made: Any, actor: Actor) -> dict[str, Any]:
    """A share in a list; of patients the custodian's own people read the name."""
    grants = [grant for grant in made.grants.all() if grant.revoked_at is None]
    own = made.custodian_id == actor.organization_id
    return {
        "share": made,
        "whom": (made.to_user or made.to_team or made.to_organization or A_LINK),
        "inside": bool(made.to_user or made.to_team),
        "patients": list({g.patient_id: g.patient for g in grants}.values()) if own else [],
        "count": sum(bool(grant.study_uid) for grant in grants),
        "standing": any(not grant.study_uid for grant in grants),
        "until": max((grant.ends_at for grant in grants), default=None),
        "review": min((g.review_by for g in grants if g.review_by), default=None),
        "onward": (made.shared_for_id or made.custodian_id) != made.custodian_id,
    }


def _studies(request: HttpRequest, actor: Actor, at: datetime) -> list[Any]:
    """Those that were chosen; a patient stands for all that may be shared of them."""
    asked = request.POST if request.method == "POST" else request.GET
    if asked.get("patient"):
        patient = patient_in_sight(actor, public_id=asked["patient"], at=at)
        found = patients_studies_to_share(actor, [patient], at=at)
        return studies_to_share(actor, [each.public_id for each in found], at=at)
    return studies_to_share(actor, asked.getlist("study")[:MOST_STUDIES], at=at)


def _meant(form: ShareForm, chosen: list[Any], actor: Actor, at: datetime) -> list[Any]:
    """The chosen studies, or all of their patients' where those that come are meant too."""
    if not form.standing:
        return chosen
    patients = {study.patient_id: study.patient for study in chosen}
    return patients_studies_to_share(actor, patients.values(), at=at)


def _form(request: HttpRequest, actor: Actor, at: datetime) -> ShareForm:
    initial = {"what": ALL if request.GET.get("patient") else THESE}
    return ShareForm(
        request.POST or None,
        organizations=organization_options(without=actor.organization_id),
        people=treating_people(without=actor.organization_id),
        teams=teams_that_treat(without=actor.organization_id),
        at=at,
        initial=initial,
    )


def _partners(form: ShareForm, actor: Actor, studies: Sequence[Any], at: datetime) -> list[Partner]:
    """Every organization, asked with a share that would never end: the consents set the limit."""
    subjects = [study.subject for study in studies]
    facts = facts_on_file(subjects)
    custodians = {study.organization_id for study in studies}
    options = organization_options(without=actor.organization_id)
    return [
        Partner(
            organization,
            preview_share(
                subjects=subjects,
                to=organization,
                purpose=form.for_purpose,
                until=LONGEST,
                by=actor.organization_id,
                at=at,
                actions=form.actions,
                facts=facts,
            ),
            form.standing,
        )
        for organization in options.exclude(pk__in=custodians)
    ]


def _checked(
    form: ShareForm,
    partners: Sequence[Partner],
    studies: Sequence[Any],
    actor: Actor,
    at: datetime,
) -> Partner | None:
    """The chosen partner; what the consents do not carry stands beside its field as an error."""
    if not form.is_bound:
        return None
    form.is_valid()
    to = form.cleaned_data.get("to")
    chosen = next((each for each in partners if each.organization == to), None)
    if chosen is None:
        return None
    if form.who is not None or form.team is not None:
        chosen = _for_some(form, chosen, studies, actor.organization_id, at)
    if not chosen.possible:
        form.add_error("to", f"{chosen.reason}. Nobody gained access.")
        return chosen
    form.keep_inside(chosen.latest)
    return chosen


def _for_some(
    form: ShareForm, partner: Partner, studies: Sequence[Any], by: int, at: datetime
) -> Partner:
    """The same organization, asked for the one person or department there."""
    previews = preview_share(
        subjects=[study.subject for study in studies],
        to=partner.organization,
        purpose=form.for_purpose,
        until=LONGEST,
        by=by,
        at=at,
        actions=form.actions,
        person=form.who,
        team=form.team,
    )
    return Partner(partner.organization, previews, partner.standing)


def _shared(form: ShareForm, actor: Actor, studies: Sequence[Any], at: datetime) -> bool:
    data = form.cleaned_data
    try:
        share(
            subjects=[study.subject for study in studies],
            to=data["to"],
            purpose=form.for_purpose,
            until=data["until"],
            note=data["note"],
            by=actor,
            at=at,
            actions=form.actions,
            person=form.who,
            team=form.team,
            standing=form.standing,
        )
    except (NotCovered, ShareInvalid, ShareWidens) as error:
        form.add_error(None, str(error))
        return False
    return True


def _foreseen(form: ShareForm, chosen: Partner | None, studies: Sequence[Any]) -> dict[str, Any]:
    """Whom it reaches, what is new to them, what is missing, and the words of the button."""
    if chosen is None:
        return {"chosen": None, "label": _label("", None, len(studies))}
    until = form.cleaned_data.get("until")
    covered = [preview for preview in chosen.previews if preview.after.allowed]
    already = [p for p in covered if p.before.allowed]
    carriers = sorted({p.after.basis.consent for p in covered if p.after.basis.consent})
    by_uid = {study.subject.study_uid: study for study in studies}
    some = form.who or form.team
    name = some.name if some else chosen.organization.name
    meant = treating_members(form.team) if form.team else physicians_mail(chosen.organization.pk)
    return {
        "chosen": chosen,
        "person": form.who,
        "team": form.team,
        "people": meant.count(),
        "new_studies": len(covered) - len(already),
        "already": len(already),
        "until": until,
        "carriers": carriers,
        "standing": form.standing,
        "lacking": [
            (present.title_of(by_uid[p.subject.study_uid]), p.subject.study_date, p.missing)
            for p in chosen.previews
            if p.missing
        ],
        "label": _label(name if some else name.split(" ", 1)[0], until, len(studies)),
    }


def _label(name: str, until: datetime | None, count: int) -> str:
    """`Share with Hilltop until 22 Feb`: what the press will do."""
    what = "Share" if count == 1 else f"Share {count} studies"
    whom = f" with {name}" if name else ""
    end = f" until {words.day(until).rsplit(' ', 1)[0]}" if until else ""
    return f"{what}{whom}{end}"


def _done(studies: Sequence[Any], form: ShareForm) -> str:
    data = form.cleaned_data
    what = words.span(len(studies), "study", "studies")
    whom = (form.who or form.team or data["to"]).name
    return f"{what} shared with {whom} until {words.day(data['until'])}."
