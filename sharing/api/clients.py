"""Clients of the caller's organization: made, rotated and ended by an administrator."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.response import Response
from rest_framework.views import APIView

from sharing.kernel.purposes import Purpose
from sharing.partners import services
from sharing.partners.services import Wish

from .gate import People
from .paging import Pages

MACHINE, APP = "machine", "app"


class ClientForm(serializers.Serializer[Any]):
    """A client. Its secret is in no answer but the one that made it."""

    id = serializers.CharField(source="client_id")
    name = serializers.CharField()
    kind = serializers.SerializerMethodField()
    public = serializers.SerializerMethodField()
    scopes = serializers.ListField(child=serializers.CharField())
    redirects = serializers.SerializerMethodField()
    purpose = serializers.CharField()
    jwks_url = serializers.CharField()
    signs = serializers.SerializerMethodField()
    made_at = serializers.DateTimeField(source="created")
    made_by = serializers.CharField()

    def get_kind(self, client: Any) -> str:
        """`machine` or `app`."""
        return APP if client.is_app else MACHINE

    def get_public(self, client: Any) -> bool:
        """Whether it can keep no secret."""
        return bool(client.client_type == client.CLIENT_PUBLIC)

    def get_redirects(self, client: Any) -> list[str]:
        """Where an app is led back to."""
        return list(client.redirect_uris.split())

    def get_signs(self, client: Any) -> bool:
        """Whether it proves itself by a signature."""
        return bool(client.jwks or client.jwks_url)


class ClientWithSecret(ClientForm):
    """The same with its secret, this once; empty for one that signs or can keep none."""

    secret = serializers.CharField()


class ClientWish(serializers.Serializer[Any]):
    """A client as it is asked for."""

    name = serializers.CharField(max_length=80)
    kind = serializers.ChoiceField(choices=[MACHINE, APP], default=MACHINE)
    public = serializers.BooleanField(default=False)
    scopes = serializers.ListField(
        child=serializers.CharField(max_length=80), min_length=1, max_length=60
    )
    redirects = serializers.ListField(
        child=serializers.CharField(max_length=500), default=list, max_length=10
    )
    purpose = serializers.ChoiceField(
        choices=[Purpose.TREATMENT.value, Purpose.OPERATIONS.value],
        default=Purpose.TREATMENT.value,
    )
    jwks = serializers.DictField(required=False, allow_null=True, default=None)
    jwks_url = serializers.CharField(max_length=2000, required=False, allow_blank=True, default="")

    @property
    def wish(self) -> Wish:
        """As the domain's value."""
        said = self.validated_data
        return Wish(
            name=said["name"],
            scopes=tuple(said["scopes"]),
            app=said["kind"] == APP,
            public=said["public"],
            redirects=tuple(said["redirects"]),
            purpose=Purpose(said["purpose"]),
            jwks=said["jwks"],
            jwks_url=said["jwks_url"],
        )


class RotationWish(serializers.Serializer[Any]):
    """Whether the secret of today ends at once, or works for a day more."""

    at_once = serializers.BooleanField(default=False)


class ByName(Pages):
    """Newest first."""

    ordering = ("-created", "-id")
    orders = ("created",)


class ClientsView(ListAPIView):
    """The organization's clients."""

    permission_classes = [People]
    about = "clients"
    pagination_class = ByName
    serializer_class = ClientForm

    def get_queryset(self) -> Any:
        """Raises NotAllowed."""
        return services.own_clients(self.request._request.actor)  # type: ignore[attr-defined]

    @extend_schema(
        request=ClientWish,
        responses={201: ClientWithSecret},
        examples=[
            OpenApiExample(
                "A PACS that stores",
                value={"name": "Riverside PACS", "scopes": ["dicomweb.write"]},
                request_only=True,
            )
        ],
    )
    def post(self, request: Any) -> Response:
        """Make a client; its secret is in this answer alone."""
        form = ClientWish(data=request.data)
        form.is_valid(raise_exception=True)
        actor = request._request.actor
        made = services.create_client(wish=form.wish, by=actor, at=timezone.now())
        return Response(_with_secret(made), status=201)


class ClientView(APIView):
    """One client."""

    permission_classes = [People]
    about = "clients"

    @extend_schema(responses=ClientForm)
    def get(self, request: Any, client_id: str) -> Response:
        """What it is and may do."""
        return Response(ClientForm(services.own_client(request._request.actor, client_id)).data)

    @extend_schema(request=None, responses={204: None})
    def delete(self, request: Any, client_id: str) -> Response:
        """End it at once, with all its tokens."""
        actor = request._request.actor
        services.end_client(client_id=client_id, by=actor, at=timezone.now())
        return Response(status=204)


class RotateClientView(APIView):
    """A client's secret."""

    permission_classes = [People]
    about = "clients"

    @extend_schema(request=RotationWish, responses=ClientWithSecret)
    def post(self, request: Any, client_id: str) -> Response:
        """Make a new one; it is in this answer alone."""
        form = RotationWish(data=request.data)
        form.is_valid(raise_exception=True)
        made = services.rotate_secret(
            client_id=client_id,
            **form.validated_data,
            by=request._request.actor,
            at=timezone.now(),
        )
        return Response(_with_secret(made))


def _with_secret(made: services.Made) -> dict[str, Any]:
    return ClientForm(made.client).data | {"secret": made.secret}
