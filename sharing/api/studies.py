"""The portal's own REST: who I am, the studies I may know of, and one of them."""

from typing import Any

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.response import Response
from rest_framework.views import APIView

from sharing.archive.rules import Why
from sharing.archive.services.finding import Found, find_studies, grounds, open_study
from sharing.archive.services.removing import delete_study
from sharing.kernel.purposes import Action
from sharing.tenants.rules import Actor

from .forms import FilterForm, MeForm, RemovalForm, StudyDetailForm, StudyForm, patient_told
from .gate import ReadsOrDeletesStudies, ReadsStudies
from .paging import Pages


class MeView(APIView):
    """Who the caller is to the portal."""

    @extend_schema(responses=MeForm)
    def get(self, request: Any) -> Response:
        """The actor: person or machine, organization, purpose."""
        actor = request._request.actor
        return Response(MeForm(actor).data)


class NewestFirst(Pages):
    """As they arrive."""

    ordering = ("-received_at", "-id")
    orders = ("received_at",)


class StudiesView(ListAPIView):
    """The studies that the caller may know of."""

    permission_classes = [ReadsStudies]
    pagination_class = NewestFirst
    serializer_class = StudyForm

    @extend_schema(
        parameters=[
            OpenApiParameter("q", str, description="Name, patient ID or accession number"),
            OpenApiParameter("modality", str),
            OpenApiParameter("custodian", str, description="Code of the organization"),
            OpenApiParameter("patient", str, description="The patient's id here"),
            OpenApiParameter("shared", bool, description="Only what was shared with the caller"),
            OpenApiParameter("own", bool, description="Only the caller's own organization's"),
        ]
    )
    def get(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """A page of studies, each with the ground of access."""
        actor, at = request._request.actor, timezone.now()
        wanted = FilterForm(data=request.query_params)
        wanted.is_valid(raise_exception=True)
        criteria = dict(wanted.validated_data)
        found = find_studies(actor, at=at, query=criteria.pop("q", ""), **criteria)
        page = self.paginate_queryset(found) or []
        seen = grounds(actor, page, at=at)
        told = StudyForm([_study(actor, each) for each in seen], many=True)
        return self.get_paginated_response(told.data)


class StudyView(APIView):
    """One study."""

    permission_classes = [ReadsOrDeletesStudies]

    @extend_schema(responses=StudyDetailForm)
    def get(self, request: Any, study_id: str) -> Response:
        """The study with its series; the read is in the access log before this answers."""
        found = open_study(
            request._request.actor,
            public_id=study_id,
            at=timezone.now(),
            action=Action.DISCOVER,
            request_id=request._request.request_id,
        )
        series = [_series(row) for row in found.study.series.order_by("number", "pk")]
        body = _study(request._request.actor, found) | {"series": series}
        return Response(StudyDetailForm(body).data)

    @extend_schema(request=RemovalForm, responses={204: None})
    def delete(self, request: Any, study_id: str) -> Response:
        """Delete a study of the caller's own organization, for good: 409 while it is on hold.

        The body says why: `{"reason": "mistake", "words": "Sent twice"}`. A `reason` is
        `mistake`, `wrong_person`, `retention`, `request` or `other`.
        """
        wanted = RemovalForm(data=request.data)
        wanted.is_valid(raise_exception=True)
        delete_study(
            request._request.actor,
            public_id=study_id,
            why=Why(wanted.validated_data["reason"]),
            words=wanted.validated_data["words"],
            at=timezone.now(),
        )
        return Response(status=204)


def _study(actor: Actor, found: Found) -> dict[str, Any]:
    """A study as `StudyForm` writes it."""
    row, ground = found.study, found.decision
    address = f"{settings.PUBLIC_URL}/api/v1/studies/{row.public_id}/"
    dicomweb = f"{settings.PUBLIC_URL}/dicomweb/o/{row.organization.code}"
    return {
        "id": row.public_id,
        "study_uid": row.study_uid,
        "custodian": {"code": row.organization.code, "name": row.organization.name},
        "own": row.organization_id == actor.organization_id,
        "patient": patient_told(row.patient),
        "study_date": row.study_date,
        "description": row.description,
        "accession_number": row.accession_number,
        "modalities": row.modality_list,
        "series_count": row.series_count,
        "instance_count": row.instance_count,
        "state": row.state,
        "warnings": row.warnings,
        "ground": {
            "rule": ground.basis.rule,
            "reason": ground.reason,
            "consent": ground.basis.consent,
            "until": ground.basis.until,
        },
        "links": {"self": address, "dicomweb": f"{dicomweb}/studies/{row.study_uid}"},
    }


def _series(row: Any) -> dict[str, Any]:
    names = ("series_uid", "modality", "number", "description", "body_part", "laterality")
    counts = ("instance_count", "frame_count")
    return {name: getattr(row, name) for name in (*names, *counts)}
