"""Albums: those that the caller keeps or is in; making, filling and closing them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.pagination import CursorPagination
from rest_framework.response import Response
from rest_framework.views import APIView

from sharing.access.errors import ShareInvalid
from sharing.access.services import treating_person, treating_team
from sharing.archive.services.finding import open_study
from sharing.archive.services.showing import studies_to_share
from sharing.exchange.services import (
    AlbumWanted,
    Line,
    add_member,
    add_studies,
    album_seen,
    albums_seen,
    close_album,
    members_of,
    prolong_album,
    remove_member,
    start_album,
    studies_in,
    take_out,
)
from sharing.kernel.purposes import Action, Purpose
from sharing.tenants.rules import Actor
from sharing.tenants.services import organization_options

from .gate import People
from .shares import MAY, PURPOSES, PlaceForm, place_of

MOST_STUDIES = 50


class StudiesWish(serializers.Serializer[Any]):
    """Which studies to put in, by their ids."""

    studies = serializers.ListField(
        child=serializers.CharField(max_length=24), min_length=1, max_length=MOST_STUDIES
    )


class AlbumWish(serializers.Serializer[Any]):
    """A new album: the fields of the page's form."""

    name = serializers.CharField(max_length=120, help_text="Names no patient")
    note = serializers.CharField(max_length=1000, required=False, default="", allow_blank=True)
    may = serializers.ChoiceField(
        choices=MAY, default=Action.IMAGES.value, help_text="Includes all before it"
    )
    purpose = serializers.ChoiceField(choices=PURPOSES, default=Purpose.TREATMENT.value)
    until = serializers.DateTimeField()
    studies = serializers.ListField(
        child=serializers.CharField(max_length=24), max_length=MOST_STUDIES, default=list
    )


class UntilWish(serializers.Serializer[Any]):
    """Until when an album goes on."""

    until = serializers.DateTimeField()


class MemberWish(serializers.Serializer[Any]):
    """Whom to let in: an organization, or one person or department there."""

    to = serializers.CharField(max_length=40, help_text="Code of the organization")
    person = serializers.CharField(max_length=24, required=False, default="", allow_blank=True)
    team = serializers.CharField(max_length=24, required=False, default="", allow_blank=True)


class AlbumMemberForm(serializers.Serializer[Any]):
    """A member. A blank `person` and `team`: all who treat at the organization."""

    id = serializers.CharField()
    organization = PlaceForm()
    person = serializers.CharField()
    team = serializers.CharField()
    added_at = serializers.DateTimeField()


class AlbumForm(serializers.Serializer[Any]):
    """An album. `studies` are the ids of those that the caller may see."""

    id = serializers.CharField()
    name = serializers.CharField()
    note = serializers.CharField()
    organization = PlaceForm()
    made_by = serializers.CharField()
    made_at = serializers.DateTimeField()
    purpose = serializers.CharField()
    actions = serializers.ListField(child=serializers.CharField())
    until = serializers.DateTimeField()
    studies = serializers.ListField(child=serializers.CharField())
    members = AlbumMemberForm(many=True)


class LineForm(serializers.Serializer[Any]):
    """One study for one member; `missing` says in words why it was not opened to them."""

    study = serializers.CharField()
    organization = serializers.CharField()
    member = serializers.CharField()
    covered = serializers.BooleanField()
    missing = serializers.CharField()


class NewestAlbums(CursorPagination):
    """Pages that neither skip nor repeat while albums are made."""

    page_size = 50
    max_page_size = 200
    page_size_query_param = "limit"
    ordering = ("-made_at", "-id")


class AlbumsView(ListAPIView):
    """The open albums that the caller keeps or is in."""

    permission_classes = [People]
    about = "albums"
    pagination_class = NewestAlbums
    serializer_class = AlbumForm

    @extend_schema(responses=AlbumForm(many=True))
    def get(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """A page of them, the newest first."""
        actor, at = request._request.actor, timezone.now()
        page = self.paginate_queryset(albums_seen(actor, at=at)) or []
        return self.get_paginated_response([_album(each, actor, at) for each in page])

    @extend_schema(request=AlbumWish, responses={201: AlbumForm})
    def post(self, request: Any) -> Response:
        """Make one, with studies in it or without."""
        actor, at = request._request.actor, timezone.now()
        said = _said(AlbumWish(data=request.data))
        ids = said["studies"]
        wanted = AlbumWanted(
            name=said["name"],
            note=said["note"],
            purpose=Purpose(said["purpose"]),
            actions=Action(said["may"]).ladder,
            until=said["until"],
        )
        studies = studies_to_share(actor, ids, at=at) if ids else []
        album = start_album(wanted=wanted, studies=studies, by=actor, at=at)
        return Response(_album(album, actor, at), status=201)


class AlbumView(APIView):
    """One album."""

    permission_classes = [People]
    about = "albums"

    @extend_schema(responses=AlbumForm)
    def get(self, request: Any, album_id: str) -> Response:
        """404 for what the caller neither keeps nor is in."""
        actor, at = request._request.actor, timezone.now()
        return Response(_album(album_seen(actor, public_id=album_id, at=at), actor, at))

    @extend_schema(request=UntilWish, responses=AlbumForm)
    def patch(self, request: Any, album_id: str) -> Response:
        """Let it go on longer, and what it gave, as far as consents cover it by now."""
        actor, at = request._request.actor, timezone.now()
        until = _said(UntilWish(data=request.data))["until"]
        album = prolong_album(public_id=album_id, until=until, by=actor, at=at)
        return Response(_album(album, actor, at))

    @extend_schema(responses={204: None})
    def delete(self, request: Any, album_id: str) -> Response:
        """Close it, and end what it gave; at once."""
        close_album(public_id=album_id, by=request._request.actor, at=timezone.now())
        return Response(status=204)


class AlbumStudiesView(APIView):
    """What is in an album."""

    permission_classes = [People]
    about = "albums"

    @extend_schema(request=StudiesWish, responses={201: LineForm(many=True)})
    def post(self, request: Any, album_id: str) -> Response:
        """Put studies in. 409 `not_covered` when one is covered for no member who needs it."""
        actor, at = request._request.actor, timezone.now()
        said = _said(StudiesWish(data=request.data))
        studies = studies_to_share(actor, said["studies"], at=at)
        lines = add_studies(public_id=album_id, studies=studies, by=actor, at=at)
        return Response([_line(each) for each in lines], status=201)


class AlbumStudyView(APIView):
    """One study in an album."""

    permission_classes = [People]
    about = "albums"

    @extend_schema(responses={204: None})
    def delete(self, request: Any, album_id: str, study_id: str) -> Response:
        """Take it out, and end what the album gave of it; at once."""
        actor, at = request._request.actor, timezone.now()
        study = open_study(actor, public_id=study_id, at=at).study
        take_out(public_id=album_id, study=study, by=actor, at=at)
        return Response(status=204)


class AlbumMembersView(APIView):
    """Who is in an album."""

    permission_classes = [People]
    about = "albums"

    @extend_schema(request=MemberWish, responses={201: LineForm(many=True)})
    def post(self, request: Any, album_id: str) -> Response:
        """Let somebody in. 409 `not_covered` when nothing of it is covered for them."""
        actor, at = request._request.actor, timezone.now()
        whom = _whom(_said(MemberWish(data=request.data)))
        lines = add_member(public_id=album_id, **whom, by=actor, at=at)
        return Response([_line(each) for each in lines], status=201)


class AlbumMemberView(APIView):
    """One member of an album."""

    permission_classes = [People]
    about = "albums"

    @extend_schema(responses={204: None})
    def delete(self, request: Any, album_id: str, member_id: str) -> Response:
        """Remove them, and end what the album gave them; at once."""
        actor, at = request._request.actor, timezone.now()
        remove_member(public_id=album_id, member_id=member_id, by=actor, at=at)
        return Response(status=204)


def _said(wish: serializers.Serializer[Any]) -> dict[str, Any]:
    wish.is_valid(raise_exception=True)
    said: dict[str, Any] = wish.validated_data
    return said


def _whom(said: dict[str, Any]) -> dict[str, Any]:
    """The one who is meant. Raises ShareInvalid."""
    to = organization_options(without=0).filter(code=said["to"]).first()
    if to is None:
        raise ShareInvalid("Choose an organization of the region.")
    person, team = said["person"], said["team"]
    return {
        "to": to,
        "person": treating_person(organization=to, public_id=person) if person else None,
        "team": treating_team(organization=to, public_id=team) if team else None,
    }


def _album(album: Any, actor: Actor, at: datetime) -> dict[str, Any]:
    """As this face writes it; of what is in it, what the caller may know of."""
    studies = studies_in(album, actor, at=at).values_list("public_id", flat=True)
    return {
        "id": album.public_id,
        "name": album.name,
        "note": album.note,
        "organization": place_of(album.organization),
        "made_by": album.made_by.name,
        "made_at": album.made_at,
        "purpose": album.purpose,
        "actions": [action.value for action in album.action_list],
        "until": album.ends_at,
        "studies": list(studies),
        "members": _members(members_of(album)),
    }


def _members(members: Sequence[Any]) -> list[dict[str, Any]]:
    return [
        {
            "id": each.public_id,
            "organization": place_of(each.organization),
            "person": each.user.name if each.user else "",
            "team": each.team.name if each.team else "",
            "added_at": each.added_at,
        }
        for each in members
    ]


def _line(line: Line) -> dict[str, Any]:
    return {
        "study": line.study.public_id,
        "organization": line.member.organization.code,
        "member": line.member.whom.name,
        "covered": line.covered,
        "missing": line.preview.missing,
    }
