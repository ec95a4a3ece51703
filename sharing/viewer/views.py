"""The viewer's two doors: the page of a study, and the pulse that asks whether it may be seen."""

from base64 import b64encode
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from sharing.access.obligations import asked_of_reader
from sharing.archive.errors import StudyNotFound
from sharing.archive.services.finding import Found, open_study, still_allowed
from sharing.archive.services.locating import mark_of
from sharing.archive.services.looking import VIEWER, note
from sharing.archive.services.painting import first_paint, middle_syntaxes
from sharing.archive.services.remembering import remember_opening
from sharing.kernel.purposes import Action, Obligation
from sharing.tenants.services import Actor, Role
from sharing.viewer import pages
from sharing.viewer.assets import viewer_assets
from sharing.viewer.doors import actor_of

CSP = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; "
    "connect-src 'self'; img-src 'self' data: blob:; style-src 'self'; font-src 'self'; "
    "frame-ancestors 'self'; base-uri 'none'; form-action 'none'"
)
"""Decoders are WebAssembly. Workers take the policy of their own file: portal/static_headers.py."""


@require_safe
def study_view(request: HttpRequest, public_id: str) -> HttpResponse:
    """The viewer of one study; the opening is in the access log before the page leaves.

    Raises NoActor for a stranger, StudyNotFound for what is absent or hidden.
    """
    actor = actor_of(request)
    found = open_study(
        actor,
        public_id=public_id,
        at=timezone.now(),
        action=Action.IMAGES,
        request_id=getattr(request, "request_id", ""),
    )
    remember_opening(actor, found.study, at=timezone.now())
    response = render(request, "viewer/study.html", _shown(actor, found, public_id))
    response["Content-Security-Policy"] = CSP
    response["Cache-Control"] = "no-store"
    return response


def _shown(actor: Actor, found: Found, public_id: str) -> dict[str, Any]:
    """What the page says, and what it gives to its script."""
    lines = pages.lines_of(found.study, middle_syntaxes(found.study))
    first = pages.first_of(lines)
    mark = mark_of(actor, found.decision, timezone.now())
    assets = viewer_assets()
    return {
        "study": found.study,
        "title": pages.title_of(found.study),
        "decision": found.decision,
        "asks": asked_of_reader(found.decision.obligations),
        "mark": mark,
        "lines": lines,
        "first": first,
        "painted": _painted(found.study, first, mark),
        "data": {
            **pages.script_data(found.study, lines, reverse("viewer:pulse", args=[public_id])),
            "decoders": assets.decoders if assets else {},
            "may": _may(actor, found, mark),
            **_doors(actor, found.study),
        },
        "assets": assets,
        "back": _back(actor, public_id),
    }


@require_safe
def pulse(request: HttpRequest, public_id: str) -> HttpResponse:
    """204 while the study's images may be seen; the open viewer asks every second.

    401 once signed out; raises StudyNotFound once access ended: the viewer then blanks.
    """
    if getattr(request, "actor", None) is None and not getattr(request, "link_ended", False):
        return HttpResponse(status=401, headers={"Cache-Control": "no-store"})
    actor, at = actor_of(request), timezone.now()
    if not still_allowed(actor, public_id=public_id, at=at):
        raise StudyNotFound()
    note(actor, public_id=public_id, kind=VIEWER, at=at)
    return HttpResponse(status=204, headers={"Cache-Control": "no-store"})


def _painted(study: Any, first: pages.SeriesLine | None, mark: str) -> str:
    """The middle image of the first series as a data URI: it comes with the page, before scripts.

    Blank where it would keep the page waiting; the address of the picture stands for it then.
    """
    if first is None or first.middle is None:
        return ""
    series = study.series.get(series_uid=first.uid)
    made = first_paint(series=series, frame=first.middle.frame, mark=mark)
    return f"data:image/jpeg;base64,{b64encode(made).decode()}" if made else ""


def _may(actor: Actor, found: Found, mark: str) -> dict[str, bool]:
    """What may be offered of objects that hold no picture; the doors decide again."""
    study, now = found.study.public_id, timezone.now()
    bare = not mark and Obligation.NO_DOWNLOAD not in found.decision.obligations
    allowed = still_allowed(actor, public_id=study, at=now, action=Action.DOWNLOAD)
    return {"documents": bare, "download": bare and allowed}


def _doors(actor: Actor, study: Any) -> dict[str, Any]:
    """Where the script finds notes and earlier studies, and whether the house is the reader's."""
    names = ("notes", "earlier")
    found = {name: reverse(f"viewer:{name}", args=[study.public_id]) for name in names}
    return found | {"own": study.organization_id == actor.organization_id}


def _back(actor: Actor, public_id: str) -> str:
    """Where closing leads: who came by a link has a page of their own."""
    by_link = Role.BEARER in actor.roles
    return reverse("web:opened-study" if by_link else "web:study", args=[public_id])
