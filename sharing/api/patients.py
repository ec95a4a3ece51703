"""Patients in sight, and the series and images of a study with the way to them by DICOMweb."""

from typing import Any

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.response import Response
from rest_framework.views import APIView

from sharing.archive.services.finding import open_study
from sharing.archive.services.showing import (
    patient_in_sight,
    patients_in_sight,
    require_patients,
)
from sharing.kernel.errors import Absent
from sharing.kernel.purposes import Action

from .forms import OrganizationForm, PatientForm, SeriesForm, patient_told
from .gate import ReadsStudies, Scoped
from .paging import Pages


class PatientInSightForm(PatientForm):
    """A patient with the custodian that knows them so."""

    custodian = OrganizationForm()


class ImageForm(serializers.Serializer[Any]):
    """An instance, and where it is retrieved."""

    sop_uid = serializers.CharField()
    sop_class_uid = serializers.CharField()
    transfer_syntax = serializers.CharField()
    number = serializers.IntegerField(allow_null=True)
    rows = serializers.IntegerField(allow_null=True)
    columns = serializers.IntegerField(allow_null=True)
    frames = serializers.IntegerField()
    dicomweb = serializers.URLField()


class SeriesLinkedForm(SeriesForm):
    """A series, and where it is retrieved."""

    dicomweb = serializers.URLField()


_OF_SERIES = (
    "series_uid",
    "modality",
    "number",
    "description",
    "body_part",
    "laterality",
    "instance_count",
    "frame_count",
)
_OF_IMAGE = (
    "sop_uid",
    "sop_class_uid",
    "transfer_syntax",
    "number",
    "rows",
    "columns",
    "frames",
)


class ByName(Pages):
    """As a list of people is read."""

    ordering = ("search_key", "id")
    orders = ("search_key",)


class InOrder(Pages):
    """As they came."""

    ordering = ("id",)
    max_page_size = 1000


class PatientsView(ListAPIView):
    """The own patients, and those of whom the caller may see a study."""

    permission_classes = [Scoped]
    about = "patients"
    pagination_class = ByName
    serializer_class = PatientInSightForm

    @extend_schema(parameters=[OpenApiParameter("q", str, description="Name or patient ID")])
    def get(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """A page of them."""
        actor = request._request.actor
        require_patients(actor)
        query = request.query_params.get("q", "")[:200]
        found = patients_in_sight(actor, at=timezone.now(), query=query)
        page = self.paginate_queryset(found) or []
        return self.get_paginated_response([_patient(each) for each in page])


class PatientView(APIView):
    """One patient in sight."""

    permission_classes = [Scoped]
    about = "patients"

    @extend_schema(responses=PatientInSightForm)
    def get(self, request: Any, patient_id: str) -> Response:
        """Out of sight is not there."""
        actor = request._request.actor
        require_patients(actor)
        return Response(_patient(patient_in_sight(actor, public_id=patient_id, at=timezone.now())))


class StudySeriesView(ListAPIView):
    """The series of a study."""

    permission_classes = [ReadsStudies]
    pagination_class = InOrder
    serializer_class = SeriesLinkedForm

    def get(self, request: Any, study_id: str, **kwargs: Any) -> Response:
        """A page of them; the read is in the access log before this answers."""
        study = _opened(request, study_id)
        page = self.paginate_queryset(study.series.all()) or []
        told = [
            {name: getattr(row, name) for name in _OF_SERIES}
            | {"dicomweb": _address(study, row.series_uid)}
            for row in page
        ]
        return self.get_paginated_response(told)


class StudyImagesView(ListAPIView):
    """The instances of a series."""

    permission_classes = [ReadsStudies]
    pagination_class = InOrder
    serializer_class = ImageForm

    def get(self, request: Any, study_id: str, series_uid: str, **kwargs: Any) -> Response:
        """A page of them; a series of another study is not there."""
        study = _opened(request, study_id)
        series = study.series.filter(series_uid=series_uid).first()
        if series is None:
            raise Absent()
        page = self.paginate_queryset(series.instances.defer("metadata", "summary", "layout")) or []
        base = _address(study, series_uid)
        told = [
            {name: getattr(row, name) for name in _OF_IMAGE}
            | {"dicomweb": f"{base}/instances/{row.sop_uid}"}
            for row in page
        ]
        return self.get_paginated_response(told)


def _opened(request: Any, study_id: str) -> Any:
    return open_study(
        request._request.actor,
        public_id=study_id,
        at=timezone.now(),
        action=Action.DISCOVER,
        request_id=request._request.request_id,
    ).study


def _address(study: Any, series_uid: str) -> str:
    root = f"{settings.PUBLIC_URL}/dicomweb/o/{study.organization.code}"
    return f"{root}/studies/{study.study_uid}/series/{series_uid}"


def _patient(row: Any) -> dict[str, Any]:
    custodian = {"code": row.organization.code, "name": row.organization.name}
    return patient_told(row) | {"custodian": custodian}
