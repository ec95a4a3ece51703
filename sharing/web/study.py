"""One study: what it is, who has access and why, its images' small pictures, its access log."""

import hashlib
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from sharing.access.obligations import asked_of_reader
from sharing.access.previews import reach
from sharing.access.rules import Decision, Rule
from sharing.access.services import (
    decide_one,
    explain_access,
    gifts_for,
    kinds_of,
    shares_of_study,
)
from sharing.archive.services.explaining import may_explain
from sharing.archive.services.finding import open_study
from sharing.archive.services.labelling import label_words
from sharing.archive.services.remembering import remember_opening
from sharing.archive.services.showing import peek, picture, series_of
from sharing.audit.services import log_of_study
from sharing.exchange.services import albums_with, links_to
from sharing.kernel.purposes import Action
from sharing.tenants.errors import NotAllowed
from sharing.tenants.services import Actor, Duty, organization_options, policy_at

from . import deeds, present, words
from .doors import actor_of
from .forms.region import POLICIES
from .removal import offered

LINES = 50
SOON = timedelta(days=30)
"""So long before its end a share may be asked to go on."""
SIGNATURES = {b"\xff\xd8\xff": "image/jpeg", b"\x89PN": "image/png", b"RIF": "image/webp"}


@require_safe
def show(request: HttpRequest, public_id: str) -> HttpResponse:
    """The study's page; opening it is in the access log before the page leaves."""
    actor, at = actor_of(request), timezone.now()
    found = open_study(actor, public_id=public_id, at=at, request_id=_request_id(request))
    study = found.study
    remember_opening(actor, study, at=at)
    own = study.organization_id == actor.organization_id
    context = {
        "study": study,
        "patient": study.patient,
        "own": own,
        "labels": label_words(study.labels),
        "may_label": own and actor.may(Duty.LABEL),
        "may_tie": own and bool(kinds_of(actor)),
        "common": POLICIES[policy_at(study.organization)][0] if own else "",
        "ground": present.ground(found.decision),
        "asks": [] if own else _asks(actor, study, found.decision, at),
        "may_share": actor.may(Duty.SHARE) and _may(actor, Action.RESHARE, study, at),
        "may_read_log": own and actor.may(Duty.READ_LOG),
        "may_explain": may_explain(actor, study),
        "steps": [] if own else _steps(actor, study, at),
        "shares": [] if own else _shares(actor, study, at),
        "soon": at + SOON,
        "albums": albums_with(actor, study.subject, at=at),
        "warnings": present.warning_words(study.warnings) if own else [],
        "access": _who_has_access(study, at) if own else [],
        "links": _links(actor, study, at) if own else [],
        "lately": _lately(study) if own and actor.may(Duty.READ_LOG) else [],
        **(offered(actor, study) if own else {}),
        **series_cards(actor, study, at),
    }
    return render(request, "web/studies/show.html", context)


@require_safe
def state(request: HttpRequest, public_id: str) -> HttpResponse:
    """The series once more, while the study settles: the open page asks every second."""
    actor, at = actor_of(request), timezone.now()
    study = peek(actor, public_id=public_id, at=at, request_id=_request_id(request))
    context = {"study": study, **series_cards(actor, study, at)}
    return render(request, "web/studies/_series.html", context)


@require_safe
def thumbnail(request: HttpRequest, public_id: str) -> HttpResponse:
    """The study's small picture."""
    data = picture(
        actor_of(request),
        public_id=public_id,
        at=timezone.now(),
        request_id=_request_id(request),
    )
    return _picture(request, data)


@require_safe
def series_thumbnail(request: HttpRequest, public_id: str, series: str) -> HttpResponse:
    """The small picture of one of its series."""
    data = picture(
        actor_of(request),
        public_id=public_id,
        series=series,
        at=timezone.now(),
        request_id=_request_id(request),
    )
    return _picture(request, data)


@require_safe
def log(request: HttpRequest, public_id: str) -> HttpResponse:
    """Who saw what, when, for which purpose, on what ground: for the custodian's privacy officer.

    Raises StudyNotFound, NotAllowed.
    """
    actor, at = actor_of(request), timezone.now()
    if not actor.may(Duty.READ_LOG):
        raise NotAllowed()
    study = open_study(actor, public_id=public_id, at=at, request_id=_request_id(request)).study
    if study.organization_id != actor.organization_id:
        raise NotAllowed()
    entries = log_of_study(custodian=study.organization.code, study_uid=study.study_uid)
    lines = [deeds.doing(entry) for entry in entries]
    context = {
        "study": study,
        "patient": study.patient,
        "title": present.title_of(study),
        "lines": lines,
        "readers": len({(line.who, line.organization) for line in lines if not line.refused}),
        "refusals": sum(line.refused for line in lines),
    }
    return render(request, "web/log/study.html", context)


def _asks(actor: Actor, study: Any, discovered: Decision, at: datetime) -> list[str]:
    """What the patient asks of who looks: of the images where they may be seen."""
    images = decide_one(actor, Action.IMAGES, study.subject, at=at)
    return asked_of_reader((images if images.allowed else discovered).obligations)


def series_cards(actor: Actor, study: Any, at: datetime) -> dict[str, Any]:
    """What `_series.html` shows: only who may see images gets pictures and the viewer."""
    viewable = _may(actor, Action.IMAGES, study, at)
    cards = [
        {
            "title": series.description or f"Series {series.number or ''}".strip(),
            "modality": series.modality,
            "frames": series.frame_count or series.instance_count,
            "picture": reverse("web:series-thumbnail", args=[study.public_id, series.series_uid])
            if viewable and pictured
            else "",
        }
        for series, pictured in series_of(study)
    ]
    return {
        "title": present.title_of(study),
        "cards": cards,
        "viewer_url": reverse("viewer:study", args=[study.public_id]) if viewable else "",
    }


def _steps(actor: Actor, study: Any, at: datetime) -> tuple[Any, ...]:
    """How it was decided that they may know of it."""
    told = explain_access(actor, Action.DISCOVER, study.subject, moment=at, at=at)
    return told.steps


def _shares(actor: Actor, study: Any, at: datetime) -> list[Any]:
    """The shares by which it came to the actor, newest first, with their ends."""
    return gifts_for(
        actor,
        custodian_id=study.organization_id,
        patient_id=study.patient_id,
        study_uid=study.study_uid,
        at=at,
    )


def _who_has_access(study: Any, at: datetime) -> list[dict[str, Any]]:
    """Each organization that the consents or a share speak of, and what they say to it."""
    grants = shares_of_study(
        custodian_id=study.organization_id,
        patient_id=study.patient_id,
        study_uid=study.study_uid,
        at=at,
    )
    shared: dict[int, list[Any]] = {}
    for grant in grants:
        shared.setdefault(grant.organization_id or 0, []).append(grant)
    options = organization_options(without=study.organization_id)
    return [
        {
            "organization": each.organization,
            "actions": present.may_words(each.actions),
            "denied": each.decision.basis.rule == Rule.CONSENT_DENIES,
            "ground": present.ground(each.decision),
            "consent": each.decision.basis.consent,
            "shares": shared.get(each.organization.pk, []),
            "some": _some(shared.get(each.organization.pk, [])),
        }
        for each in reach(study.subject, options, at=at)
        if each.actions
        or each.decision.basis.rule == Rule.CONSENT_DENIES
        or each.organization.pk in shared
    ]


def _links(actor: Actor, study: Any, at: datetime) -> list[Any]:
    """The links that open it, for who gives some or reads the log."""
    if not (actor.may(Duty.SHARE) or actor.may(Duty.READ_LOG)):
        return []
    return links_to(actor, study.subject, at=at)


def _some(grants: list[Any]) -> str:
    """`2 people`, `1 person and a department`: who there has it, where not all do."""
    people = len({grant.user_id for grant in grants if grant.user})
    teams = len({grant.team_id for grant in grants if grant.team})
    counted = words.span(people, "person", "people") if people else ""
    departments = "a department" if teams == 1 else f"{teams} departments" if teams else ""
    return " and ".join(filter(None, (counted, departments)))


def _lately(study: Any) -> list[deeds.Doing]:
    entries = log_of_study(custodian=study.organization.code, study_uid=study.study_uid, most=5)
    return [deeds.doing(entry) for entry in entries]


def _may(actor: Actor, action: Action, study: Any, at: datetime) -> bool:
    return decide_one(actor, action, study.subject, at=at).allowed


def _picture(request: HttpRequest, data: bytes) -> HttpResponse:
    """Kept by the browser, shown again only after the fence was asked again."""
    etag = f'"{hashlib.sha256(data).hexdigest()[:20]}"'
    if request.headers.get("If-None-Match") == etag:
        response = HttpResponse(status=304)
    else:
        response = HttpResponse(data, content_type=SIGNATURES.get(data[:3], "image/jpeg"))
    response["ETag"] = etag
    response["Cache-Control"] = "private, no-cache"
    patch_vary_headers(response, ["Cookie"])
    return response


def _request_id(request: HttpRequest) -> str:
    return str(getattr(request, "request_id", ""))
