"""Copies that name nobody, for research: what there is, counted, and one file of it."""

from typing import Any

from django.http import StreamingHttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.response import Response
from rest_framework.views import APIView

from sharing.archive.services.unnamed import export_unnamed, kinds_to_copy
from sharing.kernel.zipped import zipped

from .gate import ReadsStudies


class CopyKindForm(serializers.Serializer[Any]):
    """Images of one modality that may be had without names."""

    modality = serializers.CharField()
    studies = serializers.IntegerField()
    images = serializers.IntegerField()


class CopyKindsForm(serializers.Serializer[Any]):
    """All kinds; no study, patient or custodian is named."""

    results = CopyKindForm(many=True)


class ChosenForm(serializers.Serializer[Any]):
    """Of which images; blank: of all."""

    modality = serializers.RegexField("^[A-Z]{1,16}$", required=False, default="")


class CopiesView(APIView):
    """What the caller may have for research, without names."""

    permission_classes = [ReadsStudies]

    @extend_schema(responses=CopyKindsForm)
    def get(self, request: Any) -> Response:
        """How many studies and images of each kind; 404 for who does not act for research."""
        kinds = kinds_to_copy(request._request.actor, at=timezone.now())
        return Response(CopyKindsForm({"results": kinds}).data)


class AnyForm(BaseContentNegotiation):
    """A file is what it is, whatever is accepted; a refusal is JSON."""

    def select_parser(self, request: Any, parsers: Any) -> Any:
        """Nothing is read."""
        return parsers[0]

    def select_renderer(self, request: Any, renderers: Any, format_suffix: Any = None) -> Any:
        """For refusals."""
        return renderers[0], renderers[0].media_type


class CopiesFileView(APIView):
    """Copies without names, in one ZIP that is made while it is sent."""

    permission_classes = [ReadsStudies]
    content_negotiation_class = AnyForm
    http_method_names = ["get", "options"]  # a HEAD would be one more copy in the log

    @extend_schema(
        parameters=[OpenApiParameter("modality", str, description="Only these; else all")],
        responses={(200, "application/zip"): OpenApiTypes.BINARY},
    )
    def get(self, request: Any) -> StreamingHttpResponse:
        """DICOM files under names of this answer's own, and `manifest.json` at its end.

        Who takes it promises not to find out who the patients are. It breaks off when a patient
        withdraws: a ZIP without its end is not whole. 404 where there is nothing to have.
        """
        wanted = ChosenForm(data=request.query_params)
        wanted.is_valid(raise_exception=True)
        export = export_unnamed(
            request._request.actor,
            modality=wanted.validated_data["modality"],
            clock=timezone.now,
            request_id=request._request.request_id,
        )
        response = StreamingHttpResponse(zipped(export.files()), content_type="application/zip")
        response["Content-Disposition"] = 'attachment; filename="copies-without-names.zip"'
        response["Cache-Control"] = "no-store"
        return response
