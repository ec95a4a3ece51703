"""Where each page is. Strangers reach joining/* and people.accept; all others ask who knocks."""

from django.urls import path

from . import (
    accounting,
    conflicts,
    consents,
    emergency,
    home,
    joining,
    log,
    notices,
    operator,
    patients,
    people,
    privacy,
    removal,
    requests,
    shares,
    signing,
    studies,
    study,
    uploads,
)

app_name = "web"
CONSENT, PATIENT = "consents/<str:public_id>/", "patients/<str:public_id>/"
STUDY = "studies/<str:public_id>/"

urlpatterns = [
    path("", home.show, name="home"),
    # an organization joins the region
    path("join/", joining.apply, name="apply"),
    path("join/sent/", joining.applied, name="applied"),
    path("join/verify/<str:secret>/", joining.verify, name="verify-application"),
    path("join/answer/<str:secret>/", joining.answer, name="answer-question"),
    path("operator/", operator.listing, name="applications"),
    path("operator/<str:code>/", operator.show, name="application"),
    # its people
    path("people/", people.listing, name="people"),
    path("people/invite/", people.invite, name="invite"),
    path("people/<int:membership_id>/end/", people.end, name="end-membership"),
    path("welcome/<str:secret>/", people.accept, name="accept-invitation"),
    path("act-as/", signing.act_as, name="act-as"),
    path("notices/", notices.listing, name="notices"),
    path("notices/<int:notice_id>/", notices.show, name="notice"),
    # studies and patients
    path("studies/", studies.listing, name="studies"),
    path(STUDY, study.show, name="study"),
    path(f"{STUDY}log/", study.log, name="study-log"),
    path(f"{STUDY}delete/", removal.delete, name="delete-study"),
    path(f"{STUDY}reject/", removal.reject, name="reject-images"),
    path(f"{STUDY}hold/", removal.hold, name="hold-study"),
    path(f"{STUDY}hold/<str:hold_id>/lift/", removal.lift, name="lift-hold"),
    path(f"{STUDY}state/", study.state, name="study-state"),
    path(f"{STUDY}thumbnail/", study.thumbnail, name="study-thumbnail"),
    path(
        "series/<str:public_id>/<str:series>/thumbnail/",
        study.series_thumbnail,
        name="series-thumbnail",
    ),
    path("patients/", patients.listing, name="patients"),
    path(PATIENT, patients.show, name="patient"),
    path(f"{PATIENT}emergency/", emergency.of_patient, name="patient-emergency"),
    path("emergency/", emergency.find, name="find-emergency"),
    path("emergency/<str:public_id>/", emergency.show, name="emergency"),
    path("emergency/<str:public_id>/end/", emergency.end, name="end-emergency"),
    # consents and shares
    path(f"{PATIENT}consents/new/", consents.new, name="new-consent"),
    path(f"{PATIENT}consents/preview/", consents.preview, name="consent-preview"),
    path("consents/", consents.listing, name="consents"),
    path(CONSENT, consents.show, name="consent"),
    path(f"{CONSENT}revoke/", consents.revoke, name="revoke-consent"),
    path(f"{CONSENT}evidence/", consents.evidence, name="consent-evidence"),
    path("share/", shares.new, name="share"),
    path("share/preview/", shares.preview, name="share-preview"),
    path("shares/", shares.listing, name="shares"),
    path("shares/<str:public_id>/end/", shares.end, name="end-share"),
    # asking for access
    path("requests/", requests.listing, name="requests"),
    path("requests/new/", requests.new, name="ask"),
    path("requests/<str:public_id>/", requests.answer, name="answer-request"),
    path("requests/<str:public_id>/approve/", requests.approve, name="approve-request"),
    path("requests/<str:public_id>/refuse/", requests.refuse, name="refuse-request"),
    path("requests/<str:public_id>/withdraw/", requests.withdraw, name="withdraw-request"),
    # what comes in, and what was seen
    path("upload/", uploads.page, name="upload"),
    path("upload/<str:public_id>/receipt/", uploads.receipt, name="receipt"),
    path("log/", log.listing, name="log"),
    path("log/export/<str:form>/", accounting.export, name="log-export"),
    path("log/accounting/", accounting.find, name="find-accounting"),
    path("log/accounting/<str:public_id>/", accounting.show, name="accounting"),
    path("log/accounting/<str:public_id>/<str:form>/", accounting.paper, name="accounting-paper"),
    path("privacy/", privacy.show, name="privacy"),
    path("privacy/emergencies/", emergency.reviews, name="emergencies"),
    path("privacy/emergencies/<str:public_id>/", emergency.review, name="review-emergency"),
    path("privacy/emergencies/<str:public_id>/cut/", emergency.cut, name="cut-emergency"),
    path("conflicts/", conflicts.listing, name="conflicts"),
    path("conflicts/rejected/", conflicts.rejected, name="rejections"),
    path("conflicts/rejected/<str:public_id>/", conflicts.return_rejected, name="take-back"),
    path("conflicts/<int:conflict_id>/", conflicts.show, name="conflict"),
    path("conflicts/<int:conflict_id>/<str:side>/", conflicts.picture, name="conflict-picture"),
]
