"""Where each page is. The public ones are marked; every other asks who knocks (doors.py)."""

from importlib import import_module
from importlib.util import find_spec

from django.urls import URLPattern, path

app_name = "web"

# Public: joining/*, people.accept_invitation. A route waits here until its view is written.
ROUTES = (
    ("", "home.show", "home"),
    ("join/", "joining.apply", "apply"),
    ("join/sent/", "joining.applied", "applied"),
    ("join/verify/<str:secret>/", "joining.verify", "verify-application"),
    ("join/answer/<str:secret>/", "joining.answer", "answer-question"),
    ("operator/", "operator.listing", "applications"),
    ("operator/<str:code>/", "operator.show", "application"),
    ("people/", "people.listing", "people"),
    ("people/invite/", "people.invite", "invite"),
    ("people/<int:membership_id>/end/", "people.end", "end-membership"),
    ("welcome/<str:secret>/", "people.accept", "accept-invitation"),
    ("act-as/", "signing.act_as", "act-as"),
    ("notices/", "notices.listing", "notices"),
    ("notices/<int:notice_id>/", "notices.show", "notice"),
    # studies, patients, consents, shares, uploads, log
    ("studies/", "studies.listing", "studies"),
    ("studies/<str:public_id>/", "study.show", "study"),
    ("studies/<str:public_id>/log/", "study.log", "study-log"),
    ("studies/<str:public_id>/state/", "study.state", "study-state"),
    ("studies/<str:public_id>/thumbnail/", "study.thumbnail", "study-thumbnail"),
    (
        "series/<str:public_id>/<int:series>/thumbnail/",
        "study.series_thumbnail",
        "series-thumbnail",
    ),
    ("patients/", "patients.listing", "patients"),
    ("patients/<str:public_id>/", "patients.show", "patient"),
    ("patients/<str:public_id>/consents/new/", "consents.new", "new-consent"),
    ("patients/<str:public_id>/consents/preview/", "consents.preview", "consent-preview"),
    ("consents/", "consents.listing", "consents"),
    ("consents/<str:public_id>/", "consents.show", "consent"),
    ("consents/<str:public_id>/revoke/", "consents.revoke", "revoke-consent"),
    ("consents/<str:public_id>/evidence/", "consents.evidence", "consent-evidence"),
    ("share/", "shares.new", "share"),
    ("share/preview/", "shares.preview", "share-preview"),
    ("upload/", "uploads.page", "upload"),
    ("upload/<str:public_id>/receipt/", "uploads.receipt", "receipt"),
    ("log/", "log.listing", "log"),
)


def _routes() -> list[URLPattern]:
    found = []
    for where, view, name in ROUTES:
        module, function = view.split(".")
        if find_spec(f"sharing.web.{module}") is None:
            continue
        loaded = import_module(f"sharing.web.{module}")
        if hasattr(loaded, function):
            found.append(path(where, getattr(loaded, function), name=name))
    return found


urlpatterns = _routes()
