"""Routes of the portal's own REST face, version 1."""

from django.urls import path
from drf_spectacular.views import SpectacularJSONAPIView

from . import albums, consents, copies, due, house, links, requests, schema, shares, uploads
from .clients import ClientsView, ClientView, RotateClientView
from .explaining import ExplainView
from .jobs import JobsView
from .log import ConsistencyView, HeadsView, WitnessView
from .patients import PatientsView, PatientView, StudyImagesView, StudySeriesView
from .studies import MeView, StudiesView, StudyView
from .webhooks import (
    DeliveriesView,
    RedeliverView,
    RotateWebhookView,
    TryWebhookView,
    WebhooksView,
    WebhookView,
)

app_name = "api"
REQUEST = "v1/requests/<str:request_id>/"
SHARE = "v1/shares/<str:share_id>/"
ALBUM = "v1/albums/<str:album_id>/"
HOOK, CLIENT = "v1/webhooks/<str:webhook_id>/", "v1/clients/<str:client_id>/"
__all__ = ["app_name", "schema", "urlpatterns"]

urlpatterns = [
    path("v1/me/", MeView.as_view(), name="me"),
    path("v1/studies/", StudiesView.as_view(), name="studies"),
    path("v1/studies/<str:study_id>/", StudyView.as_view(), name="study"),
    path("v1/copies/", copies.CopiesView.as_view(), name="copies"),
    path("v1/copies/zip/", copies.CopiesFileView.as_view(), name="copies-zip"),
    path("v1/explain/", ExplainView.as_view(), name="explain"),
    path("v1/shares/", shares.SharesView.as_view(), name="shares"),
    path("v1/shares/preview/", shares.SharePreviewView.as_view(), name="share-preview"),
    path(SHARE, shares.ShareView.as_view(), name="share"),
    path(f"{SHARE}renew/", due.RenewView.as_view(), name="renew-share"),
    path(f"{SHARE}still-needed/", due.StillNeededView.as_view(), name="certify-share"),
    path(f"{SHARE}ask-renewal/", due.AskRenewalView.as_view(), name="ask-renewal"),
    path("v1/due/", due.DueView.as_view(), name="due"),
    path("v1/due/told/<str:use_id>/", due.ToldView.as_view(), name="tell-patient"),
    path("v1/links/", links.LinksView.as_view(), name="links"),
    path("v1/links/preview/", links.LinkPreviewView.as_view(), name="link-preview"),
    path("v1/links/<str:link_id>/", links.LinkView.as_view(), name="link"),
    path("v1/albums/", albums.AlbumsView.as_view(), name="albums"),
    path(ALBUM, albums.AlbumView.as_view(), name="album"),
    path(f"{ALBUM}studies/", albums.AlbumStudiesView.as_view(), name="album-studies"),
    path(f"{ALBUM}studies/<str:study_id>/", albums.AlbumStudyView.as_view(), name="album-study"),
    path(f"{ALBUM}members/", albums.AlbumMembersView.as_view(), name="album-members"),
    path(f"{ALBUM}members/<str:member_id>/", albums.AlbumMemberView.as_view(), name="album-member"),
    path("v1/requests/", requests.RequestsView.as_view(), name="requests"),
    path(REQUEST, requests.RequestView.as_view(), name="request"),
    path(f"{REQUEST}approve/", requests.ApproveView.as_view(), name="approve-request"),
    path(f"{REQUEST}refuse/", requests.RefuseView.as_view(), name="refuse-request"),
    path(f"{REQUEST}withdraw/", requests.WithdrawView.as_view(), name="withdraw-request"),
    path("v1/consents/", consents.ConsentsView.as_view(), name="consents"),
    path("v1/consents/<str:consent_id>/", consents.ConsentView.as_view(), name="consent"),
    path(
        "v1/consents/<str:consent_id>/revoke/",
        consents.RevokeView.as_view(),
        name="revoke-consent",
    ),
    path("v1/log/heads/", HeadsView.as_view(), name="log-heads"),
    path("v1/log/consistency/", ConsistencyView.as_view(), name="log-consistency"),
    path("v1/log/heads/<int:number>/witness/", WitnessView.as_view(), name="log-witness"),
    path("v1/studies/<str:study_id>/series/", StudySeriesView.as_view(), name="study-series"),
    path(
        "v1/studies/<str:study_id>/series/<str:series_uid>/instances/",
        StudyImagesView.as_view(),
        name="study-instances",
    ),
    path("v1/patients/", PatientsView.as_view(), name="patients"),
    path("v1/patients/<str:patient_id>/", PatientView.as_view(), name="patient"),
    path("v1/organizations/", house.OrganizationsView.as_view(), name="organizations"),
    path("v1/organizations/<str:code>/", house.OrganizationView.as_view(), name="organization"),
    path("v1/staff/", house.StaffView.as_view(), name="staff"),
    path("v1/audit/", house.EventsView.as_view(), name="audit"),
    path("v1/jobs/", JobsView.as_view(), name="jobs"),
    path("v1/clients/", ClientsView.as_view(), name="clients"),
    path(CLIENT, ClientView.as_view(), name="client"),
    path(f"{CLIENT}rotate/", RotateClientView.as_view(), name="rotate-client"),
    path("v1/webhooks/", WebhooksView.as_view(), name="webhooks"),
    path(HOOK, WebhookView.as_view(), name="webhook"),
    path(f"{HOOK}rotate/", RotateWebhookView.as_view(), name="rotate-webhook"),
    path(f"{HOOK}test/", TryWebhookView.as_view(), name="test-webhook"),
    path(f"{HOOK}deliveries/", DeliveriesView.as_view(), name="deliveries"),
    path(f"{HOOK}deliveries/<str:delivery_id>/again/", RedeliverView.as_view(), name="redeliver"),
    path("v1/docs/", schema.DocsView.as_view(), name="docs"),
    path("v1/schema/", SpectacularJSONAPIView.as_view(), name="schema"),
    path("v1/uploads/", uploads.uploads, name="uploads"),
    path("v1/uploads/<str:upload_id>/", uploads.upload, name="upload"),
    path("v1/upload-batches/", uploads.batches, name="upload-batches"),
    path("v1/upload-batches/<str:batch_id>/", uploads.batch, name="upload-batch"),
    path("v1/upload-batches/<str:batch_id>/close/", uploads.close, name="upload-batch-close"),
]
