"""The caller's own organization: itself, who works there, and what the access log says of it."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.response import Response
from rest_framework.views import APIView

from sharing.audit.services import lines_of, log_export
from sharing.kernel.errors import Absent
from sharing.tenants.rules import Duty
from sharing.tenants.services import members, organization_of, require

from .gate import Scoped
from .paging import Pages


class OwnOrganizationForm(serializers.Serializer[Any]):
    """An organization as its own people and machines read it."""

    code = serializers.CharField()
    name = serializers.CharField()
    native_name = serializers.CharField()
    kind = serializers.CharField()
    state = serializers.CharField()
    country = serializers.CharField()
    facility_identifier = serializers.CharField()
    patient_id_issuer = serializers.CharField()
    requires_second_factor = serializers.BooleanField()


class OwnOrganizationsForm(serializers.Serializer[Any]):
    """The one that the caller acts for."""

    results = OwnOrganizationForm(many=True)


class StaffForm(serializers.Serializer[Any]):
    """One role of one person here."""

    person = serializers.CharField(source="user.public_id")
    name = serializers.CharField(source="user.name")
    role = serializers.CharField()
    since = serializers.DateTimeField()


class EventForm(serializers.Serializer[Any]):
    """One line of the access log, by value."""

    id = serializers.IntegerField()
    at = serializers.DateTimeField()
    actor_kind = serializers.CharField()
    actor = serializers.CharField(source="actor_id")
    actor_name = serializers.CharField()
    organization = serializers.CharField()
    client = serializers.CharField()
    purpose = serializers.CharField()
    action = serializers.CharField()
    permitted = serializers.BooleanField()
    rule = serializers.CharField()
    reason = serializers.CharField()
    consent = serializers.CharField()
    patient = serializers.CharField()
    study = serializers.CharField()
    request_id = serializers.CharField()


class SinceForm(serializers.Serializer[Any]):
    """What of the log."""

    since = serializers.DateTimeField(required=False)
    until = serializers.DateTimeField(required=False)
    action = serializers.CharField(required=False, max_length=40)
    study = serializers.CharField(required=False, max_length=24)
    patient = serializers.CharField(required=False, max_length=24)


class StaffPages(Pages):
    """The longest here first."""

    ordering = ("since", "id")
    orders = ("since",)


class EventPages(Pages):
    """The newest first."""

    ordering = ("-at", "-id")
    orders = ("at",)


class OrganizationsView(APIView):
    """The organization that the caller acts for; there is no list of others."""

    @extend_schema(operation_id="organizations_list", responses=OwnOrganizationsForm)
    def get(self, request: Any) -> Response:
        """One row."""
        own = organization_of(request._request.actor)
        return Response({"results": [OwnOrganizationForm(own).data]})


class OrganizationView(APIView):
    """The caller's own organization by its code."""

    @extend_schema(responses=OwnOrganizationForm)
    def get(self, request: Any, code: str) -> Response:
        """Another one is not there."""
        actor = request._request.actor
        if code != actor.organization_code:
            raise Absent()
        return Response(OwnOrganizationForm(organization_of(actor)).data)


class StaffView(ListAPIView):
    """Who holds which role at the caller's organization."""

    permission_classes = [Scoped]
    about = "staff"
    pagination_class = StaffPages
    serializer_class = StaffForm

    def get_queryset(self) -> Any:
        """For administrators, and machines with the scope. Raises NotAllowed."""
        actor = self.request._request.actor  # type: ignore[attr-defined]
        if actor.kind != "client":
            require(actor, Duty.MANAGE_MEMBERS)
        return members(actor.organization_id)


class EventsView(ListAPIView):
    """The access log of what the caller's organization answers for."""

    permission_classes = [Scoped]
    about = "log"
    pagination_class = EventPages
    serializer_class = EventForm

    @extend_schema(
        parameters=[
            OpenApiParameter("since", str, description="From that moment on"),
            OpenApiParameter("until", str, description="Before that moment"),
            OpenApiParameter("action", str, description="Such lines only: study.images"),
            OpenApiParameter("study", str, description="The study's id here"),
            OpenApiParameter("patient", str, description="The patient's id here"),
        ]
    )
    def get(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """For privacy officers, and machines with the scope; that it was read is in the log."""
        actor, at = request._request.actor, timezone.now()
        if actor.kind != "client":
            require(actor, Duty.READ_LOG)
        form = SinceForm(data=request.query_params)
        form.is_valid(raise_exception=True)
        wanted = form.validated_data
        found = lines_of(custodian=actor.organization_code, **wanted)
        page = self.paginate_queryset(found) or []
        log_export(
            custodian=actor.organization_code,
            since=wanted.get("since", at),
            by=actor.who,
            at=at,
        )
        return self.get_paginated_response(EventForm(page, many=True).data)
