"""Whoever comes by a link: the landing page, the code, the studies, the images' copy.

The landing page says the same to everybody: the link's secret stands after the `#` of its address,
which no browser sends, so that neither a preview nor a log learns it. Only giving it with the code
does anything.
"""

from dataclasses import replace
from typing import Any

from allauth.core import ratelimit
from allauth.core.internal.ratelimit import get_ip
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.middleware.csrf import CsrfViewMiddleware, rotate_token
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import decorator_from_middleware
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from sharing.access.services import decide_one, gifts_for
from sharing.archive.errors import StudyNotFound
from sharing.archive.services.finding import open_study
from sharing.archive.services.locating import Where
from sharing.archive.services.retrieving import Watch, objects, open_images, ready
from sharing.archive.services.showing import show
from sharing.exchange.errors import LinkNotFound, ProofWrong, TriedTooOften
from sharing.exchange.services import Opening, open_link, studies_of
from sharing.kernel.purposes import Action
from sharing.kernel.zipped import zipped
from sharing.tenants.errors import NoActor
from sharing.tenants.services import Actor, Role

from . import present
from .forms.links import OpenForm
from .study import series_cards


class _ByToken(CsrfViewMiddleware):
    """Without a referrer a browser sends `Origin: null`; the token of the form still has to fit."""

    def _origin_verified(self, request: HttpRequest) -> bool:
        return True

    def _check_referer(self, request: HttpRequest) -> None:
        """There is none."""


by_token = decorator_from_middleware(_ByToken)


@csrf_exempt
@by_token
@require_http_methods(["GET", "HEAD", "POST"])
def land(request: HttpRequest) -> HttpResponse:
    """Asks for the code; the right one begins a visit, in a session of its own."""
    form = OpenForm(request.POST if request.method == "POST" else None)
    status = 200
    if request.method == "POST":
        status, opening = _tried(request, form)
        if opening is not None:
            return _begun(request, opening)
    return _quiet(render(request, "web/opened/land.html", {"form": form}, status=status))


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """What the link opens; of one study its page at once. Raises LinkNotFound."""
    actor, at = _bearer_of(request), timezone.now()
    found = studies_of(actor, at=at)
    if not found:
        return _over(request)
    if len(found) == 1:
        return _quiet(redirect("web:opened-study", public_id=found[0].public_id))
    shown = present.rows(show(actor, found, at=at), organization_id=actor.organization_id)
    rows = [replace(row, url=reverse("web:opened-study", args=[row.public_id])) for row in shown]
    return _quiet(render(request, "web/opened/list.html", {"studies": rows, "bearer": actor}))


@require_safe
def study(request: HttpRequest, public_id: str) -> HttpResponse:
    """One of its studies; opening it is in the access log before the page leaves."""
    actor, at = _bearer_of(request), timezone.now()
    try:
        opened = open_study(actor, public_id=public_id, at=at, request_id=_request_id(request))
    except StudyNotFound:
        if studies_of(actor, at=at):
            raise
        return _over(request)
    found = opened.study
    context = {
        "study": found,
        "patient": found.patient,
        "several": len(studies_of(actor, at=at)) > 1,
        "shares": _notes(actor, found, at),
        "downloads": decide_one(actor, Action.DOWNLOAD, found.subject, at=at).allowed,
        **series_cards(actor, found, at),
    }
    return _quiet(render(request, "web/opened/study.html", context))


@require_safe
def download(request: HttpRequest, public_id: str) -> HttpResponseBase:
    """Its images as they are stored, in one file, cut off within a second of an end: no image
    begins after it."""
    actor, at = _bearer_of(request), timezone.now()
    named = open_study(actor, public_id=public_id, at=at, request_id=_request_id(request)).study
    where = Where(named.study_uid, "", "", named.organization.code)
    asked = open_images(
        actor, where, at=at, action=Action.DOWNLOAD, request_id=_request_id(request)
    )
    held = objects(asked)
    ready(held)
    watch = Watch(actor, public_id, timezone.now, Action.DOWNLOAD, begin_seconds=0)
    files = (
        (f"images/{number:05}.dcm", watch.over(each.file())) for number, each in enumerate(held, 1)
    )
    response = StreamingHttpResponse(zipped(files), content_type="application/zip")
    response["Content-Disposition"] = 'attachment; filename="study.zip"'
    return _quiet(response)


@csrf_exempt
@by_token
@require_POST
def leave(request: HttpRequest) -> HttpResponse:
    """Ends the visit in this browser. Raises LinkNotFound."""
    _bearer_of(request)
    request.session.flush()
    return _quiet(redirect("web:open-link"))


def _tried(request: HttpRequest, form: OpenForm) -> tuple[int, Opening | None]:
    """The opening, or the status of a refusal; what was wrong stands in the form."""
    if not form.is_valid():
        return 422, None
    try:
        if not ratelimit.consume(request, action="open_link", dry_run=True):
            raise TriedTooOften()
        data = form.cleaned_data
        return 200, open_link(
            secret=data["link"], code=data["code"], client=get_ip(request), at=timezone.now()
        )
    except ProofWrong as error:
        ratelimit.consume(request, action="open_link")
        form.add_error(None, str(error))
        return 422, None
    except TriedTooOften as error:
        form.add_error(None, str(error))
        return 429, None


def _begun(request: HttpRequest, opening: Opening) -> HttpResponse:
    """A fresh session: who was signed in here is no more, and nobody knows its key."""
    request.session.flush()
    request.session["link"] = {"name": opening.link, "until": opening.until.timestamp()}
    rotate_token(request)
    return _quiet(redirect("web:opened"))


def _bearer_of(request: HttpRequest) -> Actor:
    """Who came by a link. Raises NoActor, which says that it has ended, or LinkNotFound."""
    actor: Actor | None = getattr(request, "actor", None)
    if getattr(request, "link_ended", False):
        raise NoActor()
    if actor is None or Role.BEARER not in actor.roles:
        raise LinkNotFound()
    return actor


def _over(request: HttpRequest) -> HttpResponse:
    return _quiet(render(request, "web/opened/over.html", status=404))


def _notes(actor: Actor, found: Any, at: Any) -> list[Any]:
    gifts = gifts_for(
        actor,
        custodian_id=found.organization_id,
        patient_id=found.patient_id,
        study_uid=found.study_uid,
        at=at,
    )
    return [gift.share for gift in gifts]


def _quiet(response: Any) -> Any:
    """Tells no other page whence they came, and is kept by no browser."""
    response["Referrer-Policy"] = "no-referrer"
    response["Cache-Control"] = "no-store"
    response["X-Robots-Tag"] = "noindex"
    return response


def _request_id(request: HttpRequest) -> str:
    return str(getattr(request, "request_id", ""))
