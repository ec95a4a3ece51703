"""All URLs of the portal: each face brings its own list and is mounted here, nowhere else."""

from django.conf import settings
from django.urls import include, path

from portal import health

FACES = {  # where each face is mounted; the order is the order of matching
    "sharing.dicomweb": "dicomweb/",
    "sharing.api": "api/",
    "sharing.viewer": "viewer/",
    "sharing.web": "",
}

urlpatterns = [
    path("healthz", health.alive, name="alive"),
    path("readyz", health.ready, name="ready"),
    path("accounts/", include("allauth.urls")),
    *(
        path(prefix, include(f"{face}.urls"))
        for face, prefix in FACES.items()
        if (settings.BASE_DIR / face.replace(".", "/") / "urls.py").exists()
    ),
]
handler400 = "portal.errors.bad_request"
handler403 = "portal.errors.forbidden"
handler404 = "portal.errors.not_found"
handler500 = "portal.errors.server_error"
