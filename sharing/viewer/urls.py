"""Where the viewer is: one page per study and its pulse."""

from django.urls import path

from sharing.viewer import beside, notes, views

app_name = "viewer"
urlpatterns = [
    path("<str:public_id>/", views.study_view, name="study"),
    path("<str:public_id>/pulse", views.pulse, name="pulse"),
    path("<str:public_id>/notes", notes.notes, name="notes"),
    path("<str:public_id>/earlier", beside.earlier, name="earlier"),
    path("<str:public_id>/beside/<str:other>", beside.beside, name="beside"),
]
