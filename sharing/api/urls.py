"""Routes of the portal's own REST face, version 1."""

from django.urls import path
from drf_spectacular.views import SpectacularJSONAPIView

from . import schema, uploads
from .explaining import ExplainView
from .log import ConsistencyView, HeadsView, WitnessView
from .studies import MeView, StudiesView, StudyView

app_name = "api"
__all__ = ["app_name", "schema", "urlpatterns"]

urlpatterns = [
    path("v1/me/", MeView.as_view(), name="me"),
    path("v1/studies/", StudiesView.as_view(), name="studies"),
    path("v1/studies/<str:study_id>/", StudyView.as_view(), name="study"),
    path("v1/explain/", ExplainView.as_view(), name="explain"),
    path("v1/log/heads/", HeadsView.as_view(), name="log-heads"),
    path("v1/log/consistency/", ConsistencyView.as_view(), name="log-consistency"),
    path("v1/log/heads/<int:number>/witness/", WitnessView.as_view(), name="log-witness"),
    path("v1/schema/", SpectacularJSONAPIView.as_view(), name="schema"),
    path("v1/uploads/", uploads.uploads, name="uploads"),
    path("v1/uploads/<str:upload_id>/", uploads.upload, name="upload"),
    path("v1/upload-batches/", uploads.batches, name="upload-batches"),
    path("v1/upload-batches/<str:batch_id>/", uploads.batch, name="upload-batch"),
    path("v1/upload-batches/<str:batch_id>/close/", uploads.close, name="upload-batch-close"),
]
