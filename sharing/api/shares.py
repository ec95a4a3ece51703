"""Shares: those given and those that came, sharing, and ending a share."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.pagination import CursorPagination
from rest_framework.response import Response
from rest_framework.views import APIView

from sharing.access.errors import ShareInvalid
from sharing.access.rules import FOREVER
from sharing.access.services import (
    Preview,
    preview_share,
    revoke_share,
    share,
    shares_made,
    treating_person,
    treating_team,
)
from sharing.archive.services.gifts import named_in_sight, share_in_sight, shares_received
from sharing.archive.services.showing import studies_to_share
from sharing.kernel.purposes import Action, Purpose
from sharing.tenants.rules import Actor
from sharing.tenants.services import organization_options

from .gate import Shares

GIVEN, RECEIVED = "given", "received"
MOST_STUDIES = 50
LONGEST = FOREVER - timedelta(days=1)
MAY = [action.value for action in (Action.REPORT, Action.IMAGES, Action.DOWNLOAD, Action.SEND)]
PURPOSES = [Purpose.TREATMENT.value, Purpose.OPERATIONS.value]


class DirectionForm(serializers.Serializer[Any]):
    """Which of the shares."""

    direction = serializers.ChoiceField(choices=[GIVEN, RECEIVED], default=RECEIVED)


class ShareWish(serializers.Serializer[Any]):
    """What to share, with whom, for what and until when: the fields of the page's form."""

    studies = serializers.ListField(
        child=serializers.CharField(max_length=24), min_length=1, max_length=MOST_STUDIES
    )
    to = serializers.CharField(max_length=40, help_text="Code of the organization")
    person = serializers.CharField(max_length=24, required=False, default="", allow_blank=True)
    team = serializers.CharField(max_length=24, required=False, default="", allow_blank=True)
    may = serializers.ChoiceField(
        choices=MAY, default=Action.IMAGES.value, help_text="Includes all before it"
    )
    onward = serializers.BooleanField(default=False, help_text="They may share it on, inside this")
    standing = serializers.BooleanField(default=False, help_text="Also the studies to come")
    purpose = serializers.ChoiceField(choices=PURPOSES, default=Purpose.TREATMENT.value)
    until = serializers.DateTimeField()
    note = serializers.CharField(max_length=1000, required=False, default="", allow_blank=True)

    @property
    def actions(self) -> tuple[Action, ...]:
        """The ladder up to what was chosen, and sharing on where that is wished."""
        ladder = Action(self.validated_data["may"]).ladder
        return (*ladder, Action.RESHARE) if self.validated_data["onward"] else ladder


class PlaceForm(serializers.Serializer[Any]):
    """An organization."""

    code = serializers.CharField()
    name = serializers.CharField()


class ShareForm(serializers.Serializer[Any]):
    """A share. `studies` are Study Instance UIDs; a standing share names none."""

    id = serializers.CharField()
    custodian = PlaceForm()
    shared_by = serializers.CharField()
    shared_for = PlaceForm()
    to = PlaceForm(allow_null=True)
    person = serializers.CharField()
    team = serializers.CharField()
    purpose = serializers.CharField()
    actions = serializers.ListField(child=serializers.CharField())
    studies = serializers.ListField(child=serializers.CharField())
    standing = serializers.BooleanField()
    note = serializers.CharField()
    shared_at = serializers.DateTimeField()
    until = serializers.DateTimeField(allow_null=True)
    review_by = serializers.DateTimeField(allow_null=True)
    renews = serializers.CharField()


class ForeseenForm(serializers.Serializer[Any]):
    """What the share would change for one study; `missing` says in words why it can't be."""

    study_uid = serializers.CharField()
    before = serializers.BooleanField()
    after = serializers.BooleanField()
    consent = serializers.CharField()
    until = serializers.DateTimeField(allow_null=True)
    missing = serializers.CharField()


class NewestShares(CursorPagination):
    """Pages that neither skip nor repeat while shares are made."""

    page_size = 50
    max_page_size = 200
    page_size_query_param = "limit"
    ordering = ("-shared_at", "-id")


class SharesView(ListAPIView):
    """The shares that the caller's organization gave, or that came to the caller."""

    permission_classes = [Shares]
    pagination_class = NewestShares
    serializer_class = ShareForm

    @extend_schema(parameters=[OpenApiParameter("direction", str, enum=[GIVEN, RECEIVED])])
    def get(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """A page of living shares, the newest first."""
        actor, at = request._request.actor, timezone.now()
        wanted = DirectionForm(data=request.query_params)
        wanted.is_valid(raise_exception=True)
        given = wanted.validated_data["direction"] == GIVEN
        found = shares_made(actor, at=at) if given else shares_received(actor, at=at)
        page = self.paginate_queryset(found) or []
        return self.get_paginated_response(as_json(page, actor, at))

    @extend_schema(request=ShareWish, responses={201: ShareForm})
    def post(self, request: Any) -> Response:
        """Share. 409 `not_covered` names what the consents lack; then nobody gained access."""
        actor, at = request._request.actor, timezone.now()
        wish = _wish(request)
        previews = _foreseen(wish, actor, at, until=LONGEST)
        keep_inside(wish.validated_data["until"], previews)
        made = share(
            **_meant(wish, actor, at),
            until=wish.validated_data["until"],
            note=wish.validated_data["note"],
            by=actor,
            at=at,
            standing=wish.validated_data["standing"],
        )
        found = share_in_sight(actor, public_id=made.public_id, at=at)
        return Response(as_json([found], actor, at)[0], status=201)


class SharePreviewView(APIView):
    """What a share would change, before it is made."""

    permission_classes = [Shares]

    @extend_schema(request=ShareWish, responses=ForeseenForm(many=True))
    def post(self, request: Any) -> Response:
        """Study by study: whether they may see it now, and could then."""
        actor, at = request._request.actor, timezone.now()
        wish = _wish(request)
        previews = _foreseen(wish, actor, at, until=wish.validated_data["until"])
        return Response([foreseen(each) for each in previews])


class ShareView(APIView):
    """One share that the caller's organization gave, or that came to the caller."""

    permission_classes = [Shares]

    @extend_schema(responses=ShareForm)
    def get(self, request: Any, share_id: str) -> Response:
        """The share."""
        actor, at = request._request.actor, timezone.now()
        found = share_in_sight(actor, public_id=share_id, at=at)
        return Response(as_json([found], actor, at)[0])

    @extend_schema(responses={204: None})
    def delete(self, request: Any, share_id: str) -> Response:
        """End a share that was given, and all that was shared on out of it; at once."""
        revoke_share(public_id=share_id, by=request._request.actor, at=timezone.now())
        return Response(status=204)


def as_json(shares: Sequence[Any], actor: Actor, at: datetime) -> list[dict[str, Any]]:
    """Shares as this face writes them; of their studies those that the caller may know of."""
    named = named_in_sight(actor, shares, at=at)
    return [_share(each, named.get(each.pk, [])) for each in shares]


def _share(made: Any, named: Sequence[str]) -> dict[str, Any]:
    grants = [grant for grant in made.grants.all() if grant.revoked_at is None]
    reviews = [grant.review_by for grant in grants if grant.review_by]
    actions = grants[0].action_set if grants else frozenset()
    return {
        "id": made.public_id,
        "custodian": place_of(made.custodian),
        "shared_by": made.shared_by.name,
        "shared_for": place_of(made.shared_for or made.custodian),
        "to": place_of(made.to_organization) if made.to_organization else None,
        "person": made.to_user.name if made.to_user else "",
        "team": made.to_team.name if made.to_team else "",
        "purpose": made.purpose,
        "actions": [action.value for action in Action if action in actions],
        "studies": sorted(named),
        "standing": any(not grant.study_uid for grant in grants),
        "note": made.note,
        "shared_at": made.shared_at,
        "until": max((grant.ends_at for grant in grants), default=None),
        "review_by": min(reviews, default=None),
        "renews": made.renews.public_id if made.renews else "",
    }


def place_of(organization: Any) -> dict[str, str]:
    """An organization as this face names it."""
    return {"code": organization.code, "name": organization.name}


def foreseen(preview: Preview) -> dict[str, Any]:
    """What a share or a link would change for one study."""
    basis = preview.after.basis
    return {
        "study_uid": preview.subject.study_uid,
        "before": preview.before.allowed,
        "after": preview.after.allowed,
        "consent": basis.consent,
        "until": basis.until,
        "missing": preview.missing,
    }


def _wish(request: Any) -> ShareWish:
    wish = ShareWish(data=request.data)
    wish.is_valid(raise_exception=True)
    return wish


def _meant(wish: ShareWish, actor: Actor, at: datetime) -> dict[str, Any]:
    """The studies and the grantee of a wish. Raises NotAllowed, StudyNotFound, ShareInvalid."""
    said = wish.validated_data
    studies = studies_to_share(actor, said["studies"], at=at)
    to = organization_options(without=actor.organization_id).filter(code=said["to"]).first()
    if to is None:
        raise ShareInvalid("Choose another organization of the region.")
    person, team = said["person"], said["team"]
    if person and team:
        raise ShareInvalid("Name a person or a team, not both.")
    return {
        "subjects": [study.subject for study in studies],
        "to": to,
        "purpose": Purpose(said["purpose"]),
        "actions": wish.actions,
        "person": treating_person(organization=to, public_id=person) if person else None,
        "team": treating_team(organization=to, public_id=team) if team else None,
    }


def _foreseen(wish: ShareWish, actor: Actor, at: datetime, *, until: datetime) -> list[Preview]:
    by = actor.organization_id
    return preview_share(**_meant(wish, actor, at), until=until, by=by, at=at)


def keep_inside(until: datetime, previews: Sequence[Preview]) -> None:
    """A share never outlasts the consent that carries it. Raises ShareInvalid."""
    ends = [each.after.basis.until for each in previews if each.after.allowed]
    soonest = min((end for end in ends if end is not None), default=LONGEST)
    if until > soonest:
        raise ShareInvalid(f"The consent ends {soonest.day} {soonest:%b %Y}.")
