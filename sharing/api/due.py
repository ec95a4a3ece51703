"""What ends soon, and letting it go on: renewals, reviews of standing shares, patients to tell."""

from typing import Any

from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from sharing.access.services import (
    TOLD_HOW,
    ask_renewal,
    own_share,
    preview_renewal,
    recertify,
    renew_share,
    shares_ending,
    shares_to_review,
    tell_patient,
    uses_to_tell,
)
from sharing.archive.services.gifts import share_in_sight, studies_to_renew
from sharing.consent.services import consents_ending
from sharing.tenants.errors import NotAllowed
from sharing.tenants.rules import Duty

from .consents import ConsentForm
from .consents import as_json as consent_json
from .gate import People
from .shares import ShareForm, as_json, keep_inside

MOST = 100


class UseForm(serializers.Serializer[Any]):
    """An opening of which the patient asked to be told."""

    id = serializers.CharField()
    patient = serializers.CharField()
    who = serializers.CharField()
    organization = serializers.CharField()
    kind = serializers.CharField()
    at = serializers.DateTimeField()


class DueForm(serializers.Serializer[Any]):
    """What ends within 30 days, by what the caller can do about it; null where nothing."""

    ending = ShareForm(many=True, allow_null=True)
    reviews = ShareForm(many=True, allow_null=True)
    consents = ConsentForm(many=True, allow_null=True)
    to_tell = UseForm(many=True, allow_null=True)


class RenewWish(serializers.Serializer[Any]):
    """Until when a share goes on."""

    until = serializers.DateTimeField()


class ReviewedForm(serializers.Serializer[Any]):
    """When a standing share rests, unless it is confirmed again."""

    review_by = serializers.DateTimeField()


class ToldWish(serializers.Serializer[Any]):
    """How the patient was told."""

    how = serializers.ChoiceField(choices=sorted(TOLD_HOW))


class DueView(APIView):
    """The worklist of what ends."""

    permission_classes = [People]

    @extend_schema(responses=DueForm)
    def get(self, request: Any) -> Response:
        """Shares and standing shares for who shares, consents and uses for who records them."""
        actor, at = request._request.actor, timezone.now()
        shares, records = actor.may(Duty.SHARE), actor.may(Duty.RECORD_CONSENT)
        if not (shares or records):
            raise NotAllowed()
        found: dict[str, Any] = dict.fromkeys(("ending", "reviews", "consents", "to_tell"))
        if shares:
            found["ending"] = as_json(list(shares_ending(actor, at=at)[:MOST]), actor, at)
            found["reviews"] = as_json(list(shares_to_review(actor, at=at)[:MOST]), actor, at)
        if records:
            consents = consents_ending(actor, at=at)[:MOST]
            found["consents"] = [consent_json(each) for each in consents]
            found["to_tell"] = [_use(each) for each in uses_to_tell(actor)[:MOST]]
        return Response(found)


class RenewView(APIView):
    """A share that goes on."""

    permission_classes = [People]

    @extend_schema(request=RenewWish, responses={201: ShareForm})
    def post(self, request: Any, share_id: str) -> Response:
        """A new share of the same, inside the consents of now; 409 when they carry it no more."""
        actor, at = request._request.actor, timezone.now()
        wish = RenewWish(data=request.data)
        wish.is_valid(raise_exception=True)
        until = wish.validated_data["until"]
        made = own_share(actor, public_id=share_id)
        subjects = [study.subject for study in studies_to_renew(actor, made, at=at)]
        keep_inside(until, preview_renewal(made, subjects, at=at))
        new = renew_share(public_id=share_id, subjects=subjects, until=until, by=actor, at=at)
        found = share_in_sight(actor, public_id=new.public_id, at=at)
        where = {"Location": reverse("api:share", args=[new.public_id])}
        return Response(as_json([found], actor, at)[0], status=201, headers=where)


class StillNeededView(APIView):
    """A standing share that is confirmed."""

    permission_classes = [People]

    @extend_schema(request=None, responses=ReviewedForm)
    def post(self, request: Any, share_id: str) -> Response:
        """It is still needed: asked again within a quarter."""
        until = recertify(public_id=share_id, by=request._request.actor, at=timezone.now())
        return Response({"review_by": until})


class AskRenewalView(APIView):
    """A grantee's word that a share is still needed."""

    permission_classes = [People]

    @extend_schema(request=None, responses={204: None})
    def post(self, request: Any, share_id: str) -> Response:
        """Who shares there is told."""
        actor, at = request._request.actor, timezone.now()
        share_in_sight(actor, public_id=share_id, at=at)
        ask_renewal(public_id=share_id, by=actor, at=at)
        return Response(status=204)


class ToldView(APIView):
    """A patient who was told of a use."""

    permission_classes = [People]

    @extend_schema(request=ToldWish, responses={204: None})
    def post(self, request: Any, use_id: str) -> Response:
        """Recorded, with how."""
        wish = ToldWish(data=request.data)
        wish.is_valid(raise_exception=True)
        actor, how = request._request.actor, wish.validated_data["how"]
        tell_patient(public_id=use_id, how=how, by=actor, at=timezone.now())
        return Response(status=204)


def _use(use: Any) -> dict[str, Any]:
    return {
        "id": use.public_id,
        "patient": use.consent.patient.public_id,
        "who": use.actor_name,
        "organization": use.organization.code if use.organization else "",
        "kind": use.kind,
        "at": use.starts_at,
    }
