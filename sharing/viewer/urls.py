"""Where the viewer is: one page per study and its pulse."""

from django.urls import path

from sharing.viewer import views

app_name = "viewer"
urlpatterns = [
    path("<str:public_id>/", views.study_view, name="study"),
    path("<str:public_id>/pulse", views.pulse, name="pulse"),
]
