"""What became of work that was handed in: the caller's own deliveries of files."""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.response import Response

from sharing.archive.services.uploading import own_batches

from .gate import Scoped
from .paging import Pages


class JobForm(serializers.Serializer[Any]):
    """One delivery, and where its receipt is."""

    id = serializers.CharField()
    kind = serializers.ChoiceField(choices=["upload"])
    state = serializers.ChoiceField(choices=["open", "receiving", "done"])
    opened_at = serializers.DateTimeField()
    closed_at = serializers.DateTimeField(allow_null=True)
    receipt = serializers.URLField()


class JobPages(Pages):
    """The newest first."""

    ordering = ("-opened_at", "-id")
    orders = ("opened_at",)


class JobsView(ListAPIView):
    """The caller's own work."""

    permission_classes = [Scoped]
    about = "jobs"
    pagination_class = JobPages
    serializer_class = JobForm

    @extend_schema()
    def get(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """A page of it."""
        page = self.paginate_queryset(own_batches(request._request.actor)) or []
        return self.get_paginated_response([_job(batch) for batch in page])


def _job(batch: Any) -> dict[str, Any]:
    state = "done" if batch.is_done else "receiving" if batch.closed_at else "open"
    return JobForm(
        {
            "id": batch.public_id,
            "kind": "upload",
            "state": state,
            "opened_at": batch.opened_at,
            "closed_at": batch.closed_at,
            "receipt": f"{settings.PUBLIC_URL}/api/v1/upload-batches/{batch.public_id}/",
        }
    ).data
