"""Where each resource is (RFC 7644 3.2)."""

from django.urls import path

from . import views

app_name = "scim"
urlpatterns = [
    path("ServiceProviderConfig", views.offered, name="offered"),
    path("Users", views.users, name="users"),
    path("Users/<str:public_id>", views.user, name="user"),
    path("Groups", views.groups, name="groups"),
    path("Groups/<str:name>", views.group, name="group"),
]
