"""Studies put into albums and taken out, people let in and removed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from sharing.access.errors import NotCovered, ShareInvalid, ShareWidens
from sharing.archive.services.finding import open_study
from sharing.exchange.errors import AlbumInvalid, AlbumNotFound
from sharing.exchange.services import (
    Line,
    add_member,
    add_studies,
    album_seen,
    albums_kept,
    foresee_album,
    may_keep,
    members_of,
    remove_member,
    studies_in,
    take_out,
    who_would,
)
from sharing.tenants.services import (
    Actor,
    organization_options,
    teams_that_treat,
    treating_people,
)

from . import present, words
from .albums import chosen_studies, line_words
from .doors import actor_of
from .forms.albums import IntoForm, MemberForm

MOST_ALBUMS = 30
NOBODY = 0
"""No organization's key: the actor's own is offered too."""
REFUSALS = (AlbumInvalid, NotCovered, ShareInvalid, ShareWidens)


@require_http_methods(["GET", "HEAD", "POST"])
def add(request: HttpRequest) -> HttpResponse:
    """Put studies into one of the albums that the actor keeps. Raises NotAllowed, StudyNotFound."""
    actor, at = actor_of(request), timezone.now()
    albums = albums_kept(actor, at=at)
    studies = chosen_studies(request, actor, at)
    if not studies:
        messages.warning(request, "Choose at least one study, then put it into an album.")
        return redirect("web:studies")
    form = IntoForm(request.POST or None, albums=albums)
    if form.is_bound and form.is_valid():
        album = form.cleaned_data["album"]
        if _put_in(form, album.public_id, studies, actor, at):
            messages.success(request, f"{_counted(studies)} put into {album.name}.")
            return redirect("web:album", public_id=album.public_id)
    context = {
        "form": form,
        "titles": [(study, present.title_of(study)) for study in studies],
        "choices": [_choice(album, studies, at) for album in albums[:MOST_ALBUMS]],
        "one": studies[0],
        "label": "Put into the album" if len(studies) == 1 else f"Put {len(studies)} studies in",
    }
    return render(request, "web/albums/add.html", context, status=422 if form.is_bound else 200)


@require_POST
def out(request: HttpRequest, public_id: str, study_id: str) -> HttpResponse:
    """Take a study out. Raises AlbumNotFound, StudyNotFound."""
    actor, at = actor_of(request), timezone.now()
    study = open_study(actor, public_id=study_id, at=at).study
    take_out(public_id=public_id, study=study, by=actor, at=at)
    messages.success(request, "The study is out. Members lost what the album gave of it, at once.")
    return redirect("web:album", public_id=public_id)


@require_http_methods(["GET", "HEAD", "POST"])
def member(request: HttpRequest, public_id: str) -> HttpResponse:
    """Let somebody in. Raises AlbumNotFound."""
    actor, at = actor_of(request), timezone.now()
    album = album_seen(actor, public_id=public_id, at=at)
    if not may_keep(actor, album):
        raise AlbumNotFound()
    organizations = organization_options(without=NOBODY)
    form = MemberForm(
        request.POST or None,
        organizations=organizations,
        people=treating_people(without=NOBODY),
        teams=teams_that_treat(without=NOBODY),
    )
    if form.is_bound and form.is_valid() and _let_in(form, public_id, actor, at):
        data = form.cleaned_data
        name = (data["who"] or data["team"] or data["to"]).name
        messages.success(request, f"{name} is in the album.")
        return redirect("web:album", public_id=public_id)
    studies = list(studies_in(album, actor, at=at))
    context = {
        "form": form,
        "album": album,
        "places": [_place(album, each, studies, at) for each in organizations],
        "may": present.may_words(album.action_list).lower(),
    }
    return render(request, "web/albums/member.html", context, status=422 if form.is_bound else 200)


@require_POST
def remove(request: HttpRequest, public_id: str, member_id: str) -> HttpResponse:
    """Remove a member. Raises AlbumNotFound."""
    gone = remove_member(
        public_id=public_id, member_id=member_id, by=actor_of(request), at=timezone.now()
    )
    messages.success(request, f"{gone.whom.name} lost what the album gave, at once.")
    return redirect("web:album", public_id=public_id)


def _choice(album: Any, studies: Sequence[Any], at: datetime) -> dict[str, Any]:
    """An album to choose, and to which of its members the studies would open."""
    members = members_of(album)
    lines = foresee_album(album, members, studies, at=at)
    lost = {study.pk for study in studies if not _some([x for x in lines if x.study == study])}
    return {
        "album": album,
        "possible": not lost,
        "members": len(members),
        "opens": len({line.member.pk for line in lines if line.covered}),
        "needing": len({line.member.pk for line in lines}),
        "lacking": [line_words(line) for line in lines if not line.covered],
    }


def _some(lines: Sequence[Line]) -> bool:
    """Whether it is covered for one of those who need it, or nobody needs it."""
    return not lines or any(line.covered for line in lines)


def _place(album: Any, organization: Any, studies: Sequence[Any], at: datetime) -> dict[str, Any]:
    """An organization to choose, and what of the album would open there."""
    would = who_would(album, to=organization, person=None, team=None)
    lines = foresee_album(album, [would], studies, at=at)
    lacking = [line for line in lines if not line.covered]
    return {
        "organization": organization,
        "own": organization.pk == album.organization_id,
        "possible": _some(lines),
        "opens": len(studies) - len(lacking),
        "count": len(studies),
        "lacking": sorted({line.preview.missing for line in lacking}),
    }


def _put_in(
    form: IntoForm, public_id: str, studies: Sequence[Any], actor: Actor, at: datetime
) -> bool:
    try:
        add_studies(public_id=public_id, studies=studies, by=actor, at=at)
    except REFUSALS as error:
        form.add_error("album", str(error))
        return False
    return True


def _let_in(form: MemberForm, public_id: str, actor: Actor, at: datetime) -> bool:
    data = form.cleaned_data
    try:
        add_member(
            public_id=public_id, to=data["to"], person=data["who"], team=data["team"],
            by=actor, at=at,
        )  # fmt: skip
    except REFUSALS as error:
        form.add_error("to", str(error))
        return False
    return True


def _counted(studies: Sequence[Any]) -> str:
    return words.span(len(studies), "study", "studies")
