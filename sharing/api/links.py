"""Links: those that were given, giving one, and ending one."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.pagination import CursorPagination
from rest_framework.response import Response
from rest_framework.views import APIView

from sharing.access.services import Preview
from sharing.archive.services.gifts import named_in_sight
from sharing.archive.services.showing import studies_to_share
from sharing.exchange.services import (
    LinkWanted,
    link_made,
    links_made,
    make_link,
    opens_now,
    preview_link,
    revoke_link,
)
from sharing.kernel.purposes import Action, Purpose
from sharing.tenants.rules import Actor

from .gate import People
from .shares import (
    LONGEST,
    MOST_STUDIES,
    ForeseenForm,
    PlaceForm,
    foreseen,
    keep_inside,
    place_of,
)

MAY = [Action.IMAGES.value, Action.DOWNLOAD.value]
PURPOSES = [Purpose.TREATMENT.value, Purpose.PATIENT_REQUEST.value]


class LinkWish(serializers.Serializer[Any]):
    """What a link opens, for whom, from when until when, how often: the fields of the page."""

    studies = serializers.ListField(
        child=serializers.CharField(max_length=24), min_length=1, max_length=MOST_STUDIES
    )
    purpose = serializers.ChoiceField(choices=PURPOSES, default=Purpose.TREATMENT.value)
    may = serializers.ChoiceField(choices=MAY, default=Action.IMAGES.value)
    until = serializers.DateTimeField()
    not_before = serializers.DateTimeField(required=False, default=None, allow_null=True)
    uses = serializers.IntegerField(default=1)
    code = serializers.CharField(
        max_length=32,
        required=False,
        default="",
        allow_blank=True,
        help_text="Blank: one of eight letters and digits is made",
    )
    note = serializers.CharField(max_length=1000, required=False, default="", allow_blank=True)

    @property
    def actions(self) -> tuple[Action, ...]:
        """The ladder up to what was chosen."""
        return Action(self.validated_data["may"]).ladder


class LinkForm(serializers.Serializer[Any]):
    """A link without its secret. `studies` are the UIDs that the caller may know of."""

    id = serializers.CharField()
    state = serializers.CharField()
    custodian = PlaceForm()
    given_by = serializers.CharField()
    given_for = PlaceForm()
    given_at = serializers.DateTimeField()
    purpose = serializers.CharField()
    actions = serializers.ListField(child=serializers.CharField())
    studies = serializers.ListField(child=serializers.CharField())
    note = serializers.CharField()
    not_before = serializers.DateTimeField()
    until = serializers.DateTimeField()
    uses = serializers.IntegerField()
    used = serializers.IntegerField()
    last_used_at = serializers.DateTimeField(allow_null=True)
    wrong_codes = serializers.IntegerField()


class LinkNowForm(LinkForm):
    """The same, and whether it opens anything now: consents are asked at each use."""

    opens = serializers.BooleanField()


class MadeForm(LinkForm):
    """A new link, with what is said this once and kept nowhere."""

    address = serializers.CharField()
    code = serializers.CharField()


class NewestLinks(CursorPagination):
    """Pages that neither skip nor repeat while links are given."""

    page_size = 50
    max_page_size = 200
    page_size_query_param = "limit"
    ordering = ("-share__shared_at", "-id")


class LinksView(ListAPIView):
    """The links that the caller's organization gave, and all to what it holds."""

    permission_classes = [People]
    about = "links"
    pagination_class = NewestLinks
    serializer_class = LinkForm

    @extend_schema(responses=LinkForm(many=True))
    def get(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """A page of links, whatever became of them, the newest first."""
        actor, at = request._request.actor, timezone.now()
        page = self.paginate_queryset(links_made(actor)) or []
        return self.get_paginated_response(_links(page, actor, at))

    @extend_schema(request=LinkWish, responses={201: MadeForm})
    def post(self, request: Any) -> Response:
        """Give one. 409 `not_covered` names what the consents lack; then there is no link."""
        actor, at = request._request.actor, timezone.now()
        wish = _wish(request)
        said = wish.validated_data
        studies = studies_to_share(actor, said["studies"], at=at)
        keep_inside(said["until"], _foreseen(wish, studies, actor, at, until=LONGEST))
        wanted = LinkWanted(
            purpose=Purpose(said["purpose"]),
            until=said["until"],
            not_before=said["not_before"],
            uses=said["uses"],
            actions=wish.actions,
            note=said["note"],
            code=said["code"],
        )
        subjects = [study.subject for study in studies]
        made = make_link(subjects=subjects, wanted=wanted, by=actor, at=at)
        [shown] = _links([link_made(actor, public_id=made.link.public_id)], actor, at)
        address = f"{settings.PUBLIC_URL}{reverse('web:open-link')}#{made.secret}"
        once = {"address": address, "code": made.code}
        return Response(shown | once, status=201, headers={"Cache-Control": "no-store"})


class LinkPreviewView(APIView):
    """Whether consents carry a link, before it is made."""

    permission_classes = [People]
    about = "links"

    @extend_schema(request=LinkWish, responses=ForeseenForm(many=True))
    def post(self, request: Any) -> Response:
        """Study by study: whether whoever had the link could do this, or what is missing."""
        actor, at = request._request.actor, timezone.now()
        wish = _wish(request)
        studies = studies_to_share(actor, wish.validated_data["studies"], at=at)
        until = wish.validated_data["until"]
        found = _foreseen(wish, studies, actor, at, until=until)
        return Response([foreseen(each) for each in found])


class LinkView(APIView):
    """One link."""

    permission_classes = [People]
    about = "links"

    @extend_schema(responses=LinkNowForm)
    def get(self, request: Any, link_id: str) -> Response:
        """404 for a link that is none of the caller's business."""
        actor, at = request._request.actor, timezone.now()
        [shown] = _links([link_made(actor, public_id=link_id)], actor, at)
        return Response(shown | {"opens": opens_now(link_id, at=at)})

    @extend_schema(responses={204: None})
    def delete(self, request: Any, link_id: str) -> Response:
        """End it at once, for those too who came in by it."""
        revoke_link(public_id=link_id, by=request._request.actor, at=timezone.now())
        return Response(status=204)


def _wish(request: Any) -> LinkWish:
    wish = LinkWish(data=request.data)
    wish.is_valid(raise_exception=True)
    return wish


def _foreseen(
    wish: LinkWish, studies: Sequence[Any], actor: Actor, at: datetime, *, until: datetime
) -> list[Preview]:
    return preview_link(
        [study.subject for study in studies],
        purpose=Purpose(wish.validated_data["purpose"]),
        until=until,
        by=actor.organization_id,
        at=at,
        actions=wish.actions,
    )


def _links(links: Sequence[Any], actor: Actor, at: datetime) -> list[dict[str, Any]]:
    named = named_in_sight(actor, [link.share for link in links], at=at)
    return [_link(link, named.get(link.share_id, []), at) for link in links]


def _link(link: Any, named: Sequence[str], at: datetime) -> dict[str, Any]:
    share = link.share
    given = {action for grant in share.grants.all() for action in grant.action_set}
    return {
        "id": link.public_id,
        "state": link.state_at(at),
        "custodian": place_of(share.custodian),
        "given_by": share.shared_by.name,
        "given_for": place_of(share.shared_for or share.custodian),
        "given_at": share.shared_at,
        "purpose": share.purpose,
        "actions": [action.value for action in Action if action in given],
        "studies": sorted(named),
        "note": share.note,
        "not_before": link.not_before,
        "until": link.expires_at,
        "uses": link.uses,
        "used": link.used,
        "last_used_at": link.last_used_at,
        "wrong_codes": link.failed,
    }
