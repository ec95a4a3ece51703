"""Albums: the list, making one, the page of one, closing it."""

from collections import Counter
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from sharing.archive.services.listing import SORTS
from sharing.archive.services.showing import show, studies_to_share
from sharing.exchange.errors import AlbumInvalid
from sharing.exchange.services import (
    AlbumWanted,
    Line,
    album_seen,
    albums_seen,
    close_album,
    counts_in,
    foresee_album,
    may_end,
    may_keep,
    members_of,
    prolong_album,
    share_again,
    start_album,
    studies_in,
)
from sharing.kernel.purposes import Purpose
from sharing.tenants.services import Actor, Duty, require

from . import present, words
from .doors import actor_of
from .forms.albums import FOR, AlbumForm, UntilForm
from .forms.share import MAY

MOST_LINES = 200
MOST_STUDIES = 50


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """The albums that the actor keeps or is in; each with the number of studies in sight."""
    actor, at = actor_of(request), timezone.now()
    albums = list(albums_seen(actor, at=at)[:MOST_LINES])
    counts = counts_in(albums, actor, at=at)
    lines = [
        {"album": album, "studies": counts[album.pk], "members": members_of(album)}
        for album in albums
    ]
    context = {"lines": lines, "may_share": actor.may(Duty.SHARE)}
    return render(request, "web/albums/list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Make an album, with the studies that were chosen. Raises NotAllowed, StudyNotFound."""
    actor, at = actor_of(request), timezone.now()
    require(actor, Duty.SHARE)
    studies = chosen_studies(request, actor, at)
    form = AlbumForm(request.POST or None, at=at)
    if form.is_bound and form.is_valid():
        album = _made(form, studies, actor, at)
        if album is not None:
            messages.success(request, "The album is there. Let in whom it is for.")
            return redirect("web:album", public_id=album.public_id)
    context = {
        "form": form,
        "studies": studies,
        "titles": [(study, present.title_of(study)) for study in studies],
        "may": MAY,
        "strongest": form.actions[-1],
    }
    return render(request, "web/albums/new.html", context, status=422 if form.is_bound else 200)


@require_safe
def show_album(request: HttpRequest, public_id: str) -> HttpResponse:
    """What of the album is in sight, and who is in it. Raises AlbumNotFound."""
    actor, at = actor_of(request), timezone.now()
    album = album_seen(actor, public_id=public_id, at=at)
    sort = request.GET.get("sort", "")
    sort = sort if sort in SORTS else "-date"
    studies = list(studies_in(album, actor, at=at).order_by(*SORTS[sort]))
    shown = show(actor, studies, at=at)
    members = members_of(album)
    keeps = may_keep(actor, album)
    lines = foresee_album(album, members, studies, at=at) if keeps else []
    context = {
        "album": album,
        "sort": sort,
        "studies": present.rows(shown, organization_id=actor.organization_id),
        "members": [_member(each, lines, len(studies)) for each in members],
        "keeps": keeps,
        "ends": may_end(actor, album),
        "until_form": UntilForm(initial={"until": timezone.localtime(album.ends_at).date()}),
        "may": present.may_words(album.action_list),
        "purpose": dict(FOR).get(Purpose(album.purpose), "").lower(),
        "lacking": [line_words(line) for line in lines if not line.covered],
        "to_open": sum(line.covered and not line.open for line in lines),
    }
    return render(request, "web/albums/show.html", context)


@require_POST
def again(request: HttpRequest, public_id: str) -> HttpResponse:
    """Open what consents came to cover since. Raises NotAllowed, AlbumNotFound, ShareWidens."""
    opened = share_again(public_id=public_id, by=actor_of(request), at=timezone.now())
    told = "What is covered now is open to them." if opened else "Nothing more is covered."
    messages.success(request, told)
    return redirect("web:album", public_id=public_id)


@require_POST
def prolong(request: HttpRequest, public_id: str) -> HttpResponse:
    """Let it go on longer. Raises NotAllowed, AlbumNotFound, ShareWidens."""
    actor, form = actor_of(request), UntilForm(request.POST)
    if not form.is_valid():
        messages.warning(request, f"Not changed. {form.errors['until'][0]}")
        return redirect("web:album", public_id=public_id)
    until = form.cleaned_data["until"]
    try:
        prolong_album(public_id=public_id, until=until, by=actor, at=timezone.now())
    except AlbumInvalid as error:
        messages.warning(request, f"Not changed. {error}")
    else:
        messages.success(request, f"The album goes on until {words.day(until)}.")
    return redirect("web:album", public_id=public_id)


@require_http_methods(["GET", "HEAD", "POST"])
def close(request: HttpRequest, public_id: str) -> HttpResponse:
    """Close it at once, after a look at what that ends. Raises AlbumNotFound."""
    actor, at = actor_of(request), timezone.now()
    if request.method == "POST":
        album = close_album(public_id=public_id, by=actor, at=at)
        messages.success(request, f"{album.name} is closed. Members lost what it gave, at once.")
        return redirect("web:albums")
    album = album_seen(actor, public_id=public_id, at=at)
    context = {
        "album": album,
        "count": counts_in([album], actor, at=at)[album.pk],
        "members": members_of(album),
    }
    return render(request, "web/albums/close.html", context)


def chosen_studies(request: HttpRequest, actor: Actor, at: datetime) -> list[Any]:
    """Those that were chosen, of those that the actor may share; none where none was.

    Raises NotAllowed, StudyNotFound.
    """
    asked = request.POST if request.method == "POST" else request.GET
    wanted = asked.getlist("study")[:MOST_STUDIES]
    return studies_to_share(actor, wanted, at=at) if wanted else []


def line_words(line: Line) -> tuple[str, str, str]:
    """A study, a member, and what is missing."""
    return present.title_of(line.study), line.member.whom.name, line.preview.missing


def _member(member: Any, lines: list[Line], count: int) -> dict[str, Any]:
    """A member, and how much of what is there they see; of who needs no grant nothing is said."""
    mine = [line for line in lines if line.member.pk == member.pk]
    return {
        "member": member,
        "inside": member.user is not None or member.team is not None,
        "sees": sum(line.open for line in mine) + count - len(mine) if mine else None,
        "count": count,
        "kinds": Counter(line.preview.missing for line in mine if line.preview.missing),
    }


def _made(form: AlbumForm, studies: list[Any], actor: Actor, at: datetime) -> Any:
    data = form.cleaned_data
    wanted = AlbumWanted(
        name=data["name"],
        purpose=Purpose(data["purpose"] or Purpose.TREATMENT),
        until=data["until"],
        actions=form.actions,
        note=data["note"],
    )
    try:
        return start_album(wanted=wanted, studies=studies, by=actor, at=at)
    except AlbumInvalid as error:
        form.add_error(None, str(error))
        return None
