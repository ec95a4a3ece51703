"""Consents of the own patients: what is on file, and recording that one was withdrawn."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.pagination import CursorPagination
from rest_framework.response import Response
from rest_framework.views import APIView

from sharing.consent.services import consents_recorded, own_consent, revoke_consent
from sharing.tenants.errors import NotAllowed
from sharing.tenants.rules import Actor, Duty
from sharing.tenants.services import require

from .gate import People

READERS = (Duty.RECORD_CONSENT, Duty.SHARE, Duty.READ_LOG)
"""Whose work needs to know what the patients of their own organization said."""


class OfWhomForm(serializers.Serializer[Any]):
    """What a list of consents may be narrowed by."""

    patient = serializers.CharField(required=False, max_length=24)
    state = serializers.CharField(required=False, max_length=20)


class RevokeWish(serializers.Serializer[Any]):
    """Why it ends; the access log keeps it."""

    why = serializers.CharField(max_length=300, default="The patient asked for it.")


class GranteeForm(serializers.Serializer[Any]):
    """One whom it names, or of a denial one whom it leaves out."""

    kind = serializers.CharField()
    name = serializers.CharField()
    role = serializers.CharField()
    excepted = serializers.BooleanField()


class ConsentForm(serializers.Serializer[Any]):
    """One version of a consent."""

    id = serializers.CharField()
    number = serializers.CharField()
    version = serializers.IntegerField()
    patient = serializers.CharField()
    state = serializers.CharField()
    decision = serializers.CharField()
    force = serializers.CharField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField(allow_null=True)
    data_from = serializers.DateField(allow_null=True)
    data_until = serializers.DateField(allow_null=True)
    grantees = GranteeForm(many=True)
    terms = serializers.DictField(child=serializers.ListField(child=serializers.CharField()))
    obligations = serializers.ListField(child=serializers.CharField())
    maximum_uses = serializers.IntegerField(allow_null=True)
    used = serializers.IntegerField()
    performer = serializers.CharField()
    verification = serializers.CharField()
    recorded_by = serializers.CharField()
    recorded_at = serializers.DateTimeField()
    ended_by = serializers.CharField()
    ended_at = serializers.DateTimeField(allow_null=True)
    ended_why = serializers.CharField()


class NewestConsents(CursorPagination):
    """Pages that neither skip nor repeat while consents are recorded."""

    page_size = 50
    max_page_size = 200
    page_size_query_param = "limit"
    ordering = ("-recorded_at", "-id")


class ConsentsView(ListAPIView):
    """The consents that the caller's organization keeps."""

    permission_classes = [People]
    about = "consents"
    pagination_class = NewestConsents
    serializer_class = ConsentForm

    @extend_schema(
        parameters=[
            OpenApiParameter("patient", str, description="The patient's id here"),
            OpenApiParameter("state", str, description="active, revoked, expired, ..."),
        ]
    )
    def get(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """A page of consents, all versions, the newest first."""
        actor = _reader(request)
        wanted = OfWhomForm(data=request.query_params)
        wanted.is_valid(raise_exception=True)
        found = consents_recorded(actor)
        if patient := wanted.validated_data.get("patient"):
            found = found.filter(patient__public_id=patient)
        if state := wanted.validated_data.get("state"):
            found = found.filter(state=state)
        page = self.paginate_queryset(found) or []
        return self.get_paginated_response([as_json(each) for each in page])


class ConsentView(APIView):
    """One version of a consent."""

    permission_classes = [People]
    about = "consents"

    @extend_schema(responses=ConsentForm)
    def get(self, request: Any, consent_id: str) -> Response:
        """What it says."""
        return Response(as_json(own_consent(_reader(request), public_id=consent_id)))


class RevokeView(APIView):
    """The end of a consent."""

    permission_classes = [People]
    about = "consents"

    @extend_schema(request=RevokeWish, responses=ConsentForm)
    def post(self, request: Any, consent_id: str) -> Response:
        """The patient withdrew it: final, and effective when this answers."""
        actor: Actor = request._request.actor
        require(actor, Duty.RECORD_CONSENT)
        wish = RevokeWish(data=request.data)
        wish.is_valid(raise_exception=True)
        consent = own_consent(actor, public_id=consent_id)
        why = wish.validated_data["why"]
        revoke_consent(consent=consent, by=actor, why=why, at=timezone.now())
        return Response(as_json(own_consent(actor, public_id=consent_id)))


def as_json(consent: Any) -> dict[str, Any]:
    """A version as this face writes it; its signed form stays at the desk."""
    terms: dict[str, list[str]] = {}
    for term in consent.terms.all():
        terms.setdefault(term.axis, []).append(term.value)
    names = (
        "version", "state", "decision", "force", "starts_at", "ends_at", "data_from",
        "data_until", "maximum_uses", "used", "performer", "verification", "recorded_by",
        "recorded_at", "ended_by", "ended_at", "ended_why",
    )  # fmt: skip
    return {
        "id": consent.public_id,
        "number": consent.reference,
        "patient": consent.patient.public_id,
        **{name: getattr(consent, name) for name in names},
        "grantees": [_grantee(each) for each in consent.grantees.all()],
        "terms": {axis: sorted(values) for axis, values in sorted(terms.items())},
        "obligations": [each for each in consent.obligations.split("|") if each],
    }


def _grantee(each: Any) -> dict[str, Any]:
    named = each.organization or each.user or each.team
    return {
        "kind": each.kind,
        "name": named.name if named else "",
        "role": each.role,
        "excepted": each.excepted,
    }


def _reader(request: Any) -> Actor:
    actor: Actor = request._request.actor
    if not any(actor.may(duty) for duty in READERS):
        raise NotAllowed()
    return actor
