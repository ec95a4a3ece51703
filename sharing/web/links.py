"""Links: making one, those of the organization with what became of them, ending one."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from sharing.access.errors import NotCovered, ShareInvalid, ShareWidens
from sharing.access.rules import FOREVER
from sharing.access.services import Preview
from sharing.archive.services.showing import studies_to_share
from sharing.exchange.rules import in_groups
from sharing.exchange.services import (
    LinkWanted,
    Made,
    links_made,
    make_link,
    preview_link,
    revoke_link,
)
from sharing.kernel.purposes import Action
from sharing.tenants.services import Actor

from . import present, qr
from .doors import actor_of
from .forms.links import FOR, MAY, LinkForm

MOST_STUDIES = 50
MOST_LINES = 200
LONGEST = FOREVER - timedelta(days=1)
CHIPS = {  # state -> word, icon, class
    "open": ("Open", "check-lg", "c-ok"),
    "waiting": ("Not yet", "hourglass-split", "c-wait"),
    "used_up": ("Used up", "check2-all", ""),
    "expired": ("Ended", "clock", ""),
    "revoked": ("Revoked", "x-lg", "c-no"),
}


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Give a link to studies. The link and its code are shown this once.

    Raises NotAllowed, StudyNotFound.
    """
    actor, at = actor_of(request), timezone.now()
    studies = _studies(request, actor, at)
    form = LinkForm(request.POST or None, at=at)
    foreseen = _foreseen(form, studies, actor, at)
    if form.is_bound and form.is_valid() and foreseen["possible"]:
        form.keep_inside(foreseen["latest"])
        made = _made(form, studies, actor, at) if form.is_valid() else None
        if made is not None:
            return _shown_once(request, made, studies)
    context = {
        "form": form,
        "studies": studies,
        "titles": [(study, present.title_of(study)) for study in studies],
        "patients": {study.patient_id: study.patient for study in studies},
        "patient": studies[0].patient,
        "for_whom": FOR,
        "may": MAY,
        **foreseen,
    }
    return render(request, "web/links/new.html", context, status=422 if form.is_bound else 200)


@require_POST
def preview(request: HttpRequest) -> HttpResponse:
    """Whether consents carry the link as it is filled in. Raises as `new` does."""
    actor, at = actor_of(request), timezone.now()
    form = LinkForm(request.POST, at=at)
    form.is_valid()
    foreseen = _foreseen(form, _studies(request, actor, at), actor, at)
    return render(request, "web/links/_preview.html", {"form": form, "live": True, **foreseen})


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """The links that the organization gave, and those to what it holds. Raises NotAllowed."""
    actor, at = actor_of(request), timezone.now()
    found = links_made(actor)[:MOST_LINES]
    lines = [_line(link, actor, at) for link in found]
    return render(request, "web/links/list.html", {"links": lines})


@require_POST
def revoke(request: HttpRequest, public_id: str) -> HttpResponse:
    """End a link at once. Raises NotAllowed, LinkNotFound."""
    revoke_link(public_id=public_id, by=actor_of(request), at=timezone.now())
    messages.success(request, "The link ended. Whoever had it open lost sight at once.")
    return redirect("web:links")


def _studies(request: HttpRequest, actor: Actor, at: datetime) -> list[Any]:
    asked = request.POST if request.method == "POST" else request.GET
    return studies_to_share(actor, asked.getlist("study")[:MOST_STUDIES], at=at)


def _foreseen(form: LinkForm, studies: Sequence[Any], actor: Actor, at: datetime) -> dict[str, Any]:
    """Asked with a link that would never end: the consents set the limit."""
    previews = preview_link(
        [study.subject for study in studies],
        purpose=form.for_purpose,
        until=LONGEST,
        by=actor.organization_id,
        at=at,
        actions=form.actions,
    )
    ends = [each.after.basis.until for each in previews if each.after.basis.until]
    soonest = min(ends, default=None)
    return {
        "possible": all(each.after.allowed for each in previews),
        "count": len(studies),
        "download": Action.DOWNLOAD in form.actions,
        "latest": soonest if soonest is not None and soonest < LONGEST else None,
        "carriers": sorted({each.after.basis.consent for each in previews if each.after.allowed}),
        "lacking": _lacking(previews, studies),
    }


def _lacking(previews: Sequence[Preview], studies: Sequence[Any]) -> list[tuple[str, Any, str]]:
    return [
        (present.title_of(study), study.study_date, each.missing)
        for study, each in zip(studies, previews, strict=True)
        if each.missing
    ]


def _made(form: LinkForm, studies: Sequence[Any], actor: Actor, at: datetime) -> Made | None:
    data = form.cleaned_data
    wanted = LinkWanted(
        purpose=form.for_purpose,
        until=data["until"],
        not_before=data["not_before"],
        uses=data["uses"],
        actions=form.actions,
        note=data["note"],
        code=data["code"],
    )
    try:
        return make_link(
            subjects=[study.subject for study in studies], wanted=wanted, by=actor, at=at
        )
    except (NotCovered, ShareInvalid, ShareWidens) as error:
        form.add_error(None, str(error))
        return None


def _shown_once(request: HttpRequest, made: Made, studies: Sequence[Any]) -> HttpResponse:
    """After the fragment nothing is ever sent to a server: no log and no proxy sees the secret."""
    address = f"{settings.PUBLIC_URL}{reverse('web:open-link')}#{made.secret}"
    context = {
        "link": made.link,
        "address": address,
        "qr": qr.svg(address),
        "code": in_groups(made.code),
        "studies": studies,
        "titles": [(study, present.title_of(study)) for study in studies],
    }
    response = render(request, "web/links/made.html", context)
    response["Cache-Control"] = "no-store"
    return response


def _line(link: Any, actor: Actor, at: datetime) -> dict[str, Any]:
    """A link in the list; of patients the custodian's own people read the name."""
    state = link.state_at(at)
    word, icon, kind = CHIPS[state]
    share = link.share
    own = share.custodian_id == actor.organization_id
    grants = list(share.grants.all())
    return {
        "link": link,
        "share": share,
        "word": word,
        "icon": icon,
        "kind": kind,
        "alive": state in ("open", "waiting", "used_up"),
        "count": len(grants),
        "download": any(Action.DOWNLOAD in grant.action_set for grant in grants),
        "patients": list({g.patient_id: g.patient for g in grants}.values()) if own else [],
        "for_whom": {purpose.value: word for purpose, word, _ in FOR}.get(share.purpose, ""),
    }
